//! Catalogue records of a device: taken from a node, given back to a node that lost them.
//!
//! The catalogue has one writer. Two histories of it arise in one way only: the province's folder was
//! restored from a copy and the catalogue changed there before anybody gave the lost records back. A
//! device that meets the other history keeps its own, goes on exchanging reports, and tells the person.

use super::{Device, DeviceError};
use crate::catalogue::{ApplyError as CatalogueError, Catalogue, SignedRecord};
use crate::limits;
use crate::log::{Keyspace, KeyspaceError, Write, keys};
use crate::sync::message::Response;

use super::receive::{Notice, Received};

/// Offers of records in a row that a node may leave untaken: news that it sent by itself meanwhile
/// look the same as one that was not taken.
const OFFERS_UNTAKEN_MAX: u8 = 3;

/// Giving records back to a node that has fewer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct GivingBack {
    /// The number of the last record the node has, while it has fewer.
    after: Option<u64>,
    /// Requests in a row that carried records after that number.
    offers: u8,
}

impl GivingBack {
    /// What the next request carries, if anything.
    pub(super) fn offer(&mut self) -> Option<u64> {
        let after = self.after?;
        self.offers = self.offers.saturating_add(1);
        Some(after)
    }
}

impl Device {
    /// Puts catalogue records into an empty or older device: from enrolment or a file.
    pub fn take_records(&mut self, records: &[SignedRecord]) -> Result<Vec<Write>, DeviceError> {
        let mut writes = Vec::new();
        self.take_records_into(records, &mut writes)?;
        Ok(writes)
    }

    pub(super) fn take_records_into(
        &mut self,
        records: &[SignedRecord],
        to: &mut Vec<Write>,
    ) -> Result<(), DeviceError> {
        for record in records {
            let known = self.catalogue.last_number();
            if known == 0 {
                self.check_first(record)?;
            }
            match self.catalogue.apply(record) {
                Ok(()) => {}
                Err(CatalogueError::Number { found, .. }) if found <= known => continue,
                Err(error) => return Err(error.into()),
            }
            let key = keys::catalogue(self.catalogue.last_number());
            let value = Some(record.encode());
            self.take(vec![Write { key, value }], to);
        }
        Ok(())
    }

    /// The first record says which province this is; the others can no longer change it.
    fn check_first(&self, record: &SignedRecord) -> Result<(), DeviceError> {
        let mut first = Catalogue::new();
        first.apply(record)?;
        match first.province() {
            Some(province) if province.id == self.sealer.province => Ok(()),
            Some(_) | None => Err(DeviceError::OtherProvince),
        }
    }

    /// Takes the records of an answer, and sees whether the node lacks some.
    pub(super) fn receive_records(
        &mut self,
        response: &Response,
        received: &mut Received,
    ) -> Result<(), DeviceError> {
        match self.take_records_into(&response.records, &mut received.writes) {
            Ok(()) => self.set_forked(false),
            Err(DeviceError::Catalogue(CatalogueError::Fork(number))) => {
                self.set_forked(true);
                received.notices.push(Notice::CatalogueForked { number });
                self.giving_back = GivingBack::default();
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        let (theirs, held) = (response.catalogue_last, self.catalogue.last_number());
        if theirs >= held {
            self.giving_back = GivingBack::default();
            received.again |= theirs > held;
            return Ok(());
        }
        if self.giving_back.after != Some(theirs) {
            self.giving_back = GivingBack {
                after: Some(theirs),
                offers: 0,
            };
        }
        if self.giving_back.offers < OFFERS_UNTAKEN_MAX {
            received.again = true;
        } else {
            let number = theirs + 1;
            received.notices.push(Notice::CatalogueForked { number });
            self.giving_back = GivingBack::default();
        }
        Ok(())
    }

    /// The records held here after a number, as many as fit one message.
    pub fn records_after(&self, after: u64) -> Result<Vec<SignedRecord>, DeviceError> {
        let from = keys::catalogue(after.saturating_add(1));
        let to = keys::after(keys::CATALOGUE);
        let found = self
            .keyspace
            .scan(&from, &to, limits::RECORDS_PER_MESSAGE_MAX)?;
        let mut bytes = 0;
        let mut records = Vec::new();
        for (_, value) in found {
            bytes += value.len();
            if bytes > limits::RESPONSE_RECORD_BYTES_MAX && !records.is_empty() {
                break;
            }
            let record = SignedRecord::decode(&value);
            records.push(record.map_err(|_| KeyspaceError::Damaged("catalogue record"))?);
        }
        Ok(records)
    }
}
