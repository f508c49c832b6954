//! Strings that come again: the first time in letters, then by their place among those seen.

use std::collections::BTreeMap;

use super::Trouble;
use super::coder::Pipe;
use super::model::{Number, Symbol};
use super::text::Text;

/// How a string is told.
mod told {
    pub(super) const AS_LAST: u64 = 0;
    pub(super) const AS_FOLLOWED: u64 = 1;
    pub(super) const SEEN: u64 = 2;
    pub(super) const LETTERS: u64 = 3;
}

/// Strings of one kind.
#[derive(Debug, Default)]
pub(super) struct Strings {
    seen: Vec<String>,
    places: BTreeMap<String, usize>,
    last: Option<usize>,
    /// What came after each, the last time.
    followed: BTreeMap<usize, usize>,
    how: Vec<Symbol>,
    place: Number,
    length: Number,
    letters: Text,
}

impl Strings {
    /// Carries a string of at most `max` bytes. `about` tells occasions apart on which other ways of
    /// telling are likely.
    pub(super) fn code(
        &mut self,
        pipe: &mut impl Pipe,
        (max, about): (usize, usize),
        given: Option<&str>,
    ) -> Result<String, Trouble> {
        let next = self.last.and_then(|last| self.followed.get(&last)).copied();
        let found = given.and_then(|given| self.places.get(given)).copied();
        let how = match found {
            Some(_) if found == self.last => told::AS_LAST,
            Some(_) if found == next => told::AS_FOLLOWED,
            Some(_) => told::SEEN,
            None => told::LETTERS,
        };
        if self.how.len() <= about {
            self.how.resize_with(about + 1, || Symbol::new(2));
        }
        let how = match self.how.get_mut(about) {
            Some(model) => model.code(pipe, how)?,
            None => how,
        };
        let place = match how {
            told::AS_LAST => self.last,
            told::AS_FOLLOWED => next,
            told::SEEN => {
                let place = self.place.code(pipe, found.unwrap_or_default() as u64)?;
                usize::try_from(place).ok()
            }
            _ => {
                let string = letters(pipe, (&mut self.length, &mut self.letters), max, given)?;
                let place = self.seen.len();
                self.places.insert(string.clone(), place);
                self.seen.push(string);
                Some(place)
            }
        };
        let string = place.and_then(|place| self.seen.get(place));
        let string = string.ok_or(Trouble::Malformed("string"))?.clone();
        if string.len() > max {
            return Err(Trouble::Limit("string"));
        }
        if let (Some(last), Some(place)) = (self.last, place)
            && last != place
        {
            self.followed.insert(last, place);
        }
        self.last = place;
        Ok(string)
    }
}

/// Carries a text, letter by letter.
pub(super) fn letters(
    pipe: &mut impl Pipe,
    (length, model): (&mut Number, &mut Text),
    max: usize,
    given: Option<&str>,
) -> Result<String, Trouble> {
    model.begin();
    let bytes = bytes(pipe, (length, model), max, given.map(str::as_bytes))?;
    String::from_utf8(bytes).map_err(|_| Trouble::Malformed("letters"))
}

/// Carries bytes that go on from the last ones.
pub(super) fn bytes(
    pipe: &mut impl Pipe,
    (length, model): (&mut Number, &mut Text),
    max: usize,
    given: Option<&[u8]>,
) -> Result<Vec<u8>, Trouble> {
    let given = given.unwrap_or_default();
    let count = usize::try_from(length.code(pipe, given.len() as u64)?)
        .ok()
        .filter(|count| *count <= max)
        .ok_or(Trouble::Limit("letters"))?;
    pipe.budget().keep("letters unpacked", count)?;
    // Nothing is kept free for what was merely claimed.
    let mut bytes = Vec::new();
    for at in 0..count {
        bytes.push(model.code(pipe, given.get(at).copied().unwrap_or_default())?);
    }
    Ok(bytes)
}
