//! Who listens to what: a change wakes those who follow where it was made, and nobody else.
//!
//! A live connection registers what its person follows and sleeps. After each commit the acceptor names
//! the partitions it wrote in; only listeners of those are told, and how far the log reached then. With
//! thousands of connections each following a unit, a change costs what its few listeners cost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sync_core::batch::Partition;
use sync_core::log::Follow;
use sync_core::sync::node::Session;
use tokio::sync::watch;

type Told = Arc<watch::Sender<u64>>;

#[derive(Debug, Default)]
struct Table {
    last: u64,
    /// Those who follow everything.
    all: BTreeMap<u64, Told>,
    some: BTreeMap<Partition, BTreeMap<u64, Told>>,
}

/// Everybody who listens.
#[derive(Debug, Default)]
pub struct Listeners(Mutex<Table>);

impl Listeners {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to listen for what a session follows: what is committed from now on is told. Whoever reads
    /// how far the log reaches does so afterwards, or a commit between the two is missed.
    pub(crate) fn listen(self: &Arc<Self>, session: Arc<Session>) -> Listening {
        let (told, changed) = watch::channel(0);
        let mut table = self.table();
        table.last += 1;
        let id = table.last;
        let told = Arc::new(told);
        table.add(id, &session.follow, &told);
        drop(table);
        Listening {
            listeners: Arc::clone(self),
            id,
            session,
            told,
            changed,
        }
    }

    /// Tells those who follow one of these partitions that the log reaches so far.
    pub(crate) fn wake(&self, partitions: &BTreeSet<Partition>, end: u64) {
        let table = self.table();
        let some = partitions
            .iter()
            .filter_map(|partition| table.some.get(partition))
            .flat_map(BTreeMap::values);
        for told in table.all.values().chain(some) {
            told.send_if_modified(|known| {
                let grown = *known < end;
                *known = end.max(*known);
                grown
            });
        }
    }
}

impl Table {
    fn add(&mut self, id: u64, follow: &Follow, told: &Told) {
        match follow {
            Follow::All => {
                self.all.insert(id, Arc::clone(told));
            }
            Follow::These(partitions) => {
                for partition in partitions {
                    let listeners = self.some.entry(*partition).or_default();
                    listeners.insert(id, Arc::clone(told));
                }
            }
        }
    }

    fn remove(&mut self, id: u64, follow: &Follow) {
        match follow {
            Follow::All => {
                self.all.remove(&id);
            }
            Follow::These(partitions) => {
                for partition in partitions {
                    let Some(listeners) = self.some.get_mut(partition) else {
                        continue;
                    };
                    listeners.remove(&id);
                    if listeners.is_empty() {
                        self.some.remove(partition);
                    }
                }
            }
        }
    }
}

/// One who listens, until dropped.
#[derive(Debug)]
pub(crate) struct Listening {
    listeners: Arc<Listeners>,
    id: u64,
    session: Arc<Session>,
    told: Told,
    changed: watch::Receiver<u64>,
}

impl Listening {
    /// Waits for a change in what is followed and gives how far the log reaches. Nothing is lost when
    /// the wait is given up.
    pub(crate) async fn changed(&mut self) -> u64 {
        // The sender is kept beside the receiver and cannot be gone.
        let _ = self.changed.changed().await;
        *self.changed.borrow_and_update()
    }

    /// Listens for what this session follows from now on, if that is something else.
    pub(crate) fn follow(&mut self, session: &Arc<Session>) {
        if self.session.follow != session.follow {
            let mut table = self.listeners.table();
            table.remove(self.id, &self.session.follow);
            table.add(self.id, &session.follow, &self.told);
        }
        self.session = Arc::clone(session);
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut table = self.listeners.table();
        table.remove(self.id, &self.session.follow);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync_core::batch::Compartment;
    use sync_core::identity::{PersonId, UnitId};

    fn partition(unit: u8) -> Partition {
        Partition {
            unit: UnitId([unit; 8]),
            compartment: Compartment::Reports,
        }
    }

    fn session(follow: Follow) -> Arc<Session> {
        Arc::new(Session {
            person: PersonId([1; 8]),
            follow,
            due: BTreeSet::new(),
        })
    }

    fn these(units: &[u8]) -> Arc<Session> {
        let partitions = units.iter().map(|unit| partition(*unit)).collect();
        session(Follow::These(partitions))
    }

    fn told(listening: &mut Listening) -> Option<u64> {
        let changed = listening.changed.has_changed().unwrap_or(false);
        changed.then(|| *listening.changed.borrow_and_update())
    }

    #[test]
    fn a_change_wakes_those_who_follow_it_and_nobody_else() {
        let listeners = Arc::new(Listeners::default());
        let mut one = listeners.listen(these(&[1, 2]));
        let mut other = listeners.listen(these(&[3]));
        let mut all = listeners.listen(session(Follow::All));
        listeners.wake(&BTreeSet::from([partition(2)]), 6);
        assert_eq!(
            [told(&mut one), told(&mut other), told(&mut all)],
            [Some(6), None, Some(6)]
        );
        listeners.wake(&BTreeSet::from([partition(2)]), 6);
        assert_eq!([told(&mut one), told(&mut all)], [None, None], "told once");
        listeners.wake(&BTreeSet::from([partition(1), partition(3)]), 9);
        assert_eq!([told(&mut one), told(&mut other)], [Some(9), Some(9)]);
    }

    #[test]
    fn who_follows_something_else_now_is_told_of_that() {
        let listeners = Arc::new(Listeners::default());
        let mut one = listeners.listen(these(&[1]));
        one.follow(&these(&[2]));
        listeners.wake(&BTreeSet::from([partition(1)]), 1);
        assert_eq!(told(&mut one), None);
        listeners.wake(&BTreeSet::from([partition(2)]), 2);
        assert_eq!(told(&mut one), Some(2));
        one.follow(&session(Follow::All));
        listeners.wake(&BTreeSet::from([partition(7)]), 3);
        assert_eq!(told(&mut one), Some(3));
    }

    #[test]
    fn nothing_is_left_of_those_who_went() {
        let listeners = Arc::new(Listeners::default());
        let (one, all) = (
            listeners.listen(these(&[1, 2])),
            listeners.listen(session(Follow::All)),
        );
        drop((one, all));
        let table = listeners.table();
        assert!(table.all.is_empty() && table.some.is_empty());
    }
}
