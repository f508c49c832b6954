//! The next request of a device.

use super::repair::Mode;
use super::{Device, DeviceError, OutboxState};
use crate::batch::SignedPart;
use crate::limits;
use crate::log::KeyspaceError;
use crate::log::staging::PartPlace;
use crate::sync::message::{Known, Request};
use crate::sync::proof::{self, Proof};

impl Device {
    /// The next request: what waits, as far as it fits, and where the device stands.
    pub fn request(&mut self) -> Result<Request, DeviceError> {
        let mode = self.peer.as_ref().map(|peer| peer.mode);
        let (repair, through) = self.ask()?.unzip();
        let parts = match (mode, through.flatten()) {
            (None | Some(Mode::Following | Mode::Arriving), _)
            | (Some(Mode::Repairing(_)), Some(_)) => self.waiting_parts()?,
            (Some(Mode::Reading), _) | (Some(Mode::Repairing(_)), None) => Vec::new(),
        };
        let asks_for_entries = match (mode, through.flatten()) {
            (None, _) => !self.holds_shared_parts()?,
            (Some(Mode::Repairing(_)), None) => false,
            (Some(_), _) => true,
        };
        self.in_flight = parts.iter().map(SignedPart::id).collect();
        let own = self.log().chain(self.sealer.actor())?.number;
        let records = match self.giving_back.offer() {
            Some(after) => self.records_after(after)?,
            None => Vec::new(),
        };
        Ok(Request {
            province: self.sealer.province,
            actor: self.sealer.actor(),
            own_number: if mode == Some(Mode::Reading) { 0 } else { own },
            catalogue_number: self.catalogue.last_number(),
            known: self.peer.as_ref().map(|peer| Known {
                node: peer.node,
                follow: peer.follow.digest(),
                position: through.flatten().unwrap_or(peer.position),
            }),
            bytes_max: match asks_for_entries {
                true => self.bytes_wanted(),
                false => 0,
            },
            records,
            parts,
            repair,
        })
    }

    /// How many bytes of entries the next answer may carry, on whose word, and how many years back.
    fn bytes_wanted(&self) -> u64 {
        let bytes = self.proof().with(limits::RESPONSE_ENTRY_BYTES_MAX as u64);
        let is_first = match self.peer.as_ref().map(|peer| peer.mode) {
            None | Some(Mode::Arriving) => true,
            Some(Mode::Following | Mode::Reading | Mode::Repairing(_)) => false,
        };
        match self.years_wanted().filter(|_| is_first) {
            Some(years) => proof::with_years(bytes, Some(years)),
            None => bytes,
        }
    }

    /// Whose word the next answer's parts are taken on.
    fn proof(&self) -> Proof {
        let mode = self.peer.as_ref().map(|peer| peer.mode);
        match mode {
            _ if self.manner.wants_signatures() => Proof::Either,
            _ if self.older_asked().is_some() => Proof::Node,
            // Without a node met, parts are asked for by a device that has none from elsewhere.
            None | Some(Mode::Arriving) => Proof::Node,
            Some(Mode::Following | Mode::Reading | Mode::Repairing(_)) => Proof::Either,
        }
    }

    /// True if the node met last may be sent parts on the province's word.
    fn node_takes_vouched(&self) -> bool {
        let node = self.peer.as_ref().map(|peer| peer.node);
        node.is_some() && self.manner.takes_vouched() == node
    }

    /// True if parts wait that go only to a node that takes the province's word.
    pub(super) fn vouched_wait(&self) -> Result<bool, DeviceError> {
        for (part, state) in &self.outbox {
            if *state == OutboxState::Waiting && self.log().is_vouched(*part)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Waiting parts, up to one request's bytes: first those that were set aside before any node had them,
    /// since the numbers of a chain go through them, then those of the log, each in order.
    fn waiting_parts(&self) -> Result<Vec<SignedPart>, DeviceError> {
        let reader = self.log();
        let takes_vouched = self.node_takes_vouched();
        let (mut aside, mut positions) = (Vec::new(), Vec::new());
        for (part, _) in self
            .outbox
            .iter()
            .filter(|(_, state)| **state == OutboxState::Waiting)
        {
            match reader.part(*part)? {
                Some(PartPlace::Accepted(position)) => positions.push(position),
                Some(PartPlace::Held(number)) => aside.push(number),
                None => {}
            }
        }
        positions.sort_unstable();
        aside.sort_unstable();
        let aside = aside.into_iter().map(|number| -> Result<_, KeyspaceError> {
            let held = reader.held(number)?;
            let held = held.ok_or(KeyspaceError::Damaged("held entry"))?;
            Ok(held.part)
        });
        let positions = positions
            .into_iter()
            .map(|position| -> Result<_, KeyspaceError> {
                let entry = reader.entry(position)?;
                let entry = entry.ok_or(KeyspaceError::Damaged("log entry"))?;
                Ok(entry.part)
            });
        let mut parts = Vec::new();
        let mut bytes = 0;
        for part in aside.chain(positions) {
            let part = part?;
            if part.attestation().is_some() && !takes_vouched {
                // An older node could not read the request, and nothing else of it would arrive.
                continue;
            }
            bytes += part.encode().len();
            let full = bytes > limits::REQUEST_PART_BYTES_MAX
                || parts.len() >= limits::PARTS_PER_MESSAGE_MAX;
            if full && !parts.is_empty() {
                break;
            }
            parts.push(part);
        }
        Ok(parts)
    }
}
