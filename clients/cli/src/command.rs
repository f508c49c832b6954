//! The commands: one file each. A command does its work and hands back what is to be said.

mod bundle;
mod catalogue;
mod check;
mod device;
mod duty;
mod enrol;
mod enrolment;
mod export;
mod fill;
mod fingerprints;
mod grant;
mod history;
mod holidays;
mod list;
mod node;
mod org;
mod people;
mod plan;
mod rehearse;
mod replay;
mod row;
mod show;
mod sign_in;
mod status;
mod sync;
mod template;
mod totals;
mod verify;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use dongbo::road::Road;
use dongbo::road::authority::Authority;
use dongbo::road::session::DeviceSession;
use dongbo::trouble::{Exit, Trouble};
use dongbo::{DeviceFolder, Tablet};
use messages::Language;
use serde_json::Value;

/// A tablet without a screen, and the administrator's tool.
#[derive(Debug, Parser)]
#[command(name = "dongbo", version, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) context: Context,
    #[command(subcommand)]
    command: Command,
}

/// What every command is told.
#[derive(Debug, Clone, Args)]
pub(crate) struct Context {
    /// The device folder; else ~/.dongbo
    #[arg(long, global = true, env = "DONGBO_DEVICE", value_name = "DIR")]
    device: Option<PathBuf>,
    /// The PIN that opens the device's key
    #[arg(long, global = true, env = "DONGBO_PIN", hide_env_values = true)]
    pin: Option<String>,
    /// The certificate of the authority to believe, instead of the public ones, PEM
    #[arg(long, global = true, env = "DONGBO_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// One JSON object instead of sentences
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Language of sentences
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "vi",
        env = "DONGBO_LANGUAGE"
    )]
    language: Spoken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Spoken {
    Vi,
    En,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make this folder a device of a province, by a one-time code
    Enrol(enrol::Enrol),
    /// Try a name and password
    SignIn(sign_in::SignIn),
    /// List units, templates, duties, documents, people
    List(list::List),
    /// Fill a report from a file: saved on the device, sent by `sync`
    Fill(fill::Fill),
    /// Rows that a unit adds to a form for itself and the units below it
    #[command(subcommand)]
    Row(row::Row),
    /// Seal what was typed, send it, read what others wrote
    Sync(sync::Sync),
    /// Show a report: values, rivals, formulas, findings
    Show(show::Show),
    /// Every value ever typed into a cell
    History(history::History),
    /// What waits, what is held, what is here
    Status(status::Status),
    /// Totals of what this device holds; needs no server
    Totals(totals::Totals),
    /// What speaks against the figures of a report; needs no server
    Check(check::Check),
    /// Write everything signed, and the documents, to a file
    Export(export::Export),
    /// Send a journal or an export to a server by the ordinary road
    Replay(replay::Replay),
    /// Files for a stick where there is no network: write, read, inspect
    #[command(subcommand)]
    Bundle(bundle::Bundle),
    /// Check signatures, chains, gate and fingerprints of a journal, a device, an export
    Verify(verify::Verify),
    /// Print the fingerprints of a journal, a device, an export
    Fingerprints(fingerprints::Fingerprints),
    /// Administrator: org units
    #[command(subcommand)]
    Org(org::Org),
    /// Administrator: templates
    #[command(subcommand)]
    Template(template::Template),
    /// Plans of tasks, from workbooks and documents
    #[command(subcommand)]
    Plan(plan::Plan),
    /// Administrator: people, from a list
    #[command(subcommand)]
    People(people::People),
    /// Administrator: one person
    #[command(subcommand)]
    Person(people::Person),
    /// Administrator: reporting duties
    #[command(subcommand)]
    Duty(duty::Duty),
    /// Holidays, and weekends on which offices are open
    #[command(subcommand)]
    Holidays(holidays::Holidays),
    /// Administrator: enrolment codes
    #[command(subcommand)]
    Enrolment(enrolment::Enrolment),
    /// Administrator: device keys
    #[command(subcommand)]
    Device(device::Device),
    /// Edge servers of areas
    #[command(subcommand)]
    Node(node::Node),
    /// Administrator: grants
    #[command(subcommand)]
    Grant(grant::Grant),
    /// The signed catalogue
    #[command(subcommand)]
    Catalogue(catalogue::Catalogue),
    /// Play the demonstration in a province that is marked as a rehearsal
    Rehearse(Box<rehearse::Rehearse>),
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) value: Value,
    pub(crate) lines: Vec<Line>,
    pub(crate) exit: Exit,
}

/// One line for people: a sentence of `messages`, or text that needs none.
#[derive(Debug)]
pub(crate) enum Line {
    Sentence(&'static str, Vec<(&'static str, String)>),
    Plain(String),
}

impl Line {
    pub(crate) fn text(&self, language: Language) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Sentence(id, arguments) => {
                let arguments: Vec<(&str, &str)> = arguments
                    .iter()
                    .map(|(name, value)| (*name, value.as_str()))
                    .collect();
                messages::text(language, id, &arguments)
            }
        }
    }
}

impl Said {
    fn new(value: Value) -> Self {
        Self {
            value,
            lines: Vec::new(),
            exit: Exit::Done,
        }
    }

    fn say(mut self, id: &'static str, arguments: &[(&'static str, String)]) -> Self {
        self.lines.push(Line::Sentence(id, arguments.to_vec()));
        self
    }

    fn plain(mut self, text: impl Into<String>) -> Self {
        self.lines.push(Line::Plain(text.into()));
        self
    }

    fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}

type Outcome = Result<Said, Trouble>;

impl Context {
    pub(crate) fn language(&self) -> Language {
        match self.language {
            Spoken::Vi => Language::Vietnamese,
            Spoken::En => Language::English,
        }
    }

    fn folder(&self) -> Result<DeviceFolder, Trouble> {
        if let Some(path) = &self.device {
            return Ok(DeviceFolder::new(path));
        }
        let home = std::env::home_dir().ok_or_else(|| Trouble::new("no-home", Exit::Usage))?;
        Ok(DeviceFolder::new(home.join(".dongbo")))
    }

    fn pin(&self) -> Option<&str> {
        self.pin.as_deref()
    }

    fn tablet(&self) -> Result<Tablet, Trouble> {
        Ok(Tablet::open(&self.folder()?, self.pin())?)
    }

    /// The session of this device, with its own server or another address.
    fn session(&self, url: Option<&str>) -> Result<DeviceSession, Trouble> {
        let folder = self.folder()?;
        let card = folder.card()?;
        let key = folder.key(&card, self.pin())?;
        let road = self.road(url.unwrap_or(&card.server))?;
        Ok(DeviceSession::new(road, &card, &key))
    }

    /// The way to a server.
    fn road(&self, url: &str) -> Result<Road, Trouble> {
        Ok(Road::trusting(url, &Authority::read(self.ca.as_deref())?)?)
    }

    /// A session of a tablet that is open.
    fn session_of(&self, tablet: &Tablet, url: Option<&str>) -> Result<DeviceSession, Trouble> {
        let road = self.road(url.unwrap_or(&tablet.card().server))?;
        Ok(DeviceSession::new(road, tablet.card(), tablet.key()))
    }
}

pub(crate) fn run(cli: Cli) -> Outcome {
    let context = &cli.context;
    match cli.command {
        Command::Enrol(command) => command.run(context),
        Command::SignIn(command) => command.run(context),
        Command::List(command) => command.run(context),
        Command::Fill(command) => command.run(context),
        Command::Row(command) => command.run(context),
        Command::Sync(command) => command.run(context),
        Command::Show(command) => command.run(context),
        Command::History(command) => command.run(context),
        Command::Status(command) => command.run(context),
        Command::Totals(command) => command.run(context),
        Command::Check(command) => command.run(context),
        Command::Export(command) => command.run(context),
        Command::Replay(command) => command.run(context),
        Command::Bundle(command) => command.run(context),
        Command::Verify(command) => command.run(context),
        Command::Fingerprints(command) => command.run(context),
        Command::Org(command) => command.run(context),
        Command::Template(command) => command.run(context),
        Command::Plan(command) => command.run(context),
        Command::People(command) => command.run(context),
        Command::Person(command) => command.run(context),
        Command::Duty(command) => command.run(context),
        Command::Holidays(command) => command.run(context),
        Command::Enrolment(command) => command.run(context),
        Command::Device(command) => command.run(context),
        Command::Node(command) => command.run(context),
        Command::Grant(command) => command.run(context),
        Command::Catalogue(command) => command.run(context),
        Command::Rehearse(command) => command.run(context),
    }
}
