//! Sections that only numbers name, found once the whole form is laid out.

use super::super::ordinal::{self, Scheme};
use super::super::sheet::Sheet;
use super::super::{Confidence, Reason, Skip, SkippedLine, Topic};
use super::{Outline, OutlineSection, dotted, is_bare, single_piece};
use std::collections::{BTreeMap, BTreeSet};

/// Once a later table needed a numeral, the first one, which began without, gets its own.
pub(super) fn number_the_first(outline: &mut Outline) {
    let Some(first) = outline
        .sections
        .first_mut()
        .filter(|first| first.printed.is_none())
    else {
        return;
    };
    let numeral = ordinal::roman_text(1);
    first.printed = Some(numeral.clone());
    for row in outline.rows.iter_mut().filter(|row| row.section == 0) {
        row.code = format!("{numeral}.{}", row.code);
    }
}

/// Where every row at the top of a form is a bare number with parts `1.1`, `1.2`, the numbers are
/// sections: their rows begin with the number as it is.
pub(super) fn promote_numbers(outline: &mut Outline, sheets: &[Sheet]) {
    let numbered = |section: &OutlineSection| section.printed.is_some();
    let tops: Vec<usize> = (0..outline.rows.len())
        .filter(|index| {
            outline
                .rows
                .get(*index)
                .is_some_and(|row| row.parent.is_none())
        })
        .collect();
    let mut has_parts: BTreeSet<usize> = BTreeSet::new();
    for row in &outline.rows {
        if let Some(parent) = row.parent {
            let dotted = dotted(&row.row);
            if dotted {
                has_parts.insert(parent);
            }
        }
    }
    let opens = |index: &usize| {
        outline.rows.get(*index).is_some_and(|row| {
            is_bare(&row.row)
                && row.row.places.has_units
                && single_piece(&row.row).is_some_and(|piece| piece.scheme == Scheme::Number)
                && has_parts.contains(index)
        })
    };
    if outline.sections.iter().any(numbered) || tops.len() < 2 || !tops.iter().all(opens) {
        return;
    }
    let old = std::mem::take(&mut outline.rows);
    let old_sections = std::mem::take(&mut outline.sections);
    // New index of each old row; those that became sections have none.
    let mut moved: BTreeMap<usize, usize> = BTreeMap::new();
    for (index, mut row) in old.into_iter().enumerate() {
        if tops.contains(&index) {
            let of = old_sections.get(row.section);
            let printed = single_piece(&row.row).map(|piece| piece.text.clone());
            outline.section_lines.push(SkippedLine {
                sheet: sheets
                    .get(row.row.sheet)
                    .map(|sheet| sheet.name().to_owned())
                    .unwrap_or_default(),
                row: row.row.line.saturating_add(1),
                through: row.row.line.saturating_add(1),
                text: format!("{} | {}", row.row.stt, row.row.label),
                why: Skip::Section,
            });
            outline.sections.push(OutlineSection {
                prefix: printed.clone(),
                printed,
                title: row.row.label,
                form_label: of.and_then(|of| of.form_label.clone()),
                sheet: of.map(|of| of.sheet.clone()).unwrap_or_default(),
            });
            continue;
        }
        row.section = outline.sections.len().saturating_sub(1);
        row.parent = row.parent.and_then(|parent| moved.get(&parent).copied());
        if row.parent.is_none() {
            row.reasons.retain(|reason| reason.topic != Topic::Parent);
            row.reasons
                .push(Reason::new(Topic::Parent, "parent-none", Confidence::High));
        }
        moved.insert(index, outline.rows.len());
        outline.rows.push(row);
    }
}
