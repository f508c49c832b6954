//! Catalogue records of an exchange: numbers and hashes follow from the record before, ids and words
//! that came before are named by their place. What is packed stands on nothing but the last record that
//! the reader holds.

use std::collections::BTreeMap;

use super::Trouble;
use super::coder::{Decoder, Encoder, Pipe};
use super::ids::Ids;
use super::model::{Bit, Number, Symbol};
use super::record_body::told;
use super::strings::{Strings, bytes};
use super::text::Text;
use crate::catalogue::{Record, SignedRecord};
use crate::identity::labelled_hash;
use crate::limits;

/// Bytes of the digest before the bits.
const DIGEST_BYTES: usize = 8;

/// The last record that a reader holds: its number and hash; zeros when there is none.
pub type Tip = (u64, [u8; 32]);

/// Packs records that follow each other for a reader who holds those before them. `None` when they are
/// too much for one packing.
pub fn pack_records(records: &[SignedRecord]) -> Option<Vec<u8>> {
    let first = records.first()?.unverified().ok()?;
    let tip = (first.number.checked_sub(1)?, first.previous);
    let mut exchange = Records::new(Encoder::new(), tip);
    exchange.all(Some(records)).ok()?;
    let mut pipe = exchange.pipe;
    let became = *pipe.budget();
    let bits = pipe.into_bytes();
    let mut bytes = digest(records).to_vec();
    bytes.extend(&bits);
    became.fits(bits.len()).then_some(bytes)
}

/// Rebuilds the records of a packing after the last one held. `None` when that cannot be done here.
/// Signatures are checked by whoever takes the records.
pub fn unpack_records(tip: Tip, bytes: &[u8]) -> Option<Vec<SignedRecord>> {
    if bytes.len() > limits::FRAME_BYTES_MAX {
        return None;
    }
    let (promised, bits) = bytes.split_first_chunk::<DIGEST_BYTES>()?;
    let mut exchange = Records::new(Decoder::new(bits), tip);
    let records = exchange.all(None).ok()?;
    exchange.pipe.end().ok()?;
    (digest(&records) == *promised).then_some(records)
}

/// Covers everything but the signatures.
fn digest(records: &[SignedRecord]) -> [u8; DIGEST_BYTES] {
    let hashes: Vec<[u8; 32]> = records.iter().map(SignedRecord::hash).collect();
    let [a, b, c, d, e, f, g, h, ..] = labelled_hash("packed records", &[hashes.as_flattened()]);
    [a, b, c, d, e, f, g, h]
}

/// The state of one packing, on either side.
pub(super) struct Records<P> {
    pub(super) pipe: P,
    tip: Tip,
    /// When the last record was written.
    at: i64,
    /// How the last record was told.
    last: u64,
    how: BTreeMap<u64, Symbol>,
    flags: BTreeMap<&'static str, Bit>,
    numbers: BTreeMap<&'static str, Number>,
    words: BTreeMap<&'static str, Strings>,
    pub(super) units: Ids,
    pub(super) people: Ids,
    content: Text,
}

impl<P: Pipe> Records<P> {
    fn new(pipe: P, tip: Tip) -> Self {
        Self {
            pipe,
            tip,
            at: 0,
            last: told::BYTES,
            how: BTreeMap::new(),
            flags: BTreeMap::new(),
            numbers: BTreeMap::new(),
            words: BTreeMap::new(),
            units: Ids::default(),
            people: Ids::default(),
            content: Text::default(),
        }
    }

    pub(super) fn flag(&mut self, what: &'static str, given: bool) -> Result<bool, Trouble> {
        let model = self.flags.entry(what).or_default();
        model.code(&mut self.pipe, given)
    }

    pub(super) fn number(&mut self, what: &'static str, given: u64) -> Result<u64, Trouble> {
        let model = self.numbers.entry(what).or_default();
        model.code(&mut self.pipe, given)
    }

    /// Carries the difference to an expected number.
    pub(super) fn differs(
        &mut self,
        what: &'static str,
        expected: u64,
        given: u64,
    ) -> Result<u64, Trouble> {
        let model = self.numbers.entry(what).or_default();
        let difference = model.signed(&mut self.pipe, given.wrapping_sub(expected) as i64)?;
        Ok(expected.wrapping_add(difference as u64))
    }

    /// Carries a word or a name; `max` as for the field it stands in.
    pub(super) fn word(
        &mut self,
        what: &'static str,
        max: usize,
        given: Option<&str>,
    ) -> Result<String, Trouble> {
        let model = self.words.entry(what).or_default();
        model.code(&mut self.pipe, (max, 0), given)
    }

    pub(super) fn name(
        &mut self,
        what: &'static str,
        given: Option<&str>,
    ) -> Result<String, Trouble> {
        self.word(what, limits::NAME_BYTES_MAX, given)
    }

    pub(super) fn bytes(
        &mut self,
        what: &'static str,
        given: Option<&[u8]>,
    ) -> Result<Vec<u8>, Trouble> {
        let length = self.numbers.entry(what).or_default();
        let carried = (length, &mut self.content);
        bytes(
            &mut self.pipe,
            carried,
            limits::CATALOGUE_RECORD_BYTES_MAX,
            given,
        )
    }

    /// Carries the records of the exchange, in order.
    fn all(&mut self, given: Option<&[SignedRecord]>) -> Result<Vec<SignedRecord>, Trouble> {
        let count = self.number("records", given.map_or(0, <[_]>::len) as u64)?;
        if count > limits::RECORDS_PER_MESSAGE_MAX as u64 {
            return Err(Trouble::Limit("records of a packing"));
        }
        (0..count as usize)
            .map(|at| self.record(given.and_then(|given| given.get(at))))
            .collect()
    }

    fn record(&mut self, given: Option<&SignedRecord>) -> Result<SignedRecord, Trouble> {
        let content = given.and_then(SignedRecord::canonical);
        let how = content
            .as_ref()
            .map_or(told::BYTES, |record| told::how(&record.body));
        let model = self.how.entry(self.last);
        let model = model.or_insert_with(|| Symbol::new(told::BITS));
        let how = model.code(&mut self.pipe, how)?;
        self.last = how;
        let number = self.tip.0.wrapping_add(1);
        let (number, bytes) = match how {
            told::BYTES => {
                let bytes = self.bytes("record", given.map(SignedRecord::record))?;
                (number, bytes)
            }
            _ => {
                let record = self.told(how, content.as_ref())?;
                (record.number, record.encode())
            }
        };
        self.pipe.budget().keep("records unpacked", bytes.len())?;
        let signature = self.pipe.array(given.map(SignedRecord::signature))?;
        let record = SignedRecord::of(bytes, signature);
        self.tip = (number, record.hash());
        Ok(record)
    }

    fn told(&mut self, how: u64, given: Option<&Record>) -> Result<Record, Trouble> {
        let (last, hash) = self.tip;
        let number = given.map_or(0, |record| record.number);
        let number = self.differs("number", last.wrapping_add(1), number)?;
        let follows = given.is_some_and(|record| record.previous == hash);
        let previous = match self.flag("follows", follows)? {
            true => hash,
            false => self.pipe.array(given.map(|record| &record.previous))?,
        };
        let at = given.map_or(0, |record| record.at as u64);
        let at = self.differs("at", self.at as u64, at)? as i64;
        self.at = at;
        let body = self.body(how, given.map(|record| &record.body))?;
        Ok(Record {
            number,
            previous,
            at,
            body,
        })
    }
}
