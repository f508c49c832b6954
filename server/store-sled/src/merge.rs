//! Several ordered layers as one: where a key is in more than one, the newest has it.

use std::iter::Peekable;

use store::ReadError;

use crate::run::Stored;

/// Entries of one layer, ascending; an empty value says that the key was removed.
pub(crate) type Layer<'a> = Box<dyn Iterator<Item = Result<Stored, ReadError>> + 'a>;

/// The layers as one, removals included.
pub(crate) struct Merged<'a> {
    /// Newest first.
    layers: Vec<Peekable<Layer<'a>>>,
}

impl<'a> Merged<'a> {
    pub(crate) fn new(layers: Vec<Layer<'a>>) -> Self {
        Self {
            layers: layers.into_iter().map(Iterator::peekable).collect(),
        }
    }
}

impl Iterator for Merged<'_> {
    type Item = Result<Stored, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut least: Option<(usize, Vec<u8>)> = None;
        for (at, layer) in self.layers.iter_mut().enumerate() {
            match layer.peek() {
                // A layer that cannot be read ends the whole.
                Some(Err(_)) => return layer.next(),
                Some(Ok((key, _))) if least.as_ref().is_none_or(|(_, least)| key < least) => {
                    least = Some((at, key.clone()));
                }
                Some(Ok(_)) | None => {}
            }
        }
        let (newest, key) = least?;
        for layer in self.layers.iter_mut().skip(newest + 1) {
            layer.next_if(|entry| entry.as_ref().is_ok_and(|(other, _)| *other == key));
        }
        self.layers.get_mut(newest)?.next()
    }
}
