//! The column encodings of a change chunk: run lengths, differences, booleans, signed LEB128.

use super::GateError;
use crate::codec::Reader;

/// A signed LEB128 integer as Automerge writes it (two's complement, not zigzag).
pub(super) fn write_signed(out: &mut Vec<u8>, mut value: i64) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        let done = (value == 0 && low & 0x40 == 0) || (value == -1 && low & 0x40 != 0);
        out.push(if done { low } else { low | 0x80 });
        if done {
            return;
        }
    }
}

/// An unsigned LEB128 integer.
pub(super) fn write_unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads what [`write_signed`] writes. Longer forms may pass: the caller compares a re-encoding.
pub(super) fn read_signed(from: &mut Reader<'_>, what: &'static str) -> Result<i64, GateError> {
    let mut value: i64 = 0;
    for index in 0..10u32 {
        let byte = from.u8(what).map_err(|_| GateError::Malformed(what))?;
        let shift = 7 * index;
        if index == 9 && byte != 0 && byte != 0x7f {
            return Err(GateError::Malformed(what));
        }
        value |= i64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            if byte & 0x40 != 0 && shift + 7 < 64 {
                value |= -1 << (shift + 7);
            }
            return Ok(value);
        }
    }
    Err(GateError::Malformed(what))
}

/// Reads an unsigned LEB128 integer in its shortest form.
pub(super) fn read_unsigned(from: &mut Reader<'_>, what: &'static str) -> Result<u64, GateError> {
    from.var(what).map_err(|_| GateError::Malformed(what))
}

/// An item of a run-length column.
pub(super) trait Item<'a>: Copy + PartialEq {
    /// Reads one from the front.
    fn read(from: &mut Reader<'a>, what: &'static str) -> Result<Self, GateError>;
    /// Appends one.
    fn write(self, out: &mut Vec<u8>);
}

impl<'a> Item<'a> for u64 {
    fn read(from: &mut Reader<'a>, what: &'static str) -> Result<Self, GateError> {
        read_unsigned(from, what)
    }
    fn write(self, out: &mut Vec<u8>) {
        write_unsigned(out, self);
    }
}

impl<'a> Item<'a> for i64 {
    fn read(from: &mut Reader<'a>, what: &'static str) -> Result<Self, GateError> {
        read_signed(from, what)
    }
    fn write(self, out: &mut Vec<u8>) {
        write_signed(out, self);
    }
}

impl<'a> Item<'a> for &'a str {
    fn read(from: &mut Reader<'a>, what: &'static str) -> Result<Self, GateError> {
        let length =
            usize::try_from(read_unsigned(from, what)?).map_err(|_| GateError::Malformed(what))?;
        let bytes = from
            .raw(length, what)
            .map_err(|_| GateError::Malformed(what))?;
        std::str::from_utf8(bytes).map_err(|_| GateError::Malformed(what))
    }
    fn write(self, out: &mut Vec<u8>) {
        write_unsigned(out, self.len() as u64);
        out.extend_from_slice(self.as_bytes());
    }
}

/// Reads a run-length column one row at a time; never holds more than one value of it.
pub(super) struct Runs<'a, T> {
    from: Reader<'a>,
    what: &'static str,
    left: u64,
    run: Run<T>,
}

enum Run<T> {
    Literal,
    Same(Option<T>),
}

impl<'a, T: Item<'a>> Runs<'a, T> {
    pub(super) fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self {
            from: Reader::new(bytes),
            what,
            left: 0,
            run: Run::Literal,
        }
    }

    /// True when every row was read.
    pub(super) fn done(&self) -> bool {
        self.left == 0 && self.from.is_empty()
    }

    /// The next row; past the end every row is null, as in a column that was left out.
    pub(super) fn next(&mut self) -> Result<Option<T>, GateError> {
        if self.left == 0 {
            if self.from.is_empty() {
                return Ok(None);
            }
            let count = read_signed(&mut self.from, self.what)?;
            (self.left, self.run) = match count {
                1.. => (
                    count.unsigned_abs(),
                    Run::Same(Some(T::read(&mut self.from, self.what)?)),
                ),
                0 => (read_unsigned(&mut self.from, self.what)?, Run::Same(None)),
                ..0 => (count.unsigned_abs(), Run::Literal),
            };
            if self.left == 0 {
                return Err(GateError::Malformed(self.what));
            }
        }
        self.left -= 1;
        match self.run {
            Run::Literal => T::read(&mut self.from, self.what).map(Some),
            Run::Same(value) => Ok(value),
        }
    }

    /// The next row, which must not be null.
    pub(super) fn required(&mut self) -> Result<T, GateError> {
        self.next()?.ok_or(GateError::Malformed(self.what))
    }
}

/// Reads a column of differences.
pub(super) struct Differences<'a> {
    runs: Runs<'a, i64>,
    last: i64,
}

impl<'a> Differences<'a> {
    pub(super) fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self {
            runs: Runs::new(bytes, what),
            last: 0,
        }
    }

    pub(super) fn done(&self) -> bool {
        self.runs.done()
    }

    pub(super) fn next(&mut self) -> Result<Option<i64>, GateError> {
        let Some(difference) = self.runs.next()? else {
            return Ok(None);
        };
        self.last = self
            .last
            .checked_add(difference)
            .ok_or(GateError::Malformed(self.runs.what))?;
        Ok(Some(self.last))
    }
}

/// Reads a column of booleans: lengths of runs, beginning with false.
pub(super) struct Booleans<'a> {
    from: Reader<'a>,
    what: &'static str,
    left: u64,
    value: bool,
}

impl<'a> Booleans<'a> {
    pub(super) fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self {
            from: Reader::new(bytes),
            what,
            left: 0,
            value: true,
        }
    }

    pub(super) fn done(&self) -> bool {
        self.left == 0 && self.from.is_empty()
    }

    pub(super) fn next(&mut self) -> Result<bool, GateError> {
        while self.left == 0 {
            self.left = read_unsigned(&mut self.from, self.what)?;
            self.value = !self.value;
        }
        self.left -= 1;
        Ok(self.value)
    }
}

/// Appends a run-length column; rows that are all null leave no bytes.
pub(super) fn write_runs<'a, T: Item<'a>>(out: &mut Vec<u8>, rows: &[Option<T>]) {
    let mut rest = rows;
    while let Some((first, _)) = rest.split_first() {
        let same = rest.iter().take_while(|row| *row == first).count();
        let used = match first {
            None if same == rows.len() => return,
            None => {
                write_signed(out, 0);
                write_unsigned(out, same as u64);
                same
            }
            Some(value) if same > 1 => {
                write_signed(out, same as i64);
                value.write(out);
                same
            }
            Some(_) => write_literal(out, rest),
        };
        rest = rest.get(used..).unwrap_or_default();
    }
}

/// Appends rows up to the first null or repeated one; says how many.
fn write_literal<'a, T: Item<'a>>(out: &mut Vec<u8>, rows: &[Option<T>]) -> usize {
    let following = rows.iter().skip(1).map(Some).chain([None]);
    let length = rows
        .iter()
        .zip(following)
        .take_while(|(row, next)| row.is_some() && Some(*row) != *next)
        .count();
    write_signed(out, -(length as i64));
    for value in rows.iter().take(length).flatten() {
        value.write(out);
    }
    length
}

/// Appends a column of differences.
pub(super) fn write_differences(out: &mut Vec<u8>, rows: &[Option<i64>]) {
    let mut last = 0i64;
    let differences: Vec<Option<i64>> = rows
        .iter()
        .map(|row| {
            row.map(|value| {
                let difference = value.saturating_sub(last);
                last = value;
                difference
            })
        })
        .collect();
    write_runs(out, &differences);
}

/// Appends a column of booleans.
pub(super) fn write_booleans(out: &mut Vec<u8>, rows: &[bool]) {
    let mut value = false;
    let mut count = 0u64;
    for row in rows {
        if *row == value {
            count += 1;
        } else {
            write_unsigned(out, count);
            value = *row;
            count = 1;
        }
    }
    if count > 0 {
        write_unsigned(out, count);
    }
}
