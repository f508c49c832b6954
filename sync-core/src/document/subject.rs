//! The subject of a document: what it is about, and so which document it is.

use crate::batch::Compartment;
use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::{DocumentId, UnitId, labelled_id};
use crate::limits;

/// What a document is about. Two people who start the same subject start the same document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// What kind of document.
    pub kind: SubjectKind,
    /// Template id: 1 to 64 of `a–z 0–9 -`.
    pub template: String,
    /// The unit that reports.
    pub unit: UnitId,
    /// The period in its canonical form, of which only length and letters are checked here; empty where the
    /// kind has none.
    pub period: String,
}

/// Kinds of document. The numbers are written in every subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SubjectKind {
    /// A report form filled for a period.
    Report,
    /// The rows that a unit adds to a form, for every period: [`crate::form::local`].
    LocalRows,
}

impl SubjectKind {
    /// The byte that stands for it.
    pub fn byte(self) -> u8 {
        match self {
            Self::Report => 1,
            Self::LocalRows => 2,
        }
    }

    /// The kind of a document by its period: reports have one, rows of a unit have none.
    pub(crate) fn of_period(period: &str) -> Self {
        match period {
            "" => Self::LocalRows,
            _ => Self::Report,
        }
    }

    /// Where documents of this kind stand among those of their unit.
    pub fn compartment(self) -> Compartment {
        match self {
            Self::Report => Compartment::Reports,
            Self::LocalRows => Compartment::Forms,
        }
    }
}

impl Subject {
    /// The canonical bytes of section 2 of `docs/formats.md`.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer
            .u8(self.kind.byte())
            .text(&self.template)
            .raw(&self.unit.0)
            .text(&self.period);
        writer.into_bytes()
    }

    /// Reads what [`Subject::encode`] writes, and nothing else.
    ///
    /// # Errors
    /// [`DecodeError`]; template id and period are checked by their letters.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > limits::SUBJECT_BYTES_MAX {
            return Err(DecodeError::Limit("subject"));
        }
        let mut from = Reader::new(bytes);
        let kind = match from.u8("subject kind")? {
            1 => SubjectKind::Report,
            2 => SubjectKind::LocalRows,
            _ => return Err(DecodeError::Undefined("subject kind")),
        };
        let template = from.text(limits::CODE_BYTES_MAX, "template id")?.to_owned();
        let unit = UnitId(from.array("unit")?);
        let period = from.text(limits::PERIOD_BYTES_MAX, "period")?.to_owned();
        from.end("subject")?;
        let subject = Self {
            kind,
            template,
            unit,
            period,
        };
        if !is_template_id(&subject.template) {
            return Err(DecodeError::Undefined("template id"));
        }
        if !subject.has_period_of_its_kind() {
            return Err(DecodeError::Undefined("period"));
        }
        Ok(subject)
    }

    /// The id of the document of this subject.
    pub fn document_id(&self) -> DocumentId {
        DocumentId(labelled_id("document", &[&self.encode()]))
    }

    /// The rows that a unit adds to a form: one document for all periods.
    pub fn local_rows(template: &str, unit: UnitId) -> Self {
        Self {
            kind: SubjectKind::LocalRows,
            template: template.to_owned(),
            unit,
            period: String::new(),
        }
    }

    fn has_period_of_its_kind(&self) -> bool {
        let letter = |byte: u8| byte.is_ascii_digit() || b"-.@HQM".contains(&byte);
        match self.kind {
            SubjectKind::Report => !self.period.is_empty() && self.period.bytes().all(letter),
            SubjectKind::LocalRows => self.period.is_empty(),
        }
    }
}

/// 1 to 64 of `a–z 0–9 -`.
pub fn is_template_id(id: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !id.is_empty() && id.len() <= limits::CODE_BYTES_MAX && id.bytes().all(letter)
}

/// A section id: 1 to 64 of `a–z 0–9 - .`.
pub fn is_section(name: &str) -> bool {
    let letter = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.'
    };
    !name.is_empty() && name.len() <= limits::CODE_BYTES_MAX && name.bytes().all(letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn subject() -> Subject {
        Subject {
            kind: SubjectKind::Report,
            template: "bao-cao-cchc-2022".to_owned(),
            unit: UnitId([1, 2, 3, 4, 5, 6, 7, 8]),
            period: "2022".to_owned(),
        }
    }

    proptest! {
        #[test]
        fn subjects_round_trip(
            template in "[a-z0-9-]{1,64}",
            unit: [u8; 8],
            period in "[0-9.@HQM-]{1,16}",
        ) {
            let subject = Subject { kind: SubjectKind::Report, template, unit: UnitId(unit), period };
            prop_assert_eq!(Subject::decode(&subject.encode()), Ok(subject));
        }

        #[test]
        fn what_decodes_encodes_the_same(mut at in 0usize..40, byte: u8) {
            let mut bytes = subject().encode();
            at %= bytes.len();
            bytes[at] = byte;
            if let Ok(subject) = Subject::decode(&bytes) {
                prop_assert_eq!(subject.encode(), bytes);
            }
        }
    }

    #[test]
    fn rows_of_a_unit_have_no_period_and_reports_have_one() {
        let local = Subject::local_rows("bao-cao-cchc-2022", UnitId([1; 8]));
        assert_eq!(Subject::decode(&local.encode()), Ok(local.clone()));
        let with_period = Subject {
            period: "2022".to_owned(),
            ..local.clone()
        };
        assert!(Subject::decode(&with_period.encode()).is_err());
        assert_eq!(local.kind.compartment(), Compartment::Forms);
        assert_eq!(subject().kind.compartment(), Compartment::Reports);
    }

    #[test]
    fn other_letters_and_left_over_bytes_are_refused() {
        let mut bytes = subject().encode();
        bytes.push(0);
        assert_eq!(
            Subject::decode(&bytes),
            Err(DecodeError::LeftOver("subject"))
        );
        for (template, period) in [
            ("A", "2022"),
            ("", "2022"),
            ("a", ""),
            ("a", "2022 "),
            ("a", "x"),
        ] {
            let subject = Subject {
                template: template.to_owned(),
                period: period.to_owned(),
                ..subject()
            };
            assert!(
                Subject::decode(&subject.encode()).is_err(),
                "{template:?} {period:?}"
            );
        }
    }
}
