//! `dongbo fingerprints`: what two machines compare to know that they hold the same.

use clap::Args;
use dongbo::verify::verify;

use super::verify::{Source, fingerprints_json};
use super::{Context, Outcome, Said};

/// Prints the fingerprint of everything, and of each partition.
#[derive(Debug, Args)]
pub(super) struct Fingerprints {
    #[command(flatten)]
    source: Source,
}

impl Fingerprints {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let verified = verify(&self.source.read(context)?)?;
        let mut said = Said::new(fingerprints_json(&verified));
        for (partition, print) in &verified.partitions {
            said = said.plain(format!("{}  {print}", partition.unit));
        }
        Ok(said.say(
            "cli-fingerprint",
            &[("print", verified.fingerprint.to_string())],
        ))
    }
}
