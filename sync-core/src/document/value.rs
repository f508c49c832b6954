//! A cell's value as the scalar that stands for it in an operation.

use crate::cell::CellValue;
use crate::gate::Value;
use crate::limits;
use crate::number::Number;

/// Marks a decimal, before its canonical text.
const DECIMAL_MARK: char = '=';
/// Marks words, before them.
const TEXT_MARK: char = '\'';

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

/// The value of a scalar; `None` for a scalar that [`value_from_cell`] never makes.
pub fn cell_from_value(value: &Value) -> Option<CellValue> {
    match value {
        Value::Null => Some(CellValue::Empty),
        Value::False => Some(CellValue::NoOccurrence),
        Value::Int(integer) => Some(CellValue::Number(Number::from(*integer))),
        Value::Text(text) if text.len() > limits::TEXT_BYTES_MAX => None,
        Value::Text(text) => {
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
    fn other_scalars_are_no_cell() {
        for text in [
            "", "1", "=1", "=1.0", "=01.5", "=1,5", "=", "=-0", "=+1.5", "=1e3", " =1.5",
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
