//! Parts of one batch that follow each other: one header, one signature, one tree over all of them.

use super::batch::Exchange;
use super::coder::Pipe;
use super::{Signatures, Timed, Trouble};
use crate::batch::part::part_hash;
use crate::batch::{Header, Part, SignedPart, merkle};
use crate::limits;

/// A part whose header is not whole yet.
pub(super) struct Rebuilt {
    pub(super) index: u32,
    pub(super) siblings: Vec<[u8; 32]>,
    pub(super) part: Part,
    pub(super) changes: Vec<Vec<u8>>,
    pub(super) received_at: i64,
}

impl<P: Pipe> Exchange<'_, P> {
    /// Carries parts of one batch that follow each other.
    pub(super) fn group(&mut self, given: Option<&[Timed]>) -> Result<Vec<Timed>, Trouble> {
        let first = given.and_then(<[Timed]>::first).map(|(_, part)| part);
        let mut header = self.header(first.map(SignedPart::header))?;
        let signature = match self.signatures {
            Signatures::Carried => {
                let given = first.map(|first| first.signature());
                if given == Some(None) {
                    // A node's word is no signature, and as long as it is it travels as it is.
                    return Err(Trouble::Missing("signature"));
                }
                self.pipe.array(given.flatten())?
            }
            Signatures::LeftOut => [0; 64],
        };
        let whole = given.is_some_and(is_whole);
        let whole = self.flag("whole batch", whole)?;
        let count = match whole {
            true => header.parts as usize,
            false => self.count(
                "parts of a group",
                limits::PARTS_PER_BATCH_MAX,
                given.map(<[Timed]>::len),
            )?,
        };
        let mut rebuilt = Vec::new();
        for at in 0..count {
            let given = given.and_then(|given| given.get(at));
            let one = match whole {
                true => self.part(&header, given, at as u32, Vec::new())?,
                false => {
                    let part = given.map(|(_, part)| part);
                    let index = self.number("index", part.map(|part| part.index().into()))?;
                    let siblings = self.siblings(part.map(SignedPart::siblings))?;
                    let index = u32::try_from(index).map_err(|_| Trouble::Limit("index"))?;
                    self.part(&header, given, index, siblings)?
                }
            };
            rebuilt.push(one);
        }
        finish_tree(&mut header, &mut rebuilt, whole)?;
        let actor = header.actor();
        self.batches.insert(actor, (header.number, header.id()));
        self.last_time = self.last_time.max(header.sealed_at);
        rebuilt
            .into_iter()
            .map(|one| self.finish(&header, &signature, one))
            .collect()
    }

    /// Puts a part together and looks at it as if it had travelled as it is.
    fn finish(
        &mut self,
        header: &Header,
        signature: &[u8; 64],
        one: Rebuilt,
    ) -> Result<Timed, Trouble> {
        let Rebuilt {
            index,
            siblings,
            part,
            changes,
            received_at,
        } = one;
        let part = SignedPart::new(header, *signature, index, siblings, part, changes);
        let bytes = part.encode();
        self.pipe.budget().keep("parts unpacked", bytes.len())?;
        let part = SignedPart::decode(&bytes).map_err(|_| Trouble::Malformed("part"))?;
        Ok((received_at, part))
    }

    fn siblings(&mut self, given: Option<&[[u8; 32]]>) -> Result<Vec<[u8; 32]>, Trouble> {
        let count = given.map(<[[u8; 32]]>::len);
        let count = self.count("siblings", limits::PARTS_PER_BATCH_MAX, count)?;
        let mut siblings = Vec::new();
        for at in 0..count {
            let given = given.and_then(|given| given.get(at));
            let back = given.and_then(|hash| self.hashes.iter().rev().position(|one| one == hash));
            let hash = match self.flag("sibling seen", back.is_some())? {
                true => {
                    let back = self.number("sibling", back.map(|back| back as u64))?;
                    let hash = usize::try_from(back)
                        .ok()
                        .and_then(|back| self.hashes.iter().rev().nth(back));
                    *hash.ok_or(Trouble::Malformed("sibling"))?
                }
                false => {
                    let hash = self.pipe.array(given)?;
                    self.hashes.push(hash);
                    hash
                }
            };
            self.pipe.budget().keep("siblings unpacked", hash.len())?;
            siblings.push(hash);
        }
        Ok(siblings)
    }
}

/// The parts at the front that are of one batch.
pub(super) fn group_of(parts: &[Timed], signatures: Signatures) -> &[Timed] {
    let Some((_, first)) = parts.first() else {
        return parts;
    };
    let signed_alike = |part: &SignedPart| match signatures {
        Signatures::Carried => part.signature() == first.signature(),
        Signatures::LeftOut => true,
    };
    let same = |part: &SignedPart| part.header() == first.header() && signed_alike(part);
    let count = parts.iter().take_while(|(_, part)| same(part)).count();
    let all = parts.get(..count).unwrap_or(parts);
    let whole = all.get(..first.header().parts as usize);
    match whole.filter(|whole| is_whole(whole)) {
        Some(whole) => whole,
        None => all.get(..limits::PARTS_PER_BATCH_MAX).unwrap_or(all),
    }
}

/// True if these are all the parts of their batch, in order, and the tree over them is the signed one.
fn is_whole(parts: &[Timed]) -> bool {
    let Some((_, first)) = parts.first() else {
        return false;
    };
    let in_order = (0..).zip(parts).all(|(at, (_, part))| part.index() == at);
    if parts.len() != first.header().parts as usize || !in_order {
        return false;
    }
    let hashes: Vec<_> = parts.iter().map(|(_, part)| part.part_hash()).collect();
    let paths = (0..).zip(parts);
    merkle::root(&hashes) == first.header().root
        && paths
            .into_iter()
            .all(|(at, (_, part))| part.siblings() == merkle::path(&hashes, at).as_slice())
}

/// Gives the header its root, and the parts of a whole batch their paths to it.
fn finish_tree(header: &mut Header, parts: &mut [Rebuilt], whole: bool) -> Result<(), Trouble> {
    let hashes: Vec<_> = parts
        .iter()
        .map(|one| part_hash(&one.part.encode()))
        .collect();
    if whole {
        header.root = merkle::root(&hashes);
        for (at, one) in parts.iter_mut().enumerate() {
            one.siblings = merkle::path(&hashes, at);
        }
        return Ok(());
    }
    let count = header.parts as usize;
    let root = |(one, hash): (&Rebuilt, &[u8; 32])| {
        merkle::root_from_path(hash, one.index as usize, count, &one.siblings)
    };
    let mut roots = parts.iter().zip(&hashes).map(root);
    let first = roots.next().flatten();
    header.root = first.ok_or(Trouble::Malformed("siblings"))?;
    // The digest names the root alone: a part rebuilt on another ground does not lead to it.
    if roots.all(|root| root == first) {
        Ok(())
    } else {
        Err(Trouble::OtherGround)
    }
}
