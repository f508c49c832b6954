//! Formulas: writing and parsing are inverse, results are right, ranges enclose.

use super::*;
use crate::number::Range;
use proptest::prelude::*;

fn parse(text: &str) -> Formula {
    text.parse().expect("a formula")
}

/// Formulas as the parser makes them: no negative numbers, no sums or products of one.
fn any_formula() -> impl Strategy<Value = Formula> {
    let leaf = prop_oneof![
        (0_u32..2_000, 0_u32..3).prop_map(|(digits, scale)| Formula::Number(
            Number::from_parts(i128::from(digits), scale).expect("small")
        )),
        "[A-C](\\.[1-9]){0,2}".prop_map(Formula::Cell),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner
                .clone()
                .prop_map(|operand| Formula::Negate(Box::new(operand))),
            proptest::collection::vec((any::<bool>(), inner.clone()), 2..4)
                .prop_map(|terms| { Formula::Sum(kinds(terms, Term::Add, Term::Subtract)) }),
            proptest::collection::vec((any::<bool>(), inner), 2..4).prop_map(|factors| {
                Formula::Product(kinds(factors, Factor::Multiply, Factor::Divide))
            }),
        ]
    })
}

fn kinds<K: Copy>(parts: Vec<(bool, Formula)>, first: K, second: K) -> Vec<(K, Formula)> {
    let kind = |index: usize, plain: bool| if index == 0 || plain { first } else { second };
    let parts = parts.into_iter().enumerate();
    parts
        .map(|(index, (plain, part))| (kind(index, plain), part))
        .collect()
}

proptest! {
    #[test]
    fn what_is_written_parses_to_the_same(formula in any_formula()) {
        prop_assert_eq!(formula.to_string().parse::<Formula>(), Ok(formula));
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "[-+*/()\\[\\] 0-9.IV]{0,40}") {
        if let Ok(formula) = text.parse::<Formula>() {
            prop_assert_eq!(formula.to_string().parse::<Formula>(), Ok(formula));
        }
    }

    /// Whichever rival is settled on, the result lies in the range computed from the rivals.
    #[test]
    fn a_range_encloses_every_settlement(
        formula in any_formula(),
        values in proptest::collection::vec((-20_i64..20, -20_i64..20), 26),
        picks in proptest::collection::vec(any::<bool>(), 26),
    ) {
        let slot = |code: &String| usize::from(code.as_bytes()[0] - b'A');
        let ranged = formula.evaluate(&|code| {
            let (a, b) = values[slot(code)];
            Ok(Range::between(a.into(), b.into()))
        });
        let settled = formula.evaluate(&|code| {
            let (a, b) = values[slot(code)];
            Ok(Range::from(Number::from(if picks[slot(code)] { a } else { b })))
        });
        if let (Ok(range), Ok(value)) = (ranged, settled) {
            let value = value.single().expect("single values in, single value out");
            prop_assert!(range.contains(value), "{} not in {:?} of {}", value, range, formula);
        }
    }

    /// Additive means: the formula of sums is the sum of the formulas.
    #[test]
    fn additive_formulas_add_up(
        formula in any_formula(),
        a in proptest::collection::vec(-20_i64..20, 3),
        b in proptest::collection::vec(-20_i64..20, 3),
    ) {
        prop_assume!(formula.is_additive());
        let slot = |code: &String| usize::from(code.as_bytes()[0] - b'A');
        let over = |values: &dyn Fn(usize) -> i64| formula.evaluate(&|code| {
            Ok(Range::from(Number::from(values(slot(code)))))
        });
        let together = over(&|i| a[i] + b[i]);
        if let (Ok(first), Ok(second), Ok(together)) =
            (over(&|i| a[i]), over(&|i| b[i]), together)
        {
            let difference = first.checked_add(second)
                .and_then(|sum| sum.checked_add(together.negated()))
                .expect("small sums");
            // Division by constants rounds in the eighteenth place.
            let tolerance = Number::from_parts(1, 9).expect("small");
            prop_assert!(difference.high().abs() <= tolerance, "{}", formula);
        }
    }
}

#[test]
fn printed_formulas_are_read() {
    let ratio = parse("100 * [I.2.2] / [I.2.1]");
    assert_eq!(ratio.to_string(), "100 * [I.2.2] / [I.2.1]");
    assert_eq!(
        ratio.ratio(),
        Some((&"I.2.2".to_owned(), &"I.2.1".to_owned()))
    );
    assert!(!ratio.is_additive());
    assert!(parse("[a] + [b] - 2 * [c]").is_additive());
    assert!(!parse("[a] + 1").is_additive());
    assert!(!parse("[a] * [b]").is_additive());
    let change = parse("100*([4.1.5.a]-[4.1.5.b])/[4.1.5.a]");
    assert_eq!(
        change.to_string(),
        "100 * ([4.1.5.a] - [4.1.5.b]) / [4.1.5.a]"
    );
    assert_eq!(change.references().len(), 3);
}

#[test]
fn outcomes_are_explicit() {
    let ratio = parse("100 * [a] / [b]");
    let over =
        |a: Outcome, b: Outcome| ratio.evaluate(&|code: &String| if code == "a" { a } else { b });
    let value = |n: i64| Ok(Range::from(Number::from(n)));
    assert_eq!(over(value(564), value(564)), value(100));
    assert_eq!(over(value(0), value(0)), Err(Unresolved::DivisionByZero));
    assert_eq!(
        over(Err(Unresolved::MissingInput), value(1)),
        Err(Unresolved::MissingInput)
    );
    let rivals = Ok(Range::between(Number::from(0), Number::from(5)));
    assert_eq!(over(value(1), rivals), Err(Unresolved::Unbounded));
    assert_eq!(
        over(rivals, value(10)),
        Ok(Range::between(Number::from(0), Number::from(50)))
    );
}

#[test]
fn bad_formulas_are_refused_by_name() {
    for (text, error) in [
        ("", FormulaError::Ends),
        ("[a] +", FormulaError::Ends),
        ("([a]", FormulaError::Ends),
        ("[a", FormulaError::Ends),
        ("[a] [b]", FormulaError::Unexpected(4)),
        ("1.50", FormulaError::Number(0)),
        ("[]", FormulaError::Code(0)),
        ("2 ^ 3", FormulaError::Unexpected(2)),
    ] {
        assert_eq!(text.parse::<Formula>(), Err(error), "{text:?}");
    }
    let deep = format!("{}1{}", "(".repeat(200), ")".repeat(200));
    assert_eq!(deep.parse::<Formula>(), Err(FormulaError::TooDeep));
    assert_eq!(
        "1 + ".repeat(1_000).parse::<Formula>(),
        Err(FormulaError::TooLong)
    );
}
