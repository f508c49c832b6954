//! A node answers while others are accepted: what an answer proves is what it gives.

use std::cell;

use super::*;
use crate::log::{KeyValue, Keyspace, KeyspaceError};

/// A keyspace that has grown by the time of a certain read.
struct Growing<'a> {
    before: &'a MemoryKeyspace,
    after: &'a MemoryKeyspace,
    reads: cell::Cell<usize>,
    grows_at: usize,
}

impl Growing<'_> {
    fn now(&self) -> &MemoryKeyspace {
        let read = self.reads.replace(self.reads.get() + 1);
        if read < self.grows_at {
            self.before
        } else {
            self.after
        }
    }
}

impl Keyspace for Growing<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, KeyspaceError> {
        self.now().get(key)
    }
    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<KeyValue>, KeyspaceError> {
        self.now().scan(from, to, limit)
    }
    fn last(&self, from: &[u8], to: &[u8]) -> Result<Option<KeyValue>, KeyspaceError> {
        self.now().last(from, to)
    }
}

#[test]
fn nothing_is_proved_of_a_log_that_grows_while_it_is_read() {
    let mut node = Node::new();
    let mut hanh = node.enrol(1, Role::Officer, 2, false);
    let mut tuan = node.enrol(2, Role::Officer, 2, false);
    hanh.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    sync(&mut node, &mut hanh);
    let before = node.keyspace.clone();
    tuan.edit(&subject(2), &[cell("I.1", 6)]).unwrap();
    sync(&mut node, &mut tuan);
    let request = hanh.request().unwrap();
    let session = Session::of(&node.catalogue, PersonId([1; 8]), NOW);
    let (mut proved, mut open) = (0, 0);
    for grows_at in 0..20 {
        let growing = Growing {
            before: &before,
            after: &node.keyspace,
            reads: cell::Cell::new(0),
            grows_at,
        };
        let verdicts = node::Verdicts::default();
        let answer = node::answer(&growing, &node.identity, &session, &request, verdicts, NOW);
        let answer = answer.unwrap();
        let given = if answer.entries.is_empty() {
            &before
        } else {
            &node.keyspace
        };
        match answer.fingerprint {
            None => open += 1,
            Some(fingerprint) => {
                let whole = LogReader(given).fingerprint(&session.follow).unwrap();
                assert_eq!(fingerprint, whole, "grown at read {grows_at}");
                proved += 1;
            }
        }
    }
    assert!(proved > 0 && open > 0, "{proved} proved, {open} not");
}
