//! Numbers as they are typed and printed in Vietnam: `.` groups thousands, `,` is the decimal mark.
//!
//! What can be read in one way only is read. What was meant otherwise in many a hand – `99.68`,
//! `1,893.5` – is a question with the possible readings as values; it is never guessed.

use super::{BadNumber, Number};

/// Bytes of a typed number, at most: 28 digits with their marks and some spaces.
const INPUT_BYTES_MAX: usize = 128;

/// What a typed text means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// One meaning.
    Clear(Typed),
    /// A person must say which; the readings are in the order of likelihood, without repetition.
    Unsure {
        /// What makes it unclear.
        question: Question,
        /// What it may mean: one or more.
        readings: Vec<Number>,
    },
    /// No number at all.
    Refused(Refusal),
}

/// A number that was read, with what was typed beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Typed {
    /// The number before any percent sign: `99,65 %` is 99.65.
    pub number: Number,
    /// A percent sign followed.
    pub percent: bool,
}

/// Why a typed number is unclear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// A dot that does not group thousands: `99.68`. A decimal mark, or a misplaced group.
    DotAsDecimalMark,
    /// Commas group and a dot is the decimal mark: `1,893.5`, `1,234,567`.
    ForeignMarks,
    /// Groups that are not of three digits: `1.23.4`, `12 34`.
    Grouping,
    /// Zeros before the first digit: `007`.
    LeadingZeros,
    /// A number with decimal places where a whole one is expected.
    NotWhole,
}

/// Why a typed text is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing but spaces, signs and marks.
    NoDigits,
    /// A character that no number holds.
    Character(char),
    /// A mark without digits before and after it, or marks in an order that means nothing.
    Marks,
    /// More than 28 significant digits.
    TooManyDigits,
    /// Longer than any number.
    TooLong,
}

/// Spaces people and programs put into numbers.
fn is_space(character: char) -> bool {
    matches!(
        character,
        ' ' | '\t' | '\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}'
    )
}

/// Reads what was typed into a cell that may hold decimals.
pub fn read(text: &str) -> Reading {
    match read_marked(text) {
        Ok(reading) => reading,
        Err(refusal) => Reading::Refused(refusal),
    }
}

/// Reads what was typed into a cell of whole numbers. Decimals become a question whose readings are
/// whole: the mark may have been meant to group or have slipped in, or the places are too many. A
/// percentage is left as it is: what it is doing there is no question of places.
pub fn read_whole(text: &str) -> Reading {
    match read(text) {
        Reading::Clear(typed) if !typed.percent && !typed.number.is_integer() => {
            // `1,893` has three digits after the mark; `1,890` too, though the number keeps only two.
            let after_mark = text.rsplit_once(',').map_or(0, |(_, rest)| {
                rest.chars().filter(char::is_ascii_digit).count()
            });
            let digits: String = text
                .chars()
                .filter(|one| !matches!(one, '.' | ',') && !is_space(*one))
                .collect();
            let without_mark = match read(&digits) {
                Reading::Clear(typed) => vec![typed.number],
                Reading::Unsure { readings, .. } => readings,
                Reading::Refused(_) => Vec::new(),
            };
            if after_mark == 3 {
                return not_whole(without_mark);
            }
            not_whole([vec![typed.number], without_mark].concat())
        }
        Reading::Unsure { readings, .. } if readings.iter().any(|one| !one.is_integer()) => {
            not_whole(readings)
        }
        reading @ (Reading::Clear(_) | Reading::Unsure { .. } | Reading::Refused(_)) => reading,
    }
}

/// The question which whole number was meant: one with places is offered rounded.
fn not_whole(meant: Vec<Number>) -> Reading {
    let mut readings: Vec<Number> = Vec::new();
    for number in meant.into_iter().map(|number| number.rounded(0)) {
        if !readings.contains(&number) {
            readings.push(number);
        }
    }
    Reading::Unsure {
        question: Question::NotWhole,
        readings,
    }
}

fn read_marked(text: &str) -> Result<Reading, Refusal> {
    if text.len() > INPUT_BYTES_MAX {
        return Err(Refusal::TooLong);
    }
    let trimmed = text.trim_matches(is_space);
    let (body, percent) = match trimmed.strip_suffix('%') {
        Some(rest) => (rest.trim_end_matches(is_space), true),
        None => (trimmed, false),
    };
    let (negative, body) = match body.strip_prefix(['-', '\u{2212}', '\u{2013}']) {
        Some(rest) => (true, rest.trim_start_matches(is_space)),
        None => (false, body),
    };
    if let Some(wrong) = body
        .chars()
        .find(|c| !c.is_ascii_digit() && !matches!(c, '.' | ',') && !is_space(*c))
    {
        return Err(Refusal::Character(wrong));
    }
    if !body.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::NoDigits);
    }
    let shape = Shape::of(body)?;
    let signed = |number: Number| if negative { -number } else { number };
    let mut readings: Vec<Number> = Vec::new();
    for plain in &shape.readings {
        let number = signed(from_plain(plain)?);
        if !readings.contains(&number) {
            readings.push(number);
        }
    }
    match (shape.question, readings.first()) {
        (None, Some(number)) => Ok(Reading::Clear(Typed {
            number: *number,
            percent,
        })),
        (Some(question), Some(_)) => Ok(Reading::Unsure { question, readings }),
        (None | Some(_), None) => Err(Refusal::Marks),
    }
}

/// The possible readings of marks and digits, as plain text with `.` before the decimal places.
struct Shape {
    question: Option<Question>,
    readings: Vec<String>,
}

impl Shape {
    fn clear(reading: String) -> Self {
        let leading = reading.len() > 1
            && reading.starts_with('0')
            && reading.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        Self {
            question: leading.then_some(Question::LeadingZeros),
            readings: vec![reading],
        }
    }

    fn unsure(question: Question, readings: Vec<String>) -> Self {
        Self {
            question: Some(question),
            readings,
        }
    }

    fn of(body: &str) -> Result<Self, Refusal> {
        let commas = body.matches(',').count();
        let dots = body.matches('.').count();
        if commas > 1 || (commas == 1 && body.rfind('.') > body.find(',')) {
            return Self::foreign(body);
        }
        let (whole, places) = match body.split_once(',') {
            Some((whole, places)) => (whole, Some(places)),
            None => (body, None),
        };
        if places.is_some_and(|places| !is_digits(places)) {
            return Err(Refusal::Marks);
        }
        let groups = groups(whole)?;
        let joined: String = groups.concat();
        let with_places = match places {
            Some(places) => format!("{joined}.{places}"),
            None => joined.clone(),
        };
        if are_thousands(&groups) {
            return Ok(Self::clear(with_places));
        }
        if dots == 1 && places.is_none() && groups.len() == 2 {
            let decimal = groups.join(".");
            return Ok(Self::unsure(
                Question::DotAsDecimalMark,
                vec![decimal, joined],
            ));
        }
        Ok(Self::unsure(Question::Grouping, vec![with_places]))
    }

    /// Commas that group: one decimal dot at most, after all of them.
    fn foreign(body: &str) -> Result<Self, Refusal> {
        let (whole, places) = match body.split_once('.') {
            Some((whole, places)) => (whole, Some(places)),
            None => (body, None),
        };
        if places.is_some_and(|places| !is_digits(places)) {
            return Err(Refusal::Marks);
        }
        let joined = groups(whole)?.concat();
        let reading = match places {
            Some(places) => format!("{joined}.{places}"),
            None => joined,
        };
        Ok(Self::unsure(Question::ForeignMarks, vec![reading]))
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The groups between marks or spaces, each with at least one digit.
fn groups(whole: &str) -> Result<Vec<&str>, Refusal> {
    let groups: Vec<&str> = whole
        .split(|c: char| c == '.' || c == ',' || is_space(c))
        .collect();
    if groups.iter().all(|group| is_digits(group)) {
        Ok(groups)
    } else {
        Err(Refusal::Marks)
    }
}

/// One group of any length, or a first group of one to three digits that is not zero and then
/// groups of three.
fn are_thousands(groups: &[&str]) -> bool {
    match groups.split_first() {
        None => false,
        Some((_, [])) => true,
        Some((first, rest)) => {
            first.len() <= 3 && !first.starts_with('0') && rest.iter().all(|group| group.len() == 3)
        }
    }
}

/// A number from digits and one `.`, with zeros anywhere.
fn from_plain(plain: &str) -> Result<Number, Refusal> {
    Number::digits_of(plain)
        .and_then(|(mantissa, scale)| Number::from_parts(mantissa, scale))
        .ok_or(Refusal::TooManyDigits)
}

impl Number {
    /// As printed in Vietnam: `1.893`, `99,65`, `−12`. Reading it gives the number again.
    pub fn to_vietnamese(self) -> String {
        let canonical = self.canonical();
        let digits = canonical.trim_start_matches('-');
        let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
        let mut text = String::with_capacity(canonical.len() + canonical.len() / 3 + 2);
        if self.is_negative() {
            text.push('\u{2212}');
        }
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                text.push('.');
            }
            text.push(digit);
        }
        if !places.is_empty() {
            text.push(',');
            text.push_str(places);
        }
        text
    }
}

impl From<BadNumber> for Refusal {
    fn from(error: BadNumber) -> Self {
        match error {
            BadNumber::NotCanonical => Self::Marks,
            BadNumber::TooManyDigits => Self::TooManyDigits,
        }
    }
}
