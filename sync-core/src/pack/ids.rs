//! Ids that come again: in full the first time, then by their place among those seen.

use std::collections::BTreeMap;

use super::Trouble;
use super::coder::Pipe;
use super::model::{Number, Symbol};

/// Ids of one kind.
#[derive(Debug, Default)]
pub(super) struct Ids {
    seen: Vec<[u8; 8]>,
    places: BTreeMap<[u8; 8], usize>,
    uses: BTreeMap<&'static str, Use>,
}

/// Where ids are named: what is likely there.
#[derive(Debug)]
struct Use {
    last: Option<usize>,
    how: Symbol,
    back: Number,
}

/// How an id is told.
mod named {
    pub(super) const AS_LAST: u64 = 0;
    pub(super) const AFTER_LAST: u64 = 1;
    pub(super) const SEEN: u64 = 2;
    pub(super) const NEW: u64 = 3;
}

impl Ids {
    /// Carries an id. `about` names the field it stands in: each has its own habits.
    pub(super) fn code(
        &mut self,
        pipe: &mut impl Pipe,
        about: &'static str,
        given: Option<[u8; 8]>,
    ) -> Result<[u8; 8], Trouble> {
        let count = self.seen.len();
        let found = given.and_then(|given| self.places.get(&given)).copied();
        let using = self.uses.entry(about).or_insert_with(|| Use {
            last: None,
            how: Symbol::new(2),
            back: Number::default(),
        });
        let after = using.last.map_or(0, |last| last + 1);
        let how = match found {
            Some(_) if found == using.last => named::AS_LAST,
            Some(place) if place == after => named::AFTER_LAST,
            Some(_) => named::SEEN,
            None => named::NEW,
        };
        let place = match using.how.code(pipe, how)? {
            named::AS_LAST => using.last,
            named::AFTER_LAST => Some(after),
            named::SEEN => {
                let back = found.map_or(0, |place| (count - 1 - place) as u64);
                let back = usize::try_from(using.back.code(pipe, back)?).ok();
                back.and_then(|back| count.checked_sub(1)?.checked_sub(back))
            }
            _ => {
                let id = pipe.array(given.as_ref())?;
                self.places.insert(id, count);
                self.seen.push(id);
                Some(count)
            }
        };
        using.last = place;
        let id = place.and_then(|place| self.seen.get(place));
        id.copied().ok_or(Trouble::Malformed("id"))
    }
}
