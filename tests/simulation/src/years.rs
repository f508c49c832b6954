//! Tablets that leave older years out of their first contact, and later ask for them.
//!
//! Drawn from a chance of their own, like what happens at edges: a run in which everybody takes everything
//! is byte for byte what it was before anybody could leave something out.

use std::fmt;

use sync_core::batch::Entry;
use sync_core::log::{Fingerprint, Follow, LogReader};
use sync_core::sync::Device;
use sync_core::sync::extent::year_of;

use crate::dice::Dice;
use crate::node::Node;
use crate::violation::{Checked, must};
use crate::world::World;

/// Sets this chance apart from all other chance of a seed.
const APART: u64 = 0x79_65_61_72;

/// The knobs of older years.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Years {
    /// Of a hundred new tablets, those that want this year alone.
    pub leaving: usize,
    /// Of a thousand steps, those in which somebody asks for older years.
    pub asking: usize,
}

impl Years {
    /// Draws the knobs of a seed, and the chance that is left for them.
    pub fn draw(seed: u64) -> (Self, Dice) {
        let mut dice = Dice::new(seed ^ APART);
        let years = Self {
            leaving: [0, 0, 50, 100].get(dice.below(4)).copied().unwrap_or(0),
            asking: [0, 0, 5, 30].get(dice.below(4)).copied().unwrap_or(0),
        };
        (years, dice)
    }
}

impl fmt::Display for Years {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.leaving {
            0 => Ok(()),
            _ => write!(f, " {self:?}"),
        }
    }
}

impl World {
    /// A new tablet wants this year alone, perhaps.
    pub(crate) fn perhaps_leave_years(&mut self, number: usize) -> Checked<()> {
        if self.years.leaving == 0 || !self.chance_of_years.percent(self.years.leaving) {
            return Ok(());
        }
        let Some(tablet) = self.tablets.get_mut(number) else {
            return Ok(());
        };
        let Some(device) = &mut tablet.device else {
            return Ok(());
        };
        if must("is-new", device.may_leave_years_out())? {
            let writes = device.set_years_back(Some(0));
            tablet.save(&writes, &mut self.ledger)?;
            self.trace
                .say(format_args!("  tablet {number} wants this year alone"));
        }
        Ok(())
    }

    /// Somebody asks for older years, perhaps.
    pub(crate) fn perhaps_ask_for_years(&mut self) -> Checked<()> {
        if self.years.leaving == 0 || self.chance_of_years.below(1_000) >= self.years.asking {
            return Ok(());
        }
        let number = self.chance_of_years.below(self.tablets.len());
        let since = [0, 2025, 2026].get(self.chance_of_years.below(3)).copied();
        self.ask_for_years(number, since.unwrap_or(0)).map(drop)
    }

    /// Somebody asks for the years from one on; true if some of them had been left out.
    pub(crate) fn ask_for_years(&mut self, number: usize, since: u16) -> Checked<bool> {
        let Some(tablet) = self.tablets.get_mut(number) else {
            return Ok(false);
        };
        let Some(device) = &mut tablet.device else {
            return Ok(false);
        };
        let writes = device.ask_for_years(since);
        if writes.is_empty() {
            return Ok(false);
        }
        self.trace.say(format_args!(
            "  tablet {number} asks for the years from {since} on"
        ));
        tablet.save(&writes, &mut self.ledger)?;
        Ok(true)
    }
}

/// The fingerprint of what a tablet leaves out of what it follows at a node, by what is on the tablet: parts
/// about older reports alone, none of which is there.
pub(crate) fn left_out(device: &Device, node: &Node, follow: &Follow) -> Checked<Fingerprint> {
    let mut left = Fingerprint::default();
    let Some(since) = device.years().since else {
        return Ok(left);
    };
    let page = LogReader(&node.keyspace).feed(follow, 0, None, usize::MAX);
    for (_, entry) in must("feed", page)?.entries {
        let mut is_left = true;
        for document in entry.part.part().entries.iter().map(Entry::document) {
            let there = must("subject", LogReader(&node.keyspace).subject(document))?;
            let here = must("subject", device.log().subject(document))?;
            let is_older = there.as_ref().and_then(year_of) < Some(since);
            is_left &= is_older && here.is_none();
        }
        if is_left {
            left = left.plus(Fingerprint::of(entry.part.id()));
        }
    }
    Ok(left)
}
