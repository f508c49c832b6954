//! Fences: the first key of each block, and where the block lies. They lie in pages in the file; in memory
//! is the first fence of each page.

use sync_core::codec::{DecodeError, Reader, Writer};

/// Fences in a page: a read of some three kilobytes.
pub(super) const PAGE_FENCES: usize = 64;
const CHECKSUM_BYTES: usize = 4;

/// Where something begins, and with which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fence {
    pub(super) first: Box<[u8]>,
    pub(super) offset: u64,
    pub(super) length: u32,
}

impl Fence {
    pub(super) fn write(&self, to: &mut Writer) {
        to.bytes(&self.first)
            .u64_be(self.offset)
            .raw(&self.length.to_be_bytes());
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            first: from.bytes(usize::MAX, "first key")?.into(),
            offset: from.u64_be("offset")?,
            length: u32::from_be_bytes(from.array("length")?),
        })
    }
}

/// The bytes of a page, with their checksum.
pub(super) fn page_of(fences: &[Fence]) -> Vec<u8> {
    let mut page = Writer::new();
    for fence in fences {
        fence.write(&mut page);
    }
    let page = page.into_bytes();
    [&crc32c::crc32c(&page).to_be_bytes()[..], &page].concat()
}

/// The fences of a page; none if it is damaged.
pub(super) fn read_page(bytes: &[u8]) -> Option<Vec<Fence>> {
    let (checksum, page) = bytes.split_first_chunk::<CHECKSUM_BYTES>()?;
    if u32::from_be_bytes(*checksum) != crc32c::crc32c(page) {
        return None;
    }
    let mut reader = Reader::new(page);
    let mut fences = Vec::with_capacity(PAGE_FENCES);
    while !reader.is_empty() {
        fences.push(Fence::read(&mut reader).ok()?);
    }
    Some(fences)
}

/// The page that was read last, and its number: neighbours are asked for one after the other.
pub(super) type Page = Option<(usize, Vec<Fence>)>;

/// Of fences in order, the last that begins at `key` or before it; none if all begin behind it.
pub(super) fn at_or_before(fences: &[Fence], key: &[u8]) -> Option<usize> {
    fences
        .partition_point(|fence| *fence.first <= *key)
        .checked_sub(1)
}

/// Of fences in order, the last that begins before `key`.
pub(super) fn before(fences: &[Fence], key: &[u8]) -> Option<usize> {
    fences
        .partition_point(|fence| *fence.first < *key)
        .checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fences() -> Vec<Fence> {
        let fence = |n: u8| Fence {
            first: [n, 7].into(),
            offset: u64::from(n) * 100,
            length: 100,
        };
        (1..9).map(fence).collect()
    }

    #[test]
    fn pages_read_as_they_were_written_and_damage_is_noticed() {
        let bytes = page_of(&fences());
        assert_eq!(read_page(&bytes), Some(fences()));
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read_page(&damaged), None, "bit {bit}");
        }
        assert_eq!(read_page(&bytes[..3]), None);
    }

    #[test]
    fn a_key_lies_behind_the_last_fence_that_is_not_behind_it() {
        let fences = fences();
        assert_eq!(at_or_before(&fences, &[1]), None);
        assert_eq!(at_or_before(&fences, &[1, 7]), Some(0));
        assert_eq!(before(&fences, &[1, 7]), None);
        assert_eq!(before(&fences, &[2, 7]), Some(0));
        assert_eq!(at_or_before(&fences, &[9]), Some(7));
    }
}
