//! A part of a batch: what it says about the documents of one partition.

use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::{ChangeHash, DocumentId, UnitId, labelled_hash};
use crate::limits;

/// What kind of documents a partition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compartment {
    /// Reports and survey responses.
    Reports,
    /// Assignments.
    Tasks,
    /// Personal data.
    Personal,
    /// Rows that a unit adds to forms: read by every unit at or below it.
    Forms,
}

impl Compartment {
    /// The number in the format.
    pub fn tag(self) -> u8 {
        match self {
            Self::Reports => 1,
            Self::Tasks => 2,
            Self::Personal => 3,
            Self::Forms => 4,
        }
    }
    /// The compartment of a number.
    pub fn from_tag(tag: u8) -> Result<Self, DecodeError> {
        match tag {
            1 => Ok(Self::Reports),
            2 => Ok(Self::Tasks),
            3 => Ok(Self::Personal),
            4 => Ok(Self::Forms),
            _ => Err(DecodeError::Undefined("compartment")),
        }
    }
}

/// The documents of one org unit in one compartment: the unit of permission and of replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    /// The unit.
    pub unit: UnitId,
    /// The compartment.
    pub compartment: Compartment,
}

impl Partition {
    /// Nine bytes that sort by unit, then compartment.
    pub fn write(&self, to: &mut Writer) {
        to.raw(&self.unit.0).u8(self.compartment.tag());
    }
    /// Reads the nine bytes.
    pub fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let unit = UnitId(from.array("unit")?);
        let compartment = Compartment::from_tag(from.u8("compartment")?)?;
        Ok(Self { unit, compartment })
    }
}

/// One statement of a part about a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// What the document is about, as subject bytes.
    Subject {
        /// The document; must be the hash of the subject.
        document: DocumentId,
        /// Encoded subject.
        subject: Vec<u8>,
    },
    /// The document has the text of this name.
    Extension {
        /// The document.
        document: DocumentId,
        /// Name of the text.
        name: String,
    },
    /// A change; its bytes travel beside the part.
    Change {
        /// The document.
        document: DocumentId,
        /// Hash of the change.
        hash: ChangeHash,
    },
}

impl Entry {
    /// The document it is about.
    pub fn document(&self) -> DocumentId {
        match self {
            Self::Subject { document, .. }
            | Self::Extension { document, .. }
            | Self::Change { document, .. } => *document,
        }
    }
}

/// A part of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Whose documents.
    pub partition: Partition,
    /// Its number for this chain in this partition, from 1.
    pub number: u64,
    /// Hash of the part before it there; zeros for the first.
    pub previous: [u8; 32],
    /// What it says.
    pub entries: Vec<Entry>,
}

impl Part {
    /// The bytes whose hash the Merkle root covers.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.u8(0);
        self.partition.write(&mut writer);
        writer
            .var(self.number)
            .raw(&self.previous)
            .var(self.entries.len() as u64);
        for entry in &self.entries {
            writer.raw(&entry.document().0);
            match entry {
                Entry::Subject { subject, .. } => writer.u8(1).bytes(subject),
                Entry::Extension { name, .. } => writer.u8(2).text(name),
                Entry::Change { hash, .. } => writer.u8(3).raw(&hash.0),
            };
        }
        writer.into_bytes()
    }

    /// Reads the bytes, strictly.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        if reader.u8("flags of the part")? != 0 {
            return Err(DecodeError::Undefined("flags of the part"));
        }
        let partition = Partition::read(&mut reader)?;
        let number = reader.var("part number")?;
        let previous: [u8; 32] = reader.array("previous part")?;
        if number == 0 || (number == 1) != (previous == [0; 32]) {
            return Err(DecodeError::Undefined("number of the part"));
        }
        let count = reader.count(limits::ENTRIES_PER_PART_MAX, "entries")?;
        if count == 0 {
            return Err(DecodeError::Undefined("count of entries"));
        }
        let entries = (0..count)
            .map(|_| read_entry(&mut reader))
            .collect::<Result<_, _>>()?;
        reader.end("part")?;
        Ok(Self {
            partition,
            number,
            previous,
            entries,
        })
    }
}

fn read_entry(reader: &mut Reader<'_>) -> Result<Entry, DecodeError> {
    let document = DocumentId(reader.array("document")?);
    Ok(match reader.u8("kind of entry")? {
        1 => Entry::Subject {
            document,
            subject: reader.bytes(limits::SUBJECT_BYTES_MAX, "subject")?.to_vec(),
        },
        2 => Entry::Extension {
            document,
            name: reader.text(limits::CODE_BYTES_MAX, "extension")?.to_owned(),
        },
        3 => Entry::Change {
            document,
            hash: ChangeHash(reader.array("change hash")?),
        },
        _ => return Err(DecodeError::Undefined("kind of entry")),
    })
}

/// The hash of part bytes.
pub fn part_hash(part: &[u8]) -> [u8; 32] {
    labelled_hash("part", &[part])
}
