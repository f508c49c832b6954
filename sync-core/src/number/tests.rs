//! Numbers: laws of the arithmetic, canonical text, and what people type.

use super::vietnamese::{Question, Reading, Refusal};
use super::*;
use proptest::prelude::*;

/// Any number the type can hold, small and common ones as often as extreme ones.
pub(crate) fn any_number() -> impl Strategy<Value = Number> {
    let small = (-100_000_i128..100_000, 0_u32..4);
    let large = (
        -(MANTISSA_END as i128) + 1..MANTISSA_END as i128,
        0..=DIGITS_MAX,
    );
    prop_oneof![small, large].prop_map(|(mantissa, scale)| {
        Number::from_parts(mantissa, scale).expect("in bounds by construction")
    })
}

proptest! {
    #[test]
    fn canonical_text_round_trips(number in any_number()) {
        prop_assert_eq!(Number::from_canonical(&number.canonical()), Ok(number));
    }

    #[test]
    fn what_reads_as_canonical_writes_the_same(text in "-?[0-9]{1,4}(\\.[0-9]{0,3})?") {
        if let Ok(number) = Number::from_canonical(&text) {
            prop_assert_eq!(number.canonical(), text);
        }
    }

    #[test]
    fn vietnamese_text_round_trips(number in any_number()) {
        let text = number.to_vietnamese();
        prop_assert_eq!(read(&text), Reading::Clear(Typed { number, percent: false }));
        let percent = format!("\u{a0}{text} %");
        prop_assert_eq!(read(&percent), Reading::Clear(Typed { number, percent: true }));
    }

    #[test]
    fn typed_text_never_panics_and_questions_hold_readings(text in "[-−]?[0-9., \u{a0}]{0,14}%?") {
        if let Reading::Unsure { readings, .. } = read(&text) {
            prop_assert!(!readings.is_empty());
        }
        let _ = read_whole(&text);
    }

    #[test]
    fn sums_and_products_commute_and_undo(a in any_number(), b in any_number()) {
        prop_assert_eq!(a.checked_add(b), b.checked_add(a));
        prop_assert_eq!(a.checked_mul(b), b.checked_mul(a));
        if let Ok(sum) = a.checked_add(b) {
            prop_assert_eq!(sum.checked_sub(b), Ok(a));
        }
        if let Ok(product) = a.checked_mul(b)
            && b != Number::ZERO
            && product.scale() <= DIVISION_PLACES
            && a.scale() <= DIVISION_PLACES
        {
            prop_assert_eq!(product.checked_div(b), Ok(a));
        }
    }

    #[test]
    fn a_quotient_is_the_nearest(a in -1_000_000_i64..1_000_000, b in 1_i64..10_000) {
        let (a, b) = (Number::from(a), Number::from(b));
        let quotient = a.checked_div(b).expect("a small quotient");
        // 10^18 times the rest is at most half the divisor.
        let back = rust_decimal::Decimal::from_i128_with_scale(
            quotient.mantissa() * b.mantissa(),
            quotient.scale(),
        );
        let rest = (rust_decimal::Decimal::from(a.mantissa() as i64) - back).abs();
        let half = rust_decimal::Decimal::from_i128_with_scale(5 * b.mantissa(), DIVISION_PLACES + 1);
        prop_assert!(rest <= half, "{} / {} = {}", a, b, quotient);
    }

    #[test]
    fn order_is_that_of_the_values(a in any_number(), b in any_number()) {
        if let Ok(difference) = a.checked_sub(b) {
            prop_assert_eq!(difference.cmp(&Number::ZERO), a.cmp(&b));
        }
    }
}

fn number(text: &str) -> Number {
    Number::from_canonical(text).expect("canonical in the test")
}

#[test]
fn only_the_canonical_text_is_canonical() {
    for text in [
        "",
        "-",
        "+1",
        "01",
        "1.",
        ".5",
        "1.50",
        "-0",
        "1e3",
        "1,5",
        " 1",
        "00",
        "-0.0",
        "100000000000000000000000000000",
    ] {
        assert!(Number::from_canonical(text).is_err(), "{text:?}");
    }
    for text in [
        "0",
        "-1",
        "1893",
        "99.65",
        "-0.001",
        "9999999999999999999999999999",
    ] {
        assert_eq!(number(text).canonical(), text);
    }
}

#[test]
fn integers_are_stored_as_integers() {
    assert_eq!(number("1893").as_i64(), Some(1893));
    assert_eq!(number("99.65").as_i64(), None);
    assert_eq!(number("9223372036854775808").as_i64(), None);
    assert_eq!(Number::from(i64::MIN).as_i64(), Some(i64::MIN));
}

#[test]
fn division_rounds_as_written() {
    let third = Number::from(1).checked_div(Number::from(3));
    assert_eq!(third, Ok(number("0.333333333333333333")));
    let two_thirds = Number::from(-2).checked_div(Number::from(3));
    assert_eq!(two_thirds, Ok(number("-0.666666666666666667")));
    assert_eq!(
        Number::from(1).checked_div(Number::ZERO),
        Err(ArithmeticError::DivisionByZero)
    );
    let large = number("9999999999999999999999999999");
    assert_eq!(large.checked_div(Number::from(1)), Ok(large));
    assert_eq!(
        large.checked_div(number("0.1")),
        Err(ArithmeticError::TooManyDigits)
    );
    assert_eq!(number("99.645").rounded(2), number("99.65"));
    assert_eq!(number("-0.5").rounded(0), number("-1"));
}

#[test]
fn clear_input_is_read() {
    for (text, value) in [
        ("1.893", "1893"),
        ("99,65", "99.65"),
        ("946.181", "946181"),
        ("946181", "946181"),
        ("1.234.567,5", "1234567.5"),
        ("5.992.283", "5992283"),
        ("99,68 %", "99.68"),
        ("100%", "100"),
        ("\u{2212}12", "-12"),
        ("-1.234,50", "-1234.5"),
        ("1\u{a0}893", "1893"),
        (" 1 234 567,25 ", "1234567.25"),
        ("0,5", "0.5"),
        ("0", "0"),
        ("-0", "0"),
        ("1,893", "1.893"),
    ] {
        match read(text) {
            Reading::Clear(typed) => assert_eq!(typed.number, number(value), "{text:?}"),
            other @ (Reading::Unsure { .. } | Reading::Refused(_)) => panic!("{text:?}: {other:?}"),
        }
    }
}

#[test]
fn unclear_input_is_a_question() {
    for (text, question, values) in [
        ("99.68", Question::DotAsDecimalMark, vec!["99.68", "9968"]),
        ("0.893", Question::DotAsDecimalMark, vec!["0.893", "893"]),
        (
            "1234.567",
            Question::DotAsDecimalMark,
            vec!["1234.567", "1234567"],
        ),
        ("1,893.5", Question::ForeignMarks, vec!["1893.5"]),
        ("1,234,567", Question::ForeignMarks, vec!["1234567"]),
        ("1.23.4", Question::Grouping, vec!["1234"]),
        ("12 34", Question::Grouping, vec!["1234"]),
        ("12.34,5", Question::Grouping, vec!["1234.5"]),
        ("007", Question::LeadingZeros, vec!["7"]),
    ] {
        let readings = values.into_iter().map(number).collect();
        assert_eq!(
            read(text),
            Reading::Unsure { question, readings },
            "{text:?}"
        );
    }
}

#[test]
fn decimals_where_whole_numbers_belong_are_asked_about_with_whole_numbers() {
    for (text, values) in [
        ("1,893", vec!["1893"]),
        ("1,890", vec!["1890"]),
        ("-1,893", vec!["-1893"]),
        ("99,65", vec!["100", "9965"]),
        ("12,5", vec!["13", "125"]),
        ("-12,5", vec!["-13", "-125"]),
        ("0,5", vec!["1", "5"]),
        ("1.234,5", vec!["1235", "12345"]),
        ("99.68", vec!["100", "9968"]),
        ("1,893.5", vec!["1894"]),
        ("12.34,5", vec!["1235"]),
    ] {
        let readings = values.into_iter().map(number).collect();
        let question = Question::NotWhole;
        let asked = Reading::Unsure { question, readings };
        assert_eq!(read_whole(text), asked, "{text:?}");
    }
    for text in ["1.893", "1,234,567", "007", "99,65 %", "12a"] {
        assert_eq!(read_whole(text), read(text), "{text:?}");
    }
}

#[test]
fn what_is_no_number_is_refused() {
    for (text, refusal) in [
        ("", Refusal::NoDigits),
        ("-", Refusal::NoDigits),
        ("%", Refusal::NoDigits),
        ("1.", Refusal::Marks),
        (",5", Refusal::Marks),
        ("1..2", Refusal::Marks),
        ("12a", Refusal::Character('a')),
        ("(564/1931)*100=29%", Refusal::Character('(')),
        ("1-2", Refusal::Character('-')),
        ("12345678901234567890123456789", Refusal::TooManyDigits),
    ] {
        assert_eq!(read(text), Reading::Refused(refusal), "{text:?}");
    }
    assert_eq!(read(&"1".repeat(200)), Reading::Refused(Refusal::TooLong));
}
