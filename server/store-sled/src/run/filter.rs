//! The filter of a run: tells of most keys that are not there that they are not, with one small read.
//!
//! It stays in the file, since with ten bits a key it would grow with what is stored. A key has all its bits
//! in one *line*, which has its own checksum: a filter that is wrong would hide what is there.

/// Bytes of a line: one read, one line of a processor's cache.
pub(super) const LINE_BYTES: usize = 64;
const CHECKSUM_BYTES: usize = 4;
const LINE_BITS: u32 = ((LINE_BYTES - CHECKSUM_BYTES) * 8) as u32;
/// Bits for a key, and how many of them it sets: two wrong guesses in a hundred.
const BITS_PER_KEY: usize = 10;
const PROBES: u32 = 6;

/// Lines of a filter for so many keys.
fn lines_for(keys: usize) -> usize {
    (keys * BITS_PER_KEY).div_ceil(LINE_BITS as usize)
}

/// What a key is to a filter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hash(u32);

impl Hash {
    pub(super) fn of(key: &[u8]) -> Self {
        Self(crc32c::crc32c(key))
    }

    /// The line in which a key has its bits.
    pub(super) fn line(self, lines: usize) -> usize {
        self.0 as usize % lines.max(1)
    }

    /// Its bits in there.
    fn bits(self) -> impl Iterator<Item = u32> {
        let mixed = self.0.rotate_left(16).wrapping_mul(0x9e37_79b1);
        let (begin, step) = (mixed >> 8, (mixed & 0xff) << 1 | 1);
        (0..PROBES).map(move |n| begin.wrapping_add(step.wrapping_mul(n)) % LINE_BITS)
    }
}

/// The bytes of a filter: whole lines.
pub(super) fn filter_of(hashes: &[Hash]) -> Vec<u8> {
    let lines = lines_for(hashes.len());
    let mut filter = vec![0u8; lines * LINE_BYTES];
    for hash in hashes {
        let line = hash.line(lines) * LINE_BYTES;
        for bit in hash.bits() {
            if let Some(byte) = filter.get_mut(line + bit as usize / 8) {
                *byte |= 1 << (bit % 8);
            }
        }
    }
    for line in filter.as_chunks_mut::<LINE_BYTES>().0 {
        if let Some((bits, checksum)) = line.split_last_chunk_mut::<CHECKSUM_BYTES>() {
            *checksum = crc32c::crc32c(bits).to_be_bytes();
        }
    }
    filter
}

/// False if the key of a line is surely not in the run; none if the line is damaged.
pub(super) fn may_hold(line: &[u8; LINE_BYTES], hash: Hash) -> Option<bool> {
    let (bits, checksum) = line.split_last_chunk::<CHECKSUM_BYTES>()?;
    let whole = u32::from_be_bytes(*checksum) == crc32c::crc32c(bits);
    whole.then(|| {
        hash.bits().all(|bit| {
            let byte = bits.get(bit as usize / 8);
            byte.is_some_and(|byte| byte & (1 << (bit % 8)) != 0)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(filter: &[u8], key: u32) -> Option<bool> {
        let hash = Hash::of(&key.to_be_bytes());
        let lines = filter.as_chunks::<LINE_BYTES>().0;
        may_hold(&lines[hash.line(lines.len())], hash)
    }

    #[test]
    fn what_is_there_may_be_there_and_little_else() {
        let keys = 0..20_000_u32;
        let hashes: Vec<_> = keys
            .clone()
            .map(|key| Hash::of(&key.to_be_bytes()))
            .collect();
        let filter = filter_of(&hashes);
        assert!(keys.clone().all(|key| holds(&filter, key) == Some(true)));
        let wrong = (20_000..120_000).filter(|key| holds(&filter, *key) == Some(true));
        let wrong = wrong.count();
        assert!(wrong < 3_000, "{wrong} wrong guesses of 100,000");
        assert!(filter.len() < 20_000 * 2, "{} bytes", filter.len());
    }

    #[test]
    fn a_damaged_line_says_nothing() {
        let filter = filter_of(&[Hash::of(b"a")]);
        let line = *filter.first_chunk::<LINE_BYTES>().unwrap();
        assert_eq!(may_hold(&line, Hash::of(b"a")), Some(true));
        for bit in 0..LINE_BYTES * 8 {
            let mut damaged = line;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(may_hold(&damaged, Hash::of(b"a")), None, "bit {bit}");
        }
        assert!(filter_of(&[]).is_empty());
    }
}
