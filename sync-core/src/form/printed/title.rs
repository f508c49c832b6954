//! What the lines above the tables say about the whole form: its title, its period, who fills it.

use super::outline::is_letterhead;
use super::rows::{self, Event, SheetReading};
use super::wording::{begins_any, folded, has_any};
use super::{Asked, Confidence, Reason, Topic};
use crate::period::PeriodKind;

/// Lines above the first table of each sheet.
pub(super) fn titles(readings: &[SheetReading]) -> Vec<String> {
    let mut titles = Vec::new();
    for reading in readings.iter().filter(|reading| !reading.heads.is_empty()) {
        for event in &reading.events {
            match event {
                Event::Title(title) => titles.push(title.text.clone()),
                Event::Header | Event::Row(_) => break,
            }
        }
    }
    titles
}

/// The line that names the form: one that begins as titles do, else the first telling one.
pub(super) fn of(titles: &[String]) -> Option<String> {
    let telling = || titles.iter().filter(|text| !is_letterhead(text));
    let begins_so = |text: &&String| {
        begins_any(
            &folded(text),
            &[
                "bao cao",
                "thong ke",
                "tong hop",
                "bieu tong hop",
                "so lieu",
                "phieu",
                "ket qua",
                "phu luc",
                "he thong chi tieu",
                "bieu",
            ],
        ) && rows::form_label(text).is_none_or(|(_, _, rest)| !rest.is_empty())
    };
    telling()
        .find(begins_so)
        .or_else(|| telling().next())
        .cloned()
}

/// `Đơn vị báo cáo: UBND xã`.
pub(super) fn respondent(titles: &[String]) -> Option<String> {
    titles.iter().find_map(|text| {
        let (head, who) = text.split_once(':')?;
        let said = begins_any(
            &folded(head),
            &["don vi bao cao", "co quan bao cao", "don vi lap bao cao"],
        );
        let who = who.trim().trim_matches(['.', '…', ' ']);
        (said && !who.is_empty()).then(|| who.to_owned())
    })
}

/// The kind of period, and why.
pub(super) fn period(titles: &[String], asked: &Asked) -> (PeriodKind, Reason) {
    if let Some(period) = asked.period {
        return (
            period,
            Reason::new(Topic::Period, "period-asked", Confidence::High),
        );
    }
    let all: Vec<String> = titles.iter().map(|text| folded(text)).collect();
    let says = |phrases: &[&str]| all.iter().any(|text| has_any(text, phrases));
    let found = if says(&["6 thang", "sau thang", "ky 6 thang"]) {
        Some(PeriodKind::Half)
    } else if says(&["9 thang", "chin thang"]) {
        Some(PeriodKind::NineMonths)
    } else if says(&[
        "quy i",
        "quy ii",
        "quy iii",
        "quy iv",
        "hang quy",
        "bao cao quy",
        "quy",
    ]) {
        Some(PeriodKind::Quarter)
    } else if says(&["giai doan 2021 2025", "giai doan 2026 2030", "5 nam"]) {
        Some(PeriodKind::Programme)
    } else if says(&["hang thang", "bao cao thang"]) {
        Some(PeriodKind::Month)
    } else if says(&["nam", "ca nam", "hang nam"]) {
        Some(PeriodKind::Year)
    } else {
        None
    };
    match found {
        Some(period) => (
            period,
            Reason::new(Topic::Period, "period-in-title", Confidence::Medium),
        ),
        None => (
            PeriodKind::Year,
            Reason::new(Topic::Period, "period-guessed", Confidence::Low),
        ),
    }
}
