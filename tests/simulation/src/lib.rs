//! Field simulation: a province's node, edge servers of areas and tablets on the real state machines and
//! the real journal, over disks, links, clocks and people that fail, all from one seed.
//!
//! A run has two phases. With faults on, an onlooker ([`ledger`]) checks that nothing acknowledged is
//! lost and everything saved can be found ([`invariants`]). With faults off, everybody comes to agree
//! within a bound, and what they agree on is what was typed ([`settle`]). The same seed gives the
//! same bytes. [`bugs`] are mistakes planted to see that they are noticed.
//!
//! Reading order: [`operations`] says what can happen, [`world`] does it, [`node`] and [`tablet`] are
//! the shells around the state machines, [`durable`] is what they keep. [`hops`] says what happens at edges,
//! which half of the seeds have, and [`edge`] is the shell of one.
//!
//! These are never in one run: folders of nodes and of tablets that are put back. Numbers are used twice
//! then, and nobody but a person can tell which stands.

pub mod bugs;
pub mod dice;
pub mod knobs;
pub mod setting;
pub mod trace;
pub mod violation;

pub mod durable;
pub mod edge;
pub mod figures;
pub mod forge;
pub mod hops;
pub mod ledger;
pub mod link;
pub mod node;
mod planted;
pub mod tablet;

mod branches;
mod faults;
pub mod invariants;
mod office;
pub mod operations;
pub mod settle;
mod typing;
pub mod world;
pub mod years;

#[cfg(test)]
mod tests;

pub use bugs::Bug;
use violation::Checked;
pub use violation::Violation;
use world::World;

/// Steps between two looks at whether everything saved can be found.
const LOOK_EVERY: usize = 25;

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// Its knobs, to be printed.
    pub knobs: String,
    /// Operations done while faults were on.
    pub steps: usize,
    /// Rounds until everybody agreed.
    pub rounds: usize,
    /// Parts at the node in the end, accepted and held.
    pub parts: usize,
    /// Digest of everything that happened.
    pub digest: String,
    /// The promise that was broken, if one was.
    pub violation: Option<Violation>,
    /// Everything that happened, if it was to be kept.
    pub trace: Vec<String>,
}

/// Runs a seed.
pub fn run(seed: u64, bug: Option<Bug>, keep_trace: bool) -> Outcome {
    let mut outcome = Outcome {
        seed,
        knobs: String::new(),
        steps: 0,
        rounds: 0,
        parts: 0,
        digest: String::new(),
        violation: None,
        trace: Vec::new(),
    };
    let mut world = match World::draw(seed, bug, keep_trace) {
        Ok(world) => world,
        Err(violation) => {
            outcome.violation = Some(violation);
            return outcome;
        }
    };
    outcome.knobs = format!("{}{}{}", world.knobs, world.hops, world.years);
    outcome.violation = both_phases(&mut world, &mut outcome).err();
    if let Some(violation) = &outcome.violation {
        world.trace.say(format_args!("{violation}"));
    }
    outcome.digest = world.trace.digest();
    outcome.trace = world.trace.into_lines();
    outcome
}

fn both_phases(world: &mut World, outcome: &mut Outcome) -> Checked<()> {
    for step in 1..=world.knobs.steps {
        world.step()?;
        outcome.steps = step;
        if step % LOOK_EVERY == 0 {
            invariants::saved_is_findable(world)?;
        }
    }
    outcome.rounds = settle::settle(world)?;
    outcome.parts = world.node.parts()?.len();
    Ok(())
}

/// The knobs that a seed draws, to be printed.
pub fn knobs_of(seed: u64) -> String {
    let knobs = knobs::Knobs::draw(&mut dice::Dice::new(seed));
    let (hops, _) = hops::Hops::draw(seed, &knobs);
    let (years, _) = years::Years::draw(seed);
    format!("{knobs}{hops}{years}")
}
