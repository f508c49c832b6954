//! `dongbo history`: who typed what into a cell, and when.

use clap::Args;
use dongbo::lookup::{self, Authors};
use dongbo::view;
use serde_json::json;

use super::{Context, Outcome, Said};

/// Every value ever typed into a cell, no later one before one it had seen.
#[derive(Debug, Args)]
pub(super) struct History {
    /// Template id
    #[arg(long)]
    template: String,
    /// Unit: code, id or a part of its name
    #[arg(long)]
    unit: String,
    /// Period
    #[arg(long)]
    period: String,
    /// Indicator code
    #[arg(long)]
    cell: String,
}

impl History {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let mut tablet = context.tablet()?;
        let catalogue = tablet.device().catalogue();
        let subject = lookup::subject(catalogue, &self.template, &self.unit, &self.period)?;
        let document = tablet.document(&subject)?;
        let device = tablet.device();
        let own = device.sealer().actor();
        let authors = Authors::of(device.log())?.with(own, tablet.card().key_id);
        let values: Vec<view::RivalView> = document
            .cell_history(&self.cell)
            .iter()
            .map(|rival| view::rival_view(rival, &authors, device.catalogue()))
            .collect();
        let items: Vec<_> = values.iter().map(view::rival_json).collect();
        let mut said = Said::new(json!({ "cell": self.cell, "values": items }));
        for value in &values {
            said = said.say("cli-rival", &super::show::rival_arguments(value));
        }
        if values.is_empty() {
            said = said.say("cli-no-history", &[("cell", self.cell)]);
        }
        Ok(said)
    }
}
