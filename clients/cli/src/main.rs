//! `dongbo`: a tablet without a screen, and the administrator's tool, on a command line.
//!
//! Exit codes: 0 done, 1 a fault of program or machine, 2 wrong command line, 3 refused – a person
//! has to do something –, 4 not reached or busy – everything is safe, try later –, 5 wrong input,
//! 6 what was checked differs, 7 the device folder cannot be used.

mod command;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use messages::Language;

use command::{Cli, Said};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let (json, language) = (cli.context.json, cli.context.language());
    match command::run(cli) {
        Ok(said) => {
            show(json, language, &said);
            ExitCode::from(said.exit as u8)
        }
        Err(trouble) => {
            let text = if json {
                trouble.to_json(language).to_string()
            } else {
                format!("{}: {}", trouble.code, trouble.sentence(language))
            };
            // With nowhere left to write to, the exit code still says it.
            let _ = writeln!(std::io::stderr().lock(), "{text}");
            ExitCode::from(trouble.exit as u8)
        }
    }
}

fn show(json: bool, language: Language, said: &Said) {
    let mut out = std::io::stdout().lock();
    if json {
        let _ = writeln!(out, "{}", said.value);
        return;
    }
    for line in &said.lines {
        // A reader that went away has seen enough.
        let _ = writeln!(out, "{}", line.text(language));
    }
}
