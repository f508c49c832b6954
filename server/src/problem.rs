//! What went wrong, for the one who asked: a code with three exhaustive answers.
//!
//! Each [`ProblemCode`] says its HTTP status, whether sending the same again can help, and whether
//! anything happened. There is no wildcard arm: a new code forces all three decisions. The sentences
//! are in `messages`, in both languages.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use messages::Language;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use store::{CommitError, ReadError};

use crate::entropy::NoEntropy;

/// Whether the request changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// Nothing changed.
    No,
    /// Something changed although the request was refused.
    Yes,
    /// It is unknown; sending again does no harm.
    Unknown,
}

macro_rules! problem_codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Why a request was not done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ProblemCode {
            $($(#[$doc])* $name,)*
        }
        impl ProblemCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
            /// The code as it is sent; stable.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

problem_codes! {
    /// The body, query or path is not what the route takes.
    RequestMalformed = "request-malformed",
    /// No such route.
    RouteUnknown = "route-unknown",
    /// The route takes other methods.
    MethodNotAllowed = "method-not-allowed",
    /// The body is over the limit.
    BodyTooLarge = "body-too-large",
    /// No token, or one that is not this province's.
    SignInRequired = "sign-in-required",
    /// The token was good and is over.
    TokenExpired = "token-expired",
    /// Name or password wrong; which one is not said.
    SignInFailed = "sign-in-failed",
    /// Too many attempts for this name.
    SignInTooOften = "sign-in-too-often",
    /// All password slots are taken.
    SignInBusy = "sign-in-busy",
    /// A refresh token that is unknown, ended or expired.
    RefreshInvalid = "refresh-invalid",
    /// A refresh token used long before; its family was ended.
    RefreshReplayed = "refresh-replayed",
    /// A challenge that this server did not make, or too old.
    ChallengeInvalid = "challenge-invalid",
    /// No such device key in the catalogue.
    DeviceKeyUnknown = "device-key-unknown",
    /// The device key was ended.
    DeviceKeyEnded = "device-key-ended",
    /// The signature is not the device key's.
    SignatureWrong = "signature-wrong",
    /// The person's grants do not allow it.
    RightsMissing = "rights-missing",
    /// No such enrolment code.
    CodeUnknown = "code-unknown",
    /// The enrolment code is over.
    CodeExpired = "code-expired",
    /// The enrolment code was used by another key.
    CodeUsed = "code-used",
    /// No Ed25519 public key, or a weak one.
    PublicKeyBad = "public-key-bad",
    /// The key is enrolled already, by another code.
    PublicKeyTaken = "public-key-taken",
    /// A new password under the minimum.
    PasswordTooShort = "password-too-short",
    /// A password over the maximum.
    PasswordTooLong = "password-too-long",
    /// No such person.
    PersonUnknown = "person-unknown",
    /// No such unit.
    UnitUnknown = "unit-unknown",
    /// No such template or version.
    TemplateUnknown = "template-unknown",
    /// The template does not follow the schema.
    TemplateBad = "template-bad",
    /// The same id and version with other content.
    TemplateDiffers = "template-differs",
    /// No new report is begun by the template.
    TemplateRetired = "template-retired",
    /// A row of an import is wrong.
    ImportBad = "import-bad",
    /// No such grant.
    GrantUnknown = "grant-unknown",
    /// No such report, or not for this person.
    ReportUnknown = "report-unknown",
    /// The report has no such cell.
    CellUnknown = "cell-unknown",
    /// The period is not in canonical form.
    PeriodBad = "period-bad",
    /// A last day that is no day, or a rule that is none.
    DueBad = "due-bad",
    /// The holidays of a year that a last day is counted in are not known.
    CalendarYearUnknown = "calendar-year-unknown",
    /// A table of holidays that cannot be read.
    HolidaysBad = "holidays-bad",
    /// No such reporting duty.
    DutyUnknown = "duty-unknown",
    /// Something that needs a reason came without one.
    ReasonMissing = "reason-missing",
    /// The page cursor is not one of ours.
    CursorBad = "cursor-bad",
    /// A sync frame cannot be read.
    FrameBad = "frame-bad",
    /// A condition did not hold at commit.
    ChangedMeanwhile = "changed-meanwhile",
    /// This is an area's edge: only the province's own server does this.
    AskTheProvince = "ask-the-province",
    /// The server has no province yet.
    NotFounded = "not-founded",
    /// The server has its province already.
    AlreadyFounded = "already-founded",
    /// A file to import cannot be read, or there is none of this name.
    FileBad = "file-bad",
    /// The server is starting.
    NotReady = "not-ready",
    /// The server is stopping.
    Draining = "draining",
    /// Larger than one commit takes.
    TooLarge = "too-large",
    /// No room to write.
    StoreFull = "store-full",
    /// The store cannot be read.
    StoreUnreadable = "store-unreadable",
    /// It is unknown whether the commit is durable.
    StoreUncertain = "store-uncertain",
    /// A fault of the server itself.
    Internal = "internal",
}

impl ProblemCode {
    /// The HTTP status.
    pub fn status(self) -> StatusCode {
        match self {
            Self::RequestMalformed | Self::CursorBad | Self::FrameBad | Self::PublicKeyBad => {
                StatusCode::BAD_REQUEST
            }
            Self::SignInRequired
            | Self::TokenExpired
            | Self::SignInFailed
            | Self::RefreshInvalid
            | Self::RefreshReplayed
            | Self::ChallengeInvalid
            | Self::DeviceKeyUnknown
            | Self::SignatureWrong => StatusCode::UNAUTHORIZED,
            Self::RightsMissing | Self::DeviceKeyEnded | Self::AskTheProvince => {
                StatusCode::FORBIDDEN
            }
            Self::RouteUnknown
            | Self::CodeUnknown
            | Self::PersonUnknown
            | Self::UnitUnknown
            | Self::TemplateUnknown
            | Self::GrantUnknown
            | Self::DutyUnknown
            | Self::ReportUnknown
            | Self::CellUnknown => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::CodeUsed
            | Self::PublicKeyTaken
            | Self::TemplateDiffers
            | Self::TemplateRetired
            | Self::AlreadyFounded
            | Self::ChangedMeanwhile => StatusCode::CONFLICT,
            Self::CodeExpired => StatusCode::GONE,
            Self::BodyTooLarge | Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::PasswordTooShort
            | Self::PasswordTooLong
            | Self::TemplateBad
            | Self::ImportBad
            | Self::FileBad
            | Self::DueBad
            | Self::CalendarYearUnknown
            | Self::HolidaysBad
            | Self::ReasonMissing
            | Self::PeriodBad => StatusCode::UNPROCESSABLE_ENTITY,
            Self::SignInTooOften => StatusCode::TOO_MANY_REQUESTS,
            Self::StoreUnreadable | Self::StoreUncertain | Self::Internal => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::SignInBusy | Self::NotFounded | Self::NotReady | Self::Draining => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::StoreFull => StatusCode::INSUFFICIENT_STORAGE,
        }
    }

    /// True if sending the same request again, later, can succeed.
    pub fn retry(self) -> bool {
        match self {
            Self::SignInTooOften
            | Self::SignInBusy
            | Self::ChangedMeanwhile
            | Self::NotFounded
            | Self::NotReady
            | Self::Draining
            | Self::StoreFull
            | Self::StoreUnreadable
            | Self::StoreUncertain
            | Self::Internal => true,
            Self::RequestMalformed
            | Self::RouteUnknown
            | Self::MethodNotAllowed
            | Self::BodyTooLarge
            | Self::SignInRequired
            | Self::TokenExpired
            | Self::SignInFailed
            | Self::RefreshInvalid
            | Self::RefreshReplayed
            | Self::ChallengeInvalid
            | Self::DeviceKeyUnknown
            | Self::DeviceKeyEnded
            | Self::SignatureWrong
            | Self::RightsMissing
            | Self::CodeUnknown
            | Self::CodeExpired
            | Self::CodeUsed
            | Self::PublicKeyBad
            | Self::PublicKeyTaken
            | Self::PasswordTooShort
            | Self::PasswordTooLong
            | Self::PersonUnknown
            | Self::UnitUnknown
            | Self::TemplateUnknown
            | Self::TemplateBad
            | Self::TemplateDiffers
            | Self::TemplateRetired
            | Self::ImportBad
            | Self::GrantUnknown
            | Self::ReportUnknown
            | Self::CellUnknown
            | Self::PeriodBad
            | Self::DueBad
            | Self::CalendarYearUnknown
            | Self::HolidaysBad
            | Self::DutyUnknown
            | Self::ReasonMissing
            | Self::CursorBad
            | Self::FrameBad
            | Self::AlreadyFounded
            | Self::AskTheProvince
            | Self::FileBad
            | Self::TooLarge => false,
        }
    }

    /// Whether anything happened.
    pub fn happened(self) -> Happened {
        match self {
            Self::RefreshReplayed => Happened::Yes,
            Self::StoreUncertain | Self::Internal => Happened::Unknown,
            Self::RequestMalformed
            | Self::RouteUnknown
            | Self::MethodNotAllowed
            | Self::BodyTooLarge
            | Self::SignInRequired
            | Self::TokenExpired
            | Self::SignInFailed
            | Self::SignInTooOften
            | Self::SignInBusy
            | Self::RefreshInvalid
            | Self::ChallengeInvalid
            | Self::DeviceKeyUnknown
            | Self::DeviceKeyEnded
            | Self::SignatureWrong
            | Self::RightsMissing
            | Self::CodeUnknown
            | Self::CodeExpired
            | Self::CodeUsed
            | Self::PublicKeyBad
            | Self::PublicKeyTaken
            | Self::PasswordTooShort
            | Self::PasswordTooLong
            | Self::PersonUnknown
            | Self::UnitUnknown
            | Self::TemplateUnknown
            | Self::TemplateBad
            | Self::TemplateDiffers
            | Self::TemplateRetired
            | Self::ImportBad
            | Self::GrantUnknown
            | Self::ReportUnknown
            | Self::CellUnknown
            | Self::PeriodBad
            | Self::DueBad
            | Self::CalendarYearUnknown
            | Self::HolidaysBad
            | Self::DutyUnknown
            | Self::ReasonMissing
            | Self::CursorBad
            | Self::FrameBad
            | Self::ChangedMeanwhile
            | Self::NotFounded
            | Self::AlreadyFounded
            | Self::AskTheProvince
            | Self::FileBad
            | Self::NotReady
            | Self::Draining
            | Self::TooLarge
            | Self::StoreFull
            | Self::StoreUnreadable => Happened::No,
        }
    }

    /// The id of its sentence in `messages`.
    pub fn message_id(self) -> String {
        format!("problem-{}", self.as_str())
    }
}

/// A refused request: the code and the values its sentence names.
#[derive(Debug, Clone)]
pub struct Problem {
    /// What went wrong.
    pub code: ProblemCode,
    /// Values of the sentence, sent as fields beside it.
    pub fields: BTreeMap<&'static str, String>,
}

impl Problem {
    /// A problem without values.
    pub fn new(code: ProblemCode) -> Self {
        Self {
            code,
            fields: BTreeMap::new(),
        }
    }

    /// The same with one more value.
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.fields.insert(name, value.to_string());
        self
    }

    /// A fault of the server itself: logged here with its cause, which the answer does not tell.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed by a fault of the server: {cause}");
        Self::new(ProblemCode::Internal)
    }

    /// A row of an import is wrong. Rows count from 1.
    pub(crate) fn row(row: usize, detail: impl ToString) -> Self {
        Self::new(ProblemCode::ImportBad)
            .with("row", row)
            .with("detail", detail)
    }

    /// The JSON body.
    pub fn body(&self) -> Value {
        let arguments: Vec<(&str, &str)> = self
            .fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let say = |language| messages::text(language, &self.code.message_id(), &arguments);
        let mut body = json!({
            "code": self.code.as_str(),
            "message_vi": say(Language::Vietnamese),
            "message_en": say(Language::English),
            "retry": self.code.retry(),
            "happened": self.code.happened(),
        });
        if let Value::Object(object) = &mut body {
            for (name, value) in &self.fields {
                // A value never stands in for what every problem says.
                object
                    .entry((*name).to_owned())
                    .or_insert_with(|| Value::String(value.clone()));
            }
        }
        body
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let body = self.body();
        let mut response = (status, Json(body)).into_response();
        response.extensions_mut().insert(self.code);
        response
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        tracing::error!(%error, "the store cannot be read: {error}");
        Self::new(ProblemCode::StoreUnreadable)
    }
}

impl From<CommitError> for Problem {
    fn from(error: CommitError) -> Self {
        let code = match &error {
            CommitError::Conflict { .. } => ProblemCode::ChangedMeanwhile,
            CommitError::TooLarge { .. } => ProblemCode::TooLarge,
            CommitError::Full { .. } => ProblemCode::StoreFull,
            CommitError::Fatal { .. } => ProblemCode::StoreUncertain,
            CommitError::NotDerived { .. } => ProblemCode::Internal,
        };
        if matches!(
            code,
            ProblemCode::StoreFull | ProblemCode::StoreUncertain | ProblemCode::Internal
        ) {
            tracing::error!(%error, "a commit failed: {error}");
        }
        Self::new(code)
    }
}

impl From<NoEntropy> for Problem {
    fn from(error: NoEntropy) -> Self {
        Self::internal(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_sentence_in_both_languages_and_no_sentence_is_left_over() {
        for language in Language::ALL {
            let mut wanted: Vec<String> = ProblemCode::ALL
                .iter()
                .map(|code| code.message_id())
                .collect();
            let mut said: Vec<String> = messages::ids(language)
                .into_iter()
                .filter(|id| id.starts_with("problem-"))
                .map(str::to_owned)
                .collect();
            wanted.sort();
            said.sort();
            assert_eq!(wanted, said, "{language}");
        }
    }

    #[test]
    fn the_body_tells_code_retry_happened_and_the_values() {
        let body = Problem::new(ProblemCode::SignInTooOften)
            .with("wait_seconds", 30)
            .body();
        assert_eq!(body["code"], "sign-in-too-often");
        assert_eq!(body["retry"], true);
        assert_eq!(body["happened"], "no");
        assert_eq!(body["wait_seconds"], "30");
        assert!(body["message_vi"].as_str().unwrap().contains("30 giây"));
        assert!(body["message_en"].as_str().unwrap().contains("30 seconds"));
    }
}
