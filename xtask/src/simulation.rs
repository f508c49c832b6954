//! The field simulation: one seed with its trace, or all the seeds of CI and the planted bugs.

use anyhow::Result;

use crate::program::{build_programs, built, program, run as run_program};

/// Seeds that CI runs.
const SEEDS: &str = "0..5000";

/// `cargo xtask sim [SEED]`.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    build_programs()?;
    match arguments {
        [] => run_many(),
        [seed, rest @ ..] => {
            let mut command = simulate();
            command.args(["--seed", seed, "--trace"]).args(rest);
            run_program(command)
        }
    }
}

/// All seeds without bugs, then each planted bug until it is caught.
pub(crate) fn run_many() -> Result<()> {
    let mut clean = simulate();
    clean.args(["--seeds", SEEDS, "--threads", "2"]);
    run_program(clean)?;
    let mut bugs = simulate();
    bugs.args(["--bugs", "--threads", "2"]);
    run_program(bugs)
}

fn simulate() -> std::process::Command {
    program(&built("debug", "simulate").to_string_lossy(), &[])
}
