//! Every failure as a person and a program read it: code, sentence, retry or not, what happened.

use std::fmt::Display;

use messages::Language;
use serde_json::{Value, json};
use sync_core::bundle::BundleError;
use sync_core::sync::DeviceError;

use crate::administration::ImportError;
use crate::bundle::BundleFileError;
use crate::durable_file::FileError;
use crate::enrolment::EnrolError;
use crate::evidence::EvidenceError;
use crate::figures::TemplateFileError;
use crate::folder::FolderError;
use crate::lookup::LookupError;
use crate::rehearsal::RehearsalError;
use crate::replay::ReplayError;
use crate::road::{Refusal, RoadError};
use crate::sealed_key::KeyError;
use crate::tablet::TabletError;
use crate::totals::TotalsError;
use crate::typed::{Fault, TypedError};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// A fault of the program or the machine.
    Fault = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The server refused, or the request makes no sense to it: a person has to do something.
    Refused = 3,
    /// The server was not reached, or is busy: everything is safe here, try again later.
    Later = 4,
    /// The input is wrong: nothing was written.
    Input = 5,
    /// What was checked is not as it should be.
    Differs = 6,
    /// The device folder cannot be used: not enrolled, in use, PIN, full, damaged.
    Device = 7,
}

/// A failure.
#[derive(Debug, Clone, PartialEq)]
pub struct Trouble {
    /// Machine code.
    pub code: String,
    /// Values of its sentence.
    pub arguments: Vec<(&'static str, String)>,
    /// Whether the same again can succeed.
    pub retry: bool,
    /// Whether anything happened: `no`, `yes`, `unknown`.
    pub happened: &'static str,
    /// How the program ends.
    pub exit: Exit,
    /// The server's own sentences, where it said one.
    said: Option<Box<(String, String)>>,
    /// Single faults, for machines and as lines for people.
    faults: Vec<Fault>,
}

impl Trouble {
    /// A failure that changed nothing and will fail again.
    pub fn new(code: &str, exit: Exit) -> Self {
        Self {
            code: code.to_owned(),
            arguments: Vec::new(),
            retry: false,
            happened: "no",
            exit,
            said: None,
            faults: Vec::new(),
        }
    }

    /// With a value of its sentence.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Display) -> Self {
        self.arguments.push((name, value.to_string()));
        self
    }

    fn retry(mut self) -> Self {
        self.retry = true;
        self
    }

    fn uncertain(mut self) -> Self {
        self.happened = "unknown";
        self
    }

    /// The id of its sentence.
    pub fn message_id(&self) -> String {
        format!("cli-error-{}", self.code)
    }

    /// Its sentence, and one line for each single fault.
    pub fn sentence(&self, language: Language) -> String {
        if let Some((vietnamese, english)) = self.said.as_deref() {
            let said = match language {
                Language::Vietnamese => vietnamese,
                Language::English => english,
            };
            if !said.is_empty() {
                return said.clone();
            }
        }
        let arguments: Vec<(&str, &str)> = self
            .arguments
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let mut lines = vec![messages::text(language, &self.message_id(), &arguments)];
        lines.extend(self.faults.iter().map(|fault| fault_line(language, fault)));
        lines.join("\n")
    }

    /// The failure for machines.
    pub fn to_json(&self, language: Language) -> Value {
        let mut value = json!({
            "code": self.code,
            "message": self.sentence(language),
            "retry": self.retry,
            "happened": self.happened,
        });
        if let Some(object) = value.as_object_mut() {
            for (name, argument) in &self.arguments {
                object.insert((*name).to_owned(), json!(argument));
            }
            if !self.faults.is_empty() {
                object.insert(
                    "faults".to_owned(),
                    self.faults.iter().map(fault_json).collect(),
                );
            }
        }
        value
    }
}

fn fault_line(language: Language, fault: &Fault) -> String {
    let id = format!("cli-fault-{}", fault.problem.code());
    let row = fault.row.to_string();
    let readings = fault.problem.readings().join(" / ");
    messages::text(
        language,
        &id,
        &[
            ("row", &row),
            ("code", &fault.code),
            ("written", &fault.written),
            ("readings", &readings),
        ],
    )
}

fn fault_json(fault: &Fault) -> Value {
    json!({
        "row": fault.row, "cell": fault.code, "written": fault.written,
        "code": fault.problem.code(), "readings": fault.problem.readings(),
    })
}

impl From<TypedError> for Trouble {
    fn from(error: TypedError) -> Self {
        match error {
            TypedError::Json(reason) => {
                Self::new("file-not-json", Exit::Input).with("reason", reason)
            }
            TypedError::Csv(line) => Self::new("file-not-csv", Exit::Input).with("line", line),
            TypedError::Faults(faults) => Self {
                faults: faults.clone(),
                ..Self::new("cells-wrong", Exit::Input).with("count", faults.len())
            },
        }
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        let exit = if refusal.retry {
            Exit::Later
        } else {
            Exit::Refused
        };
        Self {
            code: refusal.code.clone(),
            arguments: vec![("status", refusal.status.to_string())],
            retry: refusal.retry,
            happened: match refusal.happened.as_str() {
                "no" => "no",
                "yes" => "yes",
                _ => "unknown",
            },
            exit,
            said: Some(Box::new((
                said(&refusal.message_vi, &refusal.code, Language::Vietnamese),
                said(&refusal.message_en, &refusal.code, Language::English),
            ))),
            faults: Vec::new(),
        }
    }
}

/// The server's sentence, or ours for its code when only the code came.
fn said(sentence: &str, code: &str, language: Language) -> String {
    if sentence.is_empty() {
        messages::text(language, &format!("problem-{code}"), &[])
    } else {
        sentence.to_owned()
    }
}

impl From<RoadError> for Trouble {
    fn from(error: RoadError) -> Self {
        match error {
            RoadError::Offline { server, reason } => Self::new("offline", Exit::Later)
                .with("server", server)
                .with("reason", reason)
                .retry()
                .uncertain(),
            RoadError::Refused(refusal) => (*refusal).into(),
            RoadError::Garbled { server, reason } => Self::new("answer-garbled", Exit::Later)
                .with("server", server)
                .with("reason", reason)
                .retry()
                .uncertain(),
            RoadError::Authority { path, reason } => Self::new("authority-bad", Exit::Input)
                .with("file", path.display())
                .with("reason", reason),
            RoadError::Address(address) => {
                Self::new("address-bad", Exit::Usage).with("server", address)
            }
            RoadError::OtherProvince(server) => {
                Self::new("other-province", Exit::Refused).with("server", server)
            }
        }
    }
}

impl From<FileError> for Trouble {
    fn from(error: FileError) -> Self {
        Self::new("file", Exit::Fault)
            .with("path", error.path.display())
            .with("reason", error.source)
    }
}

impl From<KeyError> for Trouble {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Damaged(reason) => {
                Self::new("key-damaged", Exit::Device).with("reason", reason)
            }
            KeyError::PinNeeded => Self::new("pin-needed", Exit::Device),
            KeyError::PinWrong => Self::new("pin-wrong", Exit::Device),
            KeyError::Unavailable(reason) => {
                Self::new("no-random-bytes", Exit::Fault).with("reason", reason)
            }
        }
    }
}

impl From<FolderError> for Trouble {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::File(error) => error.into(),
            FolderError::NotEnrolled(path) => {
                Self::new("not-enrolled", Exit::Device).with("path", path.display())
            }
            FolderError::AlreadyEnrolled { folder, name } => {
                Self::new("already-enrolled", Exit::Device)
                    .with("path", folder.display())
                    .with("name", name)
            }
            FolderError::Damaged { path, reason } => Self::new("device-damaged", Exit::Device)
                .with("path", path.display())
                .with("reason", reason),
            FolderError::Key(error) => error.into(),
            FolderError::OtherKey(path) => {
                Self::new("other-key", Exit::Device).with("path", path.display())
            }
        }
    }
}

impl From<TabletError> for Trouble {
    fn from(error: TabletError) -> Self {
        let reason = error.to_string();
        match error {
            TabletError::Folder(error) => error.into(),
            TabletError::Lock(journal::folder::LockError::InUse { folder }) => {
                Self::new("device-in-use", Exit::Device)
                    .with("path", folder.display())
                    .retry()
            }
            TabletError::Full(_) => Self::new("device-full", Exit::Device)
                .with("reason", reason)
                .retry(),
            TabletError::Uncertain(_) => Self::new("device-uncertain", Exit::Device)
                .with("reason", reason)
                .retry()
                .uncertain(),
            TabletError::TooLarge(_) => Self::new("too-large", Exit::Input).with("reason", reason),
            TabletError::Random(error) => error.into(),
            TabletError::Device(DeviceError::Unknown(what)) => {
                Self::new("not-in-catalogue", Exit::Input).with("what", what)
            }
            TabletError::Device(DeviceError::OtherProvince) => {
                Self::new("other-province", Exit::Refused).with("server", "")
            }
            TabletError::Device(DeviceError::Write(_)) => {
                Self::new("cannot-write", Exit::Input).with("reason", reason)
            }
            TabletError::Device(DeviceError::LeftOut { since }) => {
                Self::new("years-left-out", Exit::Input).with("since", since)
            }
            TabletError::Device(DeviceError::Bundle(error)) => error.into(),
            TabletError::Lock(_)
            | TabletError::Open(_)
            | TabletError::Read(_)
            | TabletError::Record(_)
            | TabletError::Device(
                DeviceError::Keyspace(_)
                | DeviceError::Catalogue(_)
                | DeviceError::Document { .. }
                | DeviceError::Seal(_)
                | DeviceError::OwnPart(_),
            ) => Self::new("device-damaged", Exit::Device)
                .with("path", "journal")
                .with("reason", reason),
        }
    }
}

impl From<sync_core::log::KeyspaceError> for Trouble {
    fn from(error: sync_core::log::KeyspaceError) -> Self {
        Self::new("device-damaged", Exit::Device)
            .with("path", "journal")
            .with("reason", error)
    }
}

impl From<LookupError> for Trouble {
    fn from(error: LookupError) -> Self {
        let reason = error.to_string();
        match error {
            LookupError::UnknownUnit(unit) => {
                Self::new("unit-unknown", Exit::Input).with("unit", unit)
            }
            LookupError::SeveralUnits { wanted, found } => Self::new("unit-ambiguous", Exit::Input)
                .with("unit", wanted)
                .with("found", found),
            LookupError::UnknownTemplate(template) => {
                Self::new("template-unknown", Exit::Input).with("template", template)
            }
            LookupError::BadPeriod(period) => {
                Self::new("period-bad", Exit::Input).with("period", period)
            }
            LookupError::BadTemplate { .. } | LookupError::Tree(_) => {
                Self::new("device-damaged", Exit::Device)
                    .with("path", "catalogue")
                    .with("reason", reason)
            }
        }
    }
}

impl From<EnrolError> for Trouble {
    fn from(error: EnrolError) -> Self {
        match error {
            EnrolError::Folder(error) => error.into(),
            EnrolError::Road(error) => error.into(),
            EnrolError::Answer(reason) => Self::new("answer-garbled", Exit::Refused)
                .with("server", "")
                .with("reason", reason),
        }
    }
}

impl From<ImportError> for Trouble {
    fn from(error: ImportError) -> Self {
        let reason = error.to_string();
        match error {
            ImportError::File(error) => error.into(),
            ImportError::Road(error) => error.into(),
            ImportError::Unknown { wanted, known } => Self::new("file-unknown", Exit::Input)
                .with("wanted", wanted)
                .with("known", known),
            ImportError::NotText(_)
            | ImportError::Units(_)
            | ImportError::Form(_)
            | ImportError::Row { .. } => {
                Self::new("import-bad", Exit::Input).with("reason", reason)
            }
        }
    }
}

impl From<TemplateFileError> for Trouble {
    fn from(error: TemplateFileError) -> Self {
        match error {
            TemplateFileError::Transcribed(error) => error.into(),
            TemplateFileError::Own(error) => {
                Self::new("import-bad", Exit::Input).with("reason", error)
            }
        }
    }
}

impl From<EvidenceError> for Trouble {
    fn from(error: EvidenceError) -> Self {
        let reason = error.to_string();
        match error {
            EvidenceError::File(error) => error.into(),
            EvidenceError::Records(error) => error.into(),
            EvidenceError::Keyspace(error) => error.into(),
            EvidenceError::Journal(_)
            | EvidenceError::NoJournal(_)
            | EvidenceError::Export { .. } => {
                Self::new("history-unreadable", Exit::Input).with("reason", reason)
            }
        }
    }
}

impl From<ReplayError> for Trouble {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Road(error) => error.into(),
            ReplayError::Tablet(error) => error.into(),
            ReplayError::Catalogue { theirs, needed } => {
                Self::new("catalogue-behind", Exit::Refused)
                    .with("theirs", theirs)
                    .with("needed", needed)
            }
        }
    }
}

impl From<BundleError> for Trouble {
    fn from(error: BundleError) -> Self {
        let (reason, code) = (error.to_string(), error.code());
        let new = |exit| Self::new(code, exit);
        match error {
            BundleError::Nothing => new(Exit::Refused),
            BundleError::OtherProvince(province) => new(Exit::Refused).with("province", province),
            BundleError::NotForHere(destination) => {
                new(Exit::Refused).with("destination", destination)
            }
            BundleError::IssuerUnknown(key) => new(Exit::Refused).with("key", key),
            BundleError::Damaged { piece, pieces }
            | BundleError::Misdescribed { piece, pieces } => {
                new(Exit::Input).with("piece", piece).with("pieces", pieces)
            }
            BundleError::NotOne
            | BundleError::Version(_)
            | BundleError::HeadCut
            | BundleError::Head(_)
            | BundleError::Signature
            | BundleError::LeftOver
            | BundleError::TooLarge(_) => new(Exit::Input).with("reason", reason),
        }
    }
}

impl From<BundleFileError> for Trouble {
    fn from(error: BundleFileError) -> Self {
        match error {
            BundleFileError::File(error) => error.into(),
            BundleFileError::NotThere(path) => {
                Self::new("file-not-there", Exit::Input).with("path", path.display())
            }
            BundleFileError::There(path) => {
                Self::new("file-there", Exit::Input).with("path", path.display())
            }
            BundleFileError::Bundle(error) => error.into(),
            BundleFileError::Seal(error) => Self::new(error.code(), Exit::Input),
            BundleFileError::Key(text) => Self::new("seal-key-bad", Exit::Input).with("key", text),
            BundleFileError::Tablet(error) => error.into(),
            BundleFileError::Replay(error) => error.into(),
            BundleFileError::NodeChanged => Self::new("node-changed", Exit::Later).retry(),
        }
    }
}

impl From<TotalsError> for Trouble {
    fn from(error: TotalsError) -> Self {
        match error {
            TotalsError::Lookup(error) => error.into(),
            TotalsError::Tablet(error) => error.into(),
            TotalsError::NoDuty { template, period } => Self::new("no-duty", Exit::Input)
                .with("template", template)
                .with("period", period),
        }
    }
}

impl From<RehearsalError> for Trouble {
    fn from(error: RehearsalError) -> Self {
        let reason = error.to_string();
        match error {
            RehearsalError::Import(error) => error.into(),
            RehearsalError::Enrol(error) => error.into(),
            RehearsalError::Folder(error) => error.into(),
            RehearsalError::Tablet(error) => error.into(),
            RehearsalError::Totals(error) => error.into(),
            RehearsalError::Lookup(error) => error.into(),
            RehearsalError::Road(error) => error.into(),
            RehearsalError::NotARehearsal => Self::new("not-a-rehearsal", Exit::Refused),
            RehearsalError::OtherWork { .. }
            | RehearsalError::Apportion(_)
            | RehearsalError::Figures(_)
            | RehearsalError::Stuck { .. }
            | RehearsalError::Missing(_) => {
                Self::new("rehearsal-stuck", Exit::Fault).with("reason", reason)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sync_core::form::entry::EntryFault;

    use super::*;
    use crate::typed::FaultProblem;

    #[test]
    fn every_fault_and_a_few_errors_have_sentences_in_both_languages() {
        let problems = [
            FaultProblem::UnknownCode,
            FaultProblem::Repeated,
            FaultProblem::Entry(EntryFault::Ambiguous(Vec::new())),
            FaultProblem::Entry(EntryFault::NotWhole(Vec::new())),
            FaultProblem::Entry(EntryFault::NotANumber),
            FaultProblem::Entry(EntryFault::NotAPercentage),
            FaultProblem::Entry(EntryFault::NotInCodeList),
            FaultProblem::Entry(EntryFault::ComputedOnly),
            FaultProblem::Entry(EntryFault::NotAValue),
        ];
        for language in Language::ALL {
            for problem in &problems {
                let id = format!("cli-fault-{}", problem.code());
                assert!(messages::has(language, &id), "{id}");
            }
        }
    }

    #[test]
    fn every_code_of_a_bundle_has_a_sentence() {
        let sources = [
            include_str!("../../../sync-core/src/bundle.rs"),
            include_str!("bundle/seal.rs"),
        ];
        let codes = sources.into_iter().flat_map(|source| source.split('"'));
        let is_code = |text: &&str| text.starts_with("bundle-") || text.starts_with("seal-");
        let codes: Vec<_> = codes.filter(is_code).collect();
        assert!(codes.len() > 16, "{codes:?}");
        for code in codes {
            for language in Language::ALL {
                let id = format!("cli-error-{code}");
                assert!(messages::has(language, &id), "{id}");
            }
        }
    }

    #[test]
    fn every_code_made_here_has_a_sentence() {
        let source = include_str!("trouble.rs");
        let commands = [
            include_str!("command.rs"),
            include_str!("command/enrol.rs"),
            include_str!("command/fill.rs"),
            include_str!("command/people.rs"),
            include_str!("command/device.rs"),
            include_str!("command/bundle.rs"),
        ];
        let mut seen = 0;
        for text in commands.into_iter().chain([source]) {
            for rest in text.split("::new(\"").skip(1) {
                let Some((code, _)) = rest.split_once('"') else {
                    continue;
                };
                if code.contains(' ') {
                    continue;
                }
                seen += 1;
                for language in Language::ALL {
                    let id = format!("cli-error-{code}");
                    assert!(messages::has(language, &id), "{id}");
                }
            }
        }
        assert!(seen > 30, "{seen}");
    }
}
