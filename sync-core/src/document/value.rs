//! A cell's value as the scalar that stands for it in an operation.

use crate::cell::CellValue;
use crate::gate::Value;
use crate::limits;
use crate::number::Number;

/// Marks a decimal, before its canonical text.
const DECIMAL_MARK: char = '=';
/// Marks words, before them.
const TEXT_MARK: char = '\'';
/// Marks what was carried forward from the period before, before its canonical number or its marked words.
const CARRIED_MARK: char = '~';

/// The one scalar of this value: null emptied, false no occurrence, an integer, `=`decimal, `'`text.
pub fn value_from_cell(cell: &CellValue) -> Value {
    match cell {
        CellValue::Empty => Value::Null,
        CellValue::NoOccurrence => Value::False,
        CellValue::Number(number) => match integer(*number) {
            Some(integer) => Value::Int(integer),
            None => Value::Text(format!("{DECIMAL_MARK}{number}")),
        },
        CellValue::Text(text) => Value::Text(format!("{TEXT_MARK}{text}")),
    }
}

/// The one scalar of a value that was carried forward: `~` and the canonical number, or `~'` and words. None for a
/// value that says nothing to be carried.
pub fn value_from_carried(cell: &CellValue) -> Option<Value> {
    match cell {
        CellValue::Empty | CellValue::NoOccurrence => None,
        CellValue::Number(number) => Some(Value::Text(format!("{CARRIED_MARK}{number}"))),
        CellValue::Text(text) => Some(Value::Text(format!("{CARRIED_MARK}{TEXT_MARK}{text}"))),
    }
}

/// True for a value that was carried forward and is not confirmed.
pub fn is_carried(value: &Value) -> bool {
    matches!(value, Value::Text(text) if text.starts_with(CARRIED_MARK))
}

/// The value of a scalar; `None` for a scalar that neither [`value_from_cell`] nor [`value_from_carried`]
/// makes.
pub fn cell_from_value(value: &Value) -> Option<CellValue> {
    match value {
        Value::Null => Some(CellValue::Empty),
        Value::False => Some(CellValue::NoOccurrence),
        Value::Int(integer) => Some(CellValue::Number(Number::from(*integer))),
        Value::Text(text) if text.len() > limits::TEXT_BYTES_MAX => None,
        Value::Text(text) => {
            if let Some(carried) = text.strip_prefix(CARRIED_MARK) {
                return match carried.strip_prefix(TEXT_MARK) {
                    Some(words) => Some(CellValue::Text(words.to_owned())),
                    None => carried.parse().ok().map(CellValue::Number),
                };
            }
            if let Some(words) = text.strip_prefix(TEXT_MARK) {
                return Some(CellValue::Text(words.to_owned()));
            }
            let number: Number = text.strip_prefix(DECIMAL_MARK)?.parse().ok()?;
            integer(number)
                .is_none()
                .then_some(CellValue::Number(number))
        }
        Value::Bytes(_) => None,
    }
}

/// The number as an `i64`, if it is one.
fn integer(number: Number) -> Option<i64> {
    number
        .is_integer()
        .then(|| i64::try_from(number.mantissa()).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> CellValue {
        CellValue::Number(text.parse().expect("a number"))
    }

    #[test]
    fn every_value_has_one_scalar() {
        let cases = [
            (CellValue::Empty, Value::Null),
            (CellValue::NoOccurrence, Value::False),
            (number("0"), Value::Int(0)),
            (number("-9223372036854775808"), Value::Int(i64::MIN)),
            (
                number("9223372036854775808"),
                Value::Text("=9223372036854775808".to_owned()),
            ),
            (number("99.65"), Value::Text("=99.65".to_owned())),
            (CellValue::Text(String::new()), Value::Text("'".to_owned())),
            (
                CellValue::Text("=1".to_owned()),
                Value::Text("'=1".to_owned()),
            ),
        ];
        for (cell, value) in cases {
            assert_eq!(value_from_cell(&cell), value);
            assert_eq!(cell_from_value(&value), Some(cell));
        }
    }

    #[test]
    fn what_is_carried_has_one_scalar_of_its_own() {
        let cases = [
            (number("0"), "~0"),
            (number("-12"), "~-12"),
            (number("99.65"), "~99.65"),
            (CellValue::Text("=1".to_owned()), "~'=1"),
        ];
        for (cell, text) in cases {
            let value = Value::Text(text.to_owned());
            assert_eq!(value_from_carried(&cell), Some(value.clone()));
            assert_eq!(cell_from_value(&value), Some(cell.clone()));
            assert!(is_carried(&value) && !is_carried(&value_from_cell(&cell)));
        }
        assert_eq!(value_from_carried(&CellValue::Empty), None);
        assert_eq!(value_from_carried(&CellValue::NoOccurrence), None);
    }

    #[test]
    fn other_scalars_are_no_cell() {
        for text in [
            "", "1", "=1", "=1.0", "=01.5", "=1,5", "=", "=-0", "=+1.5", "=1e3", " =1.5", "~",
            "~=1.5", "~1.0", "~01", "~~1", "~-0", "~ 1",
        ] {
            assert_eq!(
                cell_from_value(&Value::Text(text.to_owned())),
                None,
                "{text:?}"
            );
        }
        assert_eq!(cell_from_value(&Value::Bytes(vec![1])), None);
    }
}
