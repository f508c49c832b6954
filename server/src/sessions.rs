//! What people follow, remembered until the catalogue or the hour changes: working it out walks the
//! whole org tree.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sync_core::catalogue::Catalogue;
use sync_core::identity::PersonId;
use sync_core::sync::node::Session;

use crate::limits;

/// The catalogue and the hour that remembered sessions hold for.
type Epoch = (u64, i64);

/// Remembered sessions.
#[derive(Debug, Default)]
pub struct Sessions {
    known: Mutex<(Epoch, BTreeMap<PersonId, Arc<Session>>)>,
}

impl Sessions {
    /// The session of a person by this catalogue.
    pub fn get(&self, catalogue: &Catalogue, person: PersonId, now: i64) -> Arc<Session> {
        // Leases end on a second; the hour is how late a lease's end may be noticed for reading.
        // Writing is judged to the second by the acceptor.
        let epoch = (catalogue.last_number(), now.div_euclid(3_600));
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.0 == epoch
                && let Some(session) = known.1.get(&person)
            {
                return Arc::clone(session);
            }
        }
        let session = Arc::new(Session::of(catalogue, person, now));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0 != epoch || known.1.len() >= limits::SESSIONS_REMEMBERED_MAX {
            *known = (epoch, BTreeMap::new());
        }
        known.1.insert(person, Arc::clone(&session));
        session
    }
}
