//! The catalogue files that ship inside the product: transcribed forms, figures, org units and holidays.

/// Every file: its name under `catalogue/`, and its text.
const FILES: [(&str, &str); 6] = [
    (
        "calendar/viet-nam.txt",
        include_str!("../catalogue/calendar/viet-nam.txt"),
    ),
    (
        "figures/bao-cao-cchc-2022-thai-nguyen.json",
        include_str!("../catalogue/figures/bao-cao-cchc-2022-thai-nguyen.json"),
    ),
    (
        "forms/bao-cao-cchc-2022.json",
        include_str!("../catalogue/forms/bao-cao-cchc-2022.json"),
    ),
    (
        "forms/phu-luc-2-cap-huyen.json",
        include_str!("../catalogue/forms/phu-luc-2-cap-huyen.json"),
    ),
    (
        "org/thai-nguyen-2022.json",
        include_str!("../catalogue/org/thai-nguyen-2022.json"),
    ),
    (
        "org/thai-nguyen-2025.json",
        include_str!("../catalogue/org/thai-nguyen-2025.json"),
    ),
];

/// Every file: its name, and its text.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.into_iter()
}

/// The text of a file, by its name: `forms/bao-cao-cchc-2022.json`.
pub fn text(name: &str) -> Option<&'static str> {
    all()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| text)
}

/// The forms among them.
pub fn forms() -> impl Iterator<Item = (&'static str, &'static str)> {
    all().filter(|(name, _)| name.starts_with("forms/"))
}
