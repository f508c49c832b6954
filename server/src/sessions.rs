//! What people follow, remembered until the catalogue or the hour changes: working it out walks the
//! whole org tree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use sync_core::catalogue::Catalogue;
use sync_core::identity::{KeyId, PersonId};
use sync_core::log::Follow;
use sync_core::sync::node::Session;

use crate::limits;

/// The catalogue and the hour that remembered sessions hold for.
type Epoch = (u64, i64);

/// Remembered sessions.
#[derive(Debug, Default)]
pub struct Sessions {
    known: Mutex<(Epoch, BTreeMap<PersonId, Arc<Session>>)>,
    /// At an edge, what it is in the catalogue: nobody follows here what the edge does not.
    within: Option<KeyId>,
}

impl Sessions {
    /// Sessions at the edge with this key.
    pub fn within(edge: KeyId) -> Self {
        Self {
            within: Some(edge),
            ..Self::default()
        }
    }

    fn of(&self, catalogue: &Catalogue, person: PersonId, now: i64) -> Session {
        let mut session = Session::of(catalogue, person, now);
        if let Some(key) = self.within {
            let edge = catalogue.key(key).map(|key| key.person);
            let edge = edge.map(|edge| Session::of(catalogue, edge, now).follow);
            let edge = edge.unwrap_or(Follow::These(BTreeSet::new()));
            session.follow = session.follow.within(&edge);
        }
        session
    }

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
        let session = Arc::new(self.of(catalogue, person, now));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0 != epoch || known.1.len() >= limits::SESSIONS_REMEMBERED_MAX {
            *known = (epoch, BTreeMap::new());
        }
        known.1.insert(person, Arc::clone(&session));
        session
    }
}
