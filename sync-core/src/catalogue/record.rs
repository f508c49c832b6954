//! One catalogue record: its bytes, its hash, its signature.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use super::duties::{Duty, DutyException, Holidays};
use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::{DutyId, GrantId, InstallationId, KeyId, PersonId, UnitId, labelled_hash};
use crate::limits;

const SCHEMA: u8 = 1;

/// Why a signed record is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes are not a record.
    #[error("catalogue record: {0}")]
    Decode(#[from] DecodeError),
    /// The signature is not the catalogue key's.
    #[error("the signature of the catalogue record is not the province's")]
    Signature,
    /// The first record must carry the province and its key.
    #[error("the first catalogue record names no province")]
    NotTheFirst,
    /// A key in the record is no Ed25519 point.
    #[error("a key in the catalogue record is not an Ed25519 key")]
    Key,
}

/// What a person may do; see `access`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Fills forms of the unit.
    Officer,
    /// Signs what the unit sends.
    Head,
    /// Checks, accepts and returns what the units below send.
    Aggregator,
    /// Owns rows or tasks across units.
    DepartmentOwner,
    /// Reviews at the province.
    ProvincialReviewer,
    /// Approves for the province.
    Approver,
    /// Keeps units, people, devices, templates.
    Administrator,
    /// Reads everything.
    Auditor,
}

impl Role {
    /// Every role, in the order of the numbers in the format.
    pub const ALL: [Self; 8] = [
        Self::Officer,
        Self::Head,
        Self::Aggregator,
        Self::DepartmentOwner,
        Self::ProvincialReviewer,
        Self::Approver,
        Self::Administrator,
        Self::Auditor,
    ];
    /// The number in the format.
    pub fn tag(self) -> u8 {
        match self {
            Self::Officer => 1,
            Self::Head => 2,
            Self::Aggregator => 3,
            Self::DepartmentOwner => 4,
            Self::ProvincialReviewer => 5,
            Self::Approver => 6,
            Self::Administrator => 7,
            Self::Auditor => 8,
        }
    }
    /// The role of a number.
    pub fn from_tag(tag: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.tag() == tag)
    }
}

/// The attributes of an org unit from a day on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRecord {
    /// The unit.
    pub unit: UnitId,
    /// First day it holds, yyyy-mm-dd.
    pub valid_from: String,
    /// Last day it holds, or none.
    pub valid_to: Option<String>,
    /// Official code.
    pub code: String,
    /// Name as published.
    pub name: String,
    /// The unit above, or none for the top.
    pub parent: Option<UnitId>,
    /// Kind: `province`, `area`, `commune`, `department`, …
    pub kind: String,
    /// Further groupings: (grouping, group).
    pub groups: Vec<(String, String)>,
}

impl UnitRecord {
    /// True if the attributes hold on a day (yyyy-mm-dd).
    pub fn holds_on(&self, day: &str) -> bool {
        self.valid_from.as_str() <= day && self.valid_to.as_deref().is_none_or(|last| day <= last)
    }
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The person.
    pub person: PersonId,
    /// The name they sign in with.
    pub sign_in_name: String,
    /// The name others see.
    pub display_name: String,
}

/// A right of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The grant.
    pub grant: GrantId,
    /// Whose.
    pub person: PersonId,
    /// What they may do.
    pub role: Role,
    /// Where; none is the whole province.
    pub unit: Option<UnitId>,
    /// Also in every unit below.
    pub subtree: bool,
    /// End of the lease, seconds since 1970; 0: none.
    pub until: i64,
}

/// A node that serves a unit and those below it, beside the province's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRecord {
    /// Ed25519 public key: signs its receipts, and opens its sessions with the node above.
    pub public_key: [u8; 32],
    /// The unit it serves, with its subtree.
    pub unit: UnitId,
    /// What the node is called.
    pub label: String,
    /// Where tablets reach it: an address that begins with `https://` or `http://`.
    pub address: String,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// The province and the key that signs everything after.
    Province {
        /// Its name.
        name: String,
        /// The catalogue key.
        key: VerifyingKey,
    },
    /// Attributes of a unit.
    Unit(UnitRecord),
    /// A template version.
    Template {
        /// Template id.
        id: String,
        /// Version, from 1.
        version: u32,
        /// JSON of the template schema.
        content: Vec<u8>,
    },
    /// A person, new or renamed.
    Person(Person),
    /// A right given.
    Grant(Grant),
    /// A right ended.
    GrantEnded(GrantId),
    /// A device key.
    DeviceKey {
        /// Ed25519 public key.
        public_key: [u8; 32],
        /// Whose.
        person: PersonId,
        /// For which unit it was enrolled.
        unit: UnitId,
        /// What the device is called.
        label: String,
    },
    /// A device key ended, with the frontier of work it accepts.
    DeviceKeyEnded {
        /// The key.
        key: KeyId,
        /// Last batch number accepted per installation.
        accepted: Vec<(InstallationId, u64)>,
    },
    /// A reporting duty.
    Duty(Duty),
    /// A node whose receipts count.
    NodeKey {
        /// Ed25519 public key.
        public_key: [u8; 32],
        /// What the node is called.
        label: String,
    },
    /// This province is a rehearsal.
    Rehearsal {
        /// What every page says.
        label: String,
    },
    /// A node whose receipts count, and which serves a unit.
    Node(NodeRecord),
    /// Nobody owes this report any more.
    DutyEnded(DutyId),
    /// What one unit owes otherwise.
    DutyException(DutyException),
    /// Days on which offices are closed or open otherwise than this node's program knows.
    Holidays(Holidays),
    /// No new report is begun by a template any more, for a reason; without a reason it is in use again.
    TemplateRetired {
        /// Template id.
        id: String,
        /// Why, in words; empty when it is in use again.
        reason: String,
    },
}

/// A record before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its number, from 1.
    pub number: u64,
    /// Hash of the record before; zeros for the first.
    pub previous: [u8; 32],
    /// When it was written, seconds since 1970, by the province's clock.
    pub at: i64,
    /// What it says.
    pub body: Body,
}

/// A record with its signature, as it is kept and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRecord {
    record: Vec<u8>,
    signature: [u8; 64],
}

impl SignedRecord {
    /// Signs a record with the catalogue key.
    pub fn sign(record: &Record, key: &SigningKey) -> Self {
        let bytes = record.encode();
        let signature = key
            .sign(&labelled_hash("catalogue signature", &[&bytes]))
            .to_bytes();
        Self {
            record: bytes,
            signature,
        }
    }
    /// Bytes to keep or send.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.bytes(&self.record).raw(&self.signature);
        writer.into_bytes()
    }
    /// Reads bytes; verifies nothing yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut reader = Reader::new(bytes);
        let record = reader
            .bytes(limits::CATALOGUE_RECORD_BYTES_MAX, "record")?
            .to_vec();
        let signature = reader.array("signature")?;
        reader.end("signed record")?;
        Ok(Self { record, signature })
    }
    /// The hash that the next record names.
    pub fn hash(&self) -> [u8; 32] {
        labelled_hash("catalogue record", &[&self.record])
    }
    /// The record, if the signature is this key's.
    pub fn verify(&self, key: &VerifyingKey) -> Result<Record, RecordError> {
        key.verify_strict(
            &labelled_hash("catalogue signature", &[&self.record]),
            &Signature::from_bytes(&self.signature),
        )
        .map_err(|_| RecordError::Signature)?;
        Record::decode(&self.record)
    }
    /// The record, whoever signed it.
    pub(crate) fn unverified(&self) -> Result<Record, RecordError> {
        Record::decode(&self.record)
    }
    /// The record, whoever signed it, if its bytes are those it would be written with.
    pub(crate) fn canonical(&self) -> Option<Record> {
        let record = self.unverified().ok()?;
        (record.encode() == self.record).then_some(record)
    }
    /// The bytes that are signed.
    pub(crate) fn record(&self) -> &[u8] {
        &self.record
    }
    /// The signature.
    pub(crate) fn signature(&self) -> &[u8; 64] {
        &self.signature
    }
    /// A record from its bytes and signature; verifies nothing yet.
    pub(crate) fn of(record: Vec<u8>, signature: [u8; 64]) -> Self {
        Self { record, signature }
    }
    /// The number it says, whoever signed it; none if it cannot be read.
    pub fn number(&self) -> Option<u64> {
        self.unverified().ok().map(|record| record.number)
    }
    /// The first record, verified with the key it carries itself.
    pub fn verify_first(&self) -> Result<Record, RecordError> {
        match Record::decode(&self.record)?.body {
            Body::Province { key, .. } => self.verify(&key),
            Body::Unit(_)
            | Body::Template { .. }
            | Body::Person(_)
            | Body::Grant(_)
            | Body::GrantEnded(_)
            | Body::DeviceKey { .. }
            | Body::DeviceKeyEnded { .. }
            | Body::Duty(_)
            | Body::NodeKey { .. }
            | Body::Node(_)
            | Body::DutyEnded(_)
            | Body::DutyException(_)
            | Body::Holidays(_)
            | Body::Rehearsal { .. }
            | Body::TemplateRetired { .. } => Err(RecordError::NotTheFirst),
        }
    }
}

impl Record {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut body = Writer::new();
        let kind = self.body.write(&mut body);
        let mut writer = Writer::new();
        writer
            .u8(SCHEMA)
            .var(self.number)
            .raw(&self.previous)
            .svar(self.at);
        writer.u8(kind).bytes(body.as_slice());
        writer.into_bytes()
    }

    fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut reader = Reader::new(bytes);
        if reader.u8("schema")? != SCHEMA {
            return Err(DecodeError::Undefined("schema of the record").into());
        }
        let number = reader.var("number")?;
        let previous = reader.array("previous hash")?;
        let at = reader.svar("time")?;
        let kind = reader.u8("kind")?;
        let body = reader.bytes(limits::CATALOGUE_RECORD_BYTES_MAX, "body")?;
        reader.end("record")?;
        let mut reader = Reader::new(body);
        let body = Body::read(kind, &mut reader)?;
        reader.end("body of the record")?;
        Ok(Self {
            number,
            previous,
            at,
            body,
        })
    }
}

/// How none is written where a unit may stand.
pub(super) const NO_UNIT: UnitId = UnitId([0; 8]);

impl Body {
    fn write(&self, to: &mut Writer) -> u8 {
        match self {
            Self::Province { name, key } => {
                to.text(name).raw(key.as_bytes());
                1
            }
            Self::Unit(unit) => {
                unit.write(to);
                2
            }
            Self::Template {
                id,
                version,
                content,
            } => {
                to.text(id).var(u64::from(*version)).bytes(content);
                3
            }
            Self::Person(person) => {
                to.raw(&person.person.0)
                    .text(&person.sign_in_name)
                    .text(&person.display_name);
                4
            }
            Self::Grant(grant) => {
                to.raw(&grant.grant.0)
                    .raw(&grant.person.0)
                    .u8(grant.role.tag());
                to.raw(&grant.unit.unwrap_or(NO_UNIT).0)
                    .u8(grant.subtree.into())
                    .svar(grant.until);
                5
            }
            Self::GrantEnded(grant) => {
                to.raw(&grant.0);
                6
            }
            Self::DeviceKey {
                public_key,
                person,
                unit,
                label,
            } => {
                to.raw(public_key).raw(&person.0).raw(&unit.0).text(label);
                7
            }
            Self::DeviceKeyEnded { key, accepted } => {
                to.raw(&key.0).var(accepted.len() as u64);
                for (installation, number) in accepted {
                    to.raw(&installation.0).var(*number);
                }
                8
            }
            Self::Duty(duty) => duty.write(to),
            Self::NodeKey { public_key, label } => {
                to.raw(public_key).text(label);
                10
            }
            Self::Rehearsal { label } => {
                to.text(label);
                11
            }
            Self::Node(node) => {
                to.raw(&node.public_key).raw(&node.unit.0);
                to.text(&node.label).text(&node.address);
                12
            }
            Self::DutyEnded(duty) => {
                to.raw(&duty.0);
                17
            }
            Self::DutyException(exception) => {
                exception.write(to);
                18
            }
            Self::Holidays(holidays) => {
                holidays.write(to);
                19
            }
            Self::TemplateRetired { id, reason } => {
                to.text(id).text(reason);
                13
            }
        }
    }

    fn read(kind: u8, from: &mut Reader<'_>) -> Result<Self, RecordError> {
        Ok(match kind {
            1 => {
                let name = from.name("province name")?.to_owned();
                let key = VerifyingKey::from_bytes(&from.array("catalogue key")?)
                    .map_err(|_| RecordError::Key)?;
                Self::Province { name, key }
            }
            2 => Self::Unit(UnitRecord::read(from)?),
            3 => Self::Template {
                id: from.text(limits::CODE_BYTES_MAX, "template id")?.to_owned(),
                version: u32::try_from(from.var("version")?)
                    .map_err(|_| DecodeError::Limit("version"))?,
                content: from
                    .bytes(limits::CATALOGUE_RECORD_BYTES_MAX, "template content")?
                    .to_vec(),
            },
            4 => Self::Person(Person {
                person: PersonId(from.array("person")?),
                sign_in_name: from.name("sign-in name")?.to_owned(),
                display_name: from.name("display name")?.to_owned(),
            }),
            5 => Self::Grant(read_grant(from)?),
            6 => Self::GrantEnded(GrantId(from.array("grant")?)),
            7 => Self::DeviceKey {
                public_key: from.array("public key")?,
                person: PersonId(from.array("person")?),
                unit: UnitId(from.array("unit")?),
                label: from.name("label")?.to_owned(),
            },
            8 => {
                let key = KeyId(from.array("key")?);
                let count = from.count(limits::INSTALLATIONS_PER_KEY_MAX, "installations")?;
                let accepted = (0..count)
                    .map(|_| {
                        Ok((
                            InstallationId(from.array("installation")?),
                            from.var("number")?,
                        ))
                    })
                    .collect::<Result<_, DecodeError>>()?;
                Self::DeviceKeyEnded { key, accepted }
            }
            9 => Self::Duty(Duty::read_plain(from)?),
            10 => Self::NodeKey {
                public_key: from.array("public key")?,
                label: from.name("label")?.to_owned(),
            },
            11 => Self::Rehearsal {
                label: from.name("label")?.to_owned(),
            },
            12 => Self::Node(NodeRecord {
                public_key: from.array("public key")?,
                unit: UnitId(from.array("unit")?),
                label: from.name("label")?.to_owned(),
                address: from.name("address")?.to_owned(),
            }),
            16 => Self::Duty(Duty::read_narrower(from)?),
            17 => Self::DutyEnded(DutyId(from.array("duty")?)),
            18 => Self::DutyException(DutyException::read(from)?),
            19 => Self::Holidays(Holidays::read(from)?),
            13 => Self::TemplateRetired {
                id: from.text(limits::CODE_BYTES_MAX, "template id")?.to_owned(),
                reason: from.name("reason")?.to_owned(),
            },
            _ => return Err(DecodeError::Undefined("kind of the record").into()),
        })
    }
}

fn read_grant(from: &mut Reader<'_>) -> Result<Grant, DecodeError> {
    let grant = GrantId(from.array("grant")?);
    let person = PersonId(from.array("person")?);
    let role = Role::from_tag(from.u8("role")?).ok_or(DecodeError::Undefined("role"))?;
    let unit = UnitId(from.array("unit")?);
    let subtree = match from.u8("subtree")? {
        0 => false,
        1 => true,
        _ => return Err(DecodeError::Undefined("subtree")),
    };
    let until = from.svar("lease end")?;
    let unit = (unit != NO_UNIT).then_some(unit);
    Ok(Grant {
        grant,
        person,
        role,
        unit,
        subtree,
        until,
    })
}

impl UnitRecord {
    fn write(&self, to: &mut Writer) {
        to.raw(&self.unit.0)
            .text(&self.valid_from)
            .text(self.valid_to.as_deref().unwrap_or(""));
        to.text(&self.code)
            .text(&self.name)
            .raw(&self.parent.unwrap_or(NO_UNIT).0);
        to.text(&self.kind).var(self.groups.len() as u64);
        for (grouping, group) in &self.groups {
            to.text(grouping).text(group);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let unit = UnitId(from.array("unit")?);
        let valid_from = from.name("valid from")?.to_owned();
        let valid_to = Some(from.name("valid to")?.to_owned()).filter(|day| !day.is_empty());
        let code = from.name("code")?.to_owned();
        let name = from.name("name")?.to_owned();
        let parent = Some(UnitId(from.array("parent")?)).filter(|parent| *parent != NO_UNIT);
        let kind = from.name("kind")?.to_owned();
        let count = from.count(limits::GROUPINGS_PER_UNIT_MAX, "groupings")?;
        let groups = (0..count)
            .map(|_| {
                Ok((
                    from.name("grouping")?.to_owned(),
                    from.name("group")?.to_owned(),
                ))
            })
            .collect::<Result<_, DecodeError>>()?;
        Ok(Self {
            unit,
            valid_from,
            valid_to,
            code,
            name,
            parent,
            kind,
            groups,
        })
    }
}
