//! The menu of the project: what a person or CI runs, each under one word.

mod bench;
mod check;
mod demo;
mod program;
mod simulation;
mod test;
mod web;

use std::process::ExitCode;

const MENU: &str = "\
cargo xtask demo [--fresh] [--settle] [--listen ADDRESS]   the rehearsed province
cargo xtask test                                           every test
cargo xtask check                                          formatting, lints, WebAssembly, documentation
cargo xtask sim [SEED]                                     the field simulation
cargo xtask fuzz                                           mutated input against the gates
cargo xtask bench [--browser] [--json]                     the figures the project holds itself to
cargo xtask bench sync [--json]                            the province day beside what others take
cargo xtask vectors                                        golden vectors, natively and in WebAssembly
cargo xtask web                                            the web app, ready to be put into the server
cargo xtask openapi                                        accepts the interface as it is now
";

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a menu speaks to the terminal"
)]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    let done = match arguments.first().map(String::as_str) {
        Some("demo") => demo::run(&rest),
        Some("test") => test::run(),
        Some("check") => check::run(),
        Some("sim") => simulation::run(&rest),
        Some("fuzz") => test::fuzz(),
        Some("bench") => bench::run(&rest),
        Some("vectors") => test::vectors(),
        Some("web") => web::build(),
        Some("openapi") => test::accept_interface(),
        Some("help" | "--help") => {
            println!("{MENU}");
            return ExitCode::SUCCESS;
        }
        Some(_) | None => {
            eprintln!("{MENU}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
