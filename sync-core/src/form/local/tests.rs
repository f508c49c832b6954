use proptest::prelude::*;

use super::*;
use crate::document::{Document, Edit, Entry, Subject};
use crate::form::validate::TemplateError;
use crate::form::{Aggregation, Template};
use crate::identity::{ActorId, ChangeHash};
use crate::report;

const NOW: i64 = 1_760_000_000;
const AREA: UnitId = UnitId([2; 8]);
const COMMUNE: UnitId = UnitId([4; 8]);

const FORM: &str = r#"{"schema":1,"id":"mau","version":1,"title":"Mẫu","period":"year","sections":[
{"id":"i","title":"Một","indicators":[
{"code":"1","stt":"1.","label":"Tổng","kind":"integer","formula":"[1.1] + [1.2]"},
{"code":"1.1","stt":"1.1","label":"Phần","kind":"integer","parent":"1"},
{"code":"1.1.1","label":"Trong đó","kind":"integer","parent":"1.1"},
{"code":"1.2","stt":"1.2","label":"Phần","kind":"integer","parent":"1"},
{"code":"2","stt":"2","label":"Tỷ lệ","kind":"percent"}]},
{"id":"ii","title":"Hai","indicators":[{"code":"3","stt":"3","label":"Ba","kind":"integer"}]}]}"#;

fn form(text: &str) -> Template {
    Template::from_json(text.replace('\n', "").as_bytes()).expect("it is a form")
}

fn draft(label: &str, section: &str, under: Option<&str>) -> RowDraft {
    RowDraft {
        label: label.to_owned(),
        label_en: String::new(),
        unit: "hộ".to_owned(),
        kind: Kind::Integer,
        choices: Vec::new(),
        place: RowPlace {
            section: section.to_owned(),
            under: under.map(str::to_owned),
        },
        help: String::new(),
    }
}

/// The document of a unit's rows, written by one actor after the other.
struct Rows {
    unit: UnitId,
    document: Document,
    actor: ActorId,
}

impl Rows {
    fn new(unit: UnitId, actor: u8) -> Self {
        let subject = Subject::local_rows("mau", unit);
        Self {
            unit,
            document: Document::new(subject).expect("genesis"),
            actor: ActorId([actor; 16]),
        }
    }

    fn now(&self) -> LocalRows {
        LocalRows::of(self.unit, &self.document.cells())
    }

    fn write(&mut self, edits: &[Edit]) -> Vec<u8> {
        let written = self.document.write(self.actor, edits);
        written.expect("it is taken").bytes
    }

    fn add(&mut self, template: &Template, draft: &RowDraft, random: u8) -> (String, Vec<u8>) {
        let id = LocalRowId::new(NOW, [random; 4]);
        let edits = add(template, &self.now(), id, draft, NOW).expect("it is added");
        (code(self.unit, id), self.write(&edits))
    }

    fn change(&mut self, template: &Template, row: &str, of: &RowChange) -> Vec<u8> {
        let edits = change(template, &self.now(), row, of, NOW).expect("it is changed");
        self.write(&edits)
    }
}

fn labels(template: &Template) -> Vec<(String, String)> {
    let rows = template.rows().iter();
    let local = rows.filter(|row| template.local_row(&row.code).is_some());
    local
        .map(|row| (row.stt.clone(), row.label.clone()))
        .collect()
}

fn named(label: &str) -> RowChange {
    RowChange {
        label: Some(label.to_owned()),
        ..RowChange::default()
    }
}

#[test]
fn a_row_stands_behind_the_parts_of_the_row_it_was_put_below() {
    let form = form(FORM);
    let mut area = Rows::new(AREA, 1);
    let mut commune = Rows::new(COMMUNE, 2);
    area.add(&form, &draft("của huyện", "i", Some("1")), 1);
    commune.add(&form, &draft("của xã", "i", Some("1")), 2);
    commune.add(&form, &draft("sâu hơn", "i", Some("1.2")), 3);
    commune.add(&form, &draft("cuối mục", "i", None), 4);
    commune.add(&form, &draft("trong mục hai", "ii", Some("3")), 5);
    let all = form.with_local_rows(&[area.now(), commune.now()]);
    let codes: Vec<&str> = all.rows().iter().map(|row| row.label.as_str()).collect();
    assert_eq!(
        codes,
        [
            "Tổng",
            "Phần",
            "Trong đó",
            "Phần",
            "sâu hơn",
            "của huyện",
            "của xã",
            "Tỷ lệ",
            "cuối mục",
            "Ba",
            "trong mục hai"
        ]
    );
    let ordinals: Vec<String> = labels(&all).into_iter().map(|(stt, _)| stt).collect();
    assert_eq!(ordinals, ["1.2+1", "1+1", "1+2", "+1", "3+1"]);
    // What the province made is as it was: its rows, its parts, its formulas and how they go up.
    for (index, row) in form.rows().iter().enumerate() {
        let at = all.row_index(&row.code).expect("it stays");
        assert_eq!(all.row(&row.code), Some(row));
        assert_eq!(all.aggregation(at), form.aggregation(index));
        assert_eq!(all.local_row(&row.code), None);
    }
    assert!(
        all.rows()
            .iter()
            .all(|row| row.parent.as_deref() != Some("1") || row.code.starts_with('1')),
        "no row of a unit is a part of one of the form"
    );
    assert_eq!(
        all.to_json().len() > form.to_json().len(),
        all.has_local_rows()
    );
    assert_eq!(
        all.aggregation(all.row_index(&all.rows()[4].code).unwrap()),
        Aggregation::Sum
    );
}

#[test]
fn a_form_without_rows_of_units_is_the_form() {
    let form = form(FORM);
    let nothing = Rows::new(AREA, 1).now();
    assert_eq!(form.with_local_rows(&[nothing]), form);
}

#[test]
fn rows_added_apart_are_both_kept_in_whatever_order_they_come() {
    let form = form(FORM);
    let mut one = Rows::new(COMMUNE, 1);
    let mut other = Rows::new(COMMUNE, 2);
    let (_, first) = one.add(&form, &draft("hàng một", "i", None), 7);
    let (_, second) = other.add(&form, &draft("hàng hai", "i", None), 8);
    one.document.apply([second.as_slice()]).expect("applied");
    other.document.apply([first.as_slice()]).expect("applied");
    assert_eq!(one.now(), other.now());
    assert_eq!(labels(&form.with_local_rows(&[one.now()])).len(), 2);
}

#[test]
fn who_renames_and_who_moves_at_once_both_have_their_way() {
    let form = form(FORM);
    let mut one = Rows::new(COMMUNE, 1);
    let (row, added) = one.add(&form, &draft("hàng", "i", None), 7);
    let mut other = Rows::new(COMMUNE, 2);
    other.document.apply([added.as_slice()]).expect("applied");
    let renamed = one.change(&form, &row, &named("tên mới"));
    let place = RowPlace {
        section: "ii".to_owned(),
        under: None,
    };
    let moves = RowChange {
        place: Some(place.clone()),
        ..RowChange::default()
    };
    other.change(&form, &row, &moves);
    other.document.apply([renamed.as_slice()]).expect("applied");
    let rows = other.now();
    assert_eq!(
        (&rows.rows[0].label[..], &rows.rows[0].place),
        ("tên mới", &place)
    );
    assert!(rows.rows[0].contested.is_empty());
}

#[test]
fn two_names_given_at_once_stand_side_by_side_and_saying_one_again_settles_it() {
    let form = form(FORM);
    let mut one = Rows::new(COMMUNE, 1);
    let (row, added) = one.add(&form, &draft("hàng", "i", None), 7);
    let mut other = Rows::new(COMMUNE, 2);
    other.document.apply([added.as_slice()]).expect("applied");
    let first = one.change(&form, &row, &named("tên một"));
    let second = other.change(&form, &row, &named("tên hai"));
    one.document.apply([second.as_slice()]).expect("applied");
    other.document.apply([first.as_slice()]).expect("applied");
    assert_eq!(one.now(), other.now(), "the same is shown everywhere");
    let rows = one.now();
    assert_eq!(rows.rows[0].contested, BTreeSet::from([Field::Label]));
    let shown = rows.rows[0].label.clone();
    one.change(&form, &row, &named(&shown));
    assert!(one.now().rows[0].contested.is_empty());
    assert_eq!(one.now().rows[0].label, shown);
}

#[test]
fn a_retired_row_is_not_shown_and_what_stands_in_it_blocks_nothing() {
    let form = form(FORM);
    let mut rows = Rows::new(COMMUNE, 1);
    let (row, added) = rows.add(&form, &draft("hàng", "i", None), 7);
    let retire = |retired| RowChange {
        retired: Some(retired),
        ..RowChange::default()
    };
    let mut other = Rows::new(COMMUNE, 2);
    other.document.apply([added.as_slice()]).expect("applied");
    let retired = rows.change(&form, &row, &retire(true));
    let without = form.with_local_rows(&[rows.now()]);
    assert_eq!(without, form);
    assert_eq!(rows.now().rows[0].label, "hàng", "it is kept");
    let rival = Rival {
        value: CellValue::Number(5.into()),
        actor: ActorId([1; 16]),
        claimed_at: NOW,
        change: ChangeHash([1; 32]),
    };
    let cells = BTreeMap::from([(row.clone(), vec![rival.clone()])]);
    assert_eq!(report::findings(&without, &cells), []);
    let unknown = BTreeMap::from([("9".to_owned(), vec![rival])]);
    assert_eq!(report::findings(&without, &unknown).len(), 1);
    // Somebody who says meanwhile that it is used is not overruled in silence.
    let again = other.change(&form, &row, &retire(true));
    rows.document.apply([again.as_slice()]).expect("applied");
    let back = rows.change(&form, &row, &retire(false));
    other
        .document
        .apply([retired.as_slice(), back.as_slice()])
        .expect("applied");
    assert!(!other.now().rows[0].retired);
}

#[test]
fn in_a_version_without_its_place_a_row_stands_at_the_end() {
    let old = form(FORM);
    let mut rows = Rows::new(COMMUNE, 1);
    rows.add(&old, &draft("dưới hàng mất", "i", Some("2")), 1);
    rows.add(&old, &draft("trong mục mất", "ii", Some("3")), 2);
    let newer = form(
        r#"{"schema":1,"id":"mau","version":2,"title":"Mẫu","period":"year","sections":[{"id":"i","title":"Một","indicators":[{"code":"1","stt":"1.","label":"Tổng","kind":"integer"}]},{"id":"iii","title":"Ba","indicators":[{"code":"9","label":"Chín","kind":"integer"}]}]}"#,
    );
    let all = newer.with_local_rows(&[rows.now()]);
    let order: Vec<&str> = all.rows().iter().map(|row| row.label.as_str()).collect();
    assert_eq!(order, ["Tổng", "dưới hàng mất", "Chín", "trong mục mất"]);
    assert!(all.local.values().all(|row| row.displaced));
    let here = old.with_local_rows(&[rows.now()]);
    assert!(here.local.values().all(|row| !row.displaced));
}

#[test]
fn no_row_of_the_form_is_changed_and_no_place_is_made_up() {
    let form = form(FORM);
    let mut rows = Rows::new(COMMUNE, 1);
    let (row, _) = rows.add(&form, &draft("hàng", "i", None), 7);
    let now = rows.now();
    let refused = |row: &str, of: &RowChange| change(&form, &now, row, of, NOW).unwrap_err();
    assert_eq!(
        refused("1.1", &named("x")),
        LocalRowError::Locked("1.1".into())
    );
    let elsewhere = code(AREA, LocalRowId::new(NOW, [7; 4]));
    assert_eq!(
        refused(&elsewhere, &named("x")),
        LocalRowError::Unknown(elsewhere.clone())
    );
    assert_eq!(refused(&row, &named("  ")), LocalRowError::LabelMissing);
    let id = LocalRowId::new(NOW, [9; 4]);
    let adds = |draft: &RowDraft| add(&form, &now, id, draft, NOW).unwrap_err();
    assert_eq!(
        adds(&draft("x", "i", Some("nowhere"))),
        LocalRowError::Place("nowhere".into())
    );
    assert_eq!(
        adds(&draft("x", "v", None)),
        LocalRowError::Place("v".into())
    );
    let all = form.with_local_rows(std::slice::from_ref(&now));
    let under = draft("x", "i", Some(&row));
    assert_eq!(
        add(&all, &now, id, &under, NOW),
        Err(LocalRowError::Place(row.clone())),
        "not below a row of a unit"
    );
    let choice = RowDraft {
        kind: Kind::Choice,
        ..draft("x", "i", None)
    };
    assert!(matches!(
        adds(&choice),
        LocalRowError::Template(TemplateError::Choices(_))
    ));
    let heading = RowDraft {
        kind: Kind::Heading,
        ..draft("x", "i", None)
    };
    assert_eq!(adds(&heading), LocalRowError::Heading);
    let long = draft(&"x".repeat(limits::LOCAL_ROW_TEXT_BYTES_MAX + 1), "i", None);
    assert_eq!(adds(&long), LocalRowError::TextTooLong);
}

#[test]
fn a_unit_adds_as_many_rows_as_it_may_and_no_more() {
    let form = form(FORM);
    let mut rows = Rows::new(COMMUNE, 1);
    for at in 0..limits::LOCAL_ROWS_MAX {
        rows.add(&form, &draft("hàng", "i", None), at as u8);
    }
    let id = LocalRowId::new(NOW, [255; 4]);
    let one_more = add(&form, &rows.now(), id, &draft("x", "i", None), NOW);
    assert_eq!(one_more, Err(LocalRowError::TooMany));
}

#[test]
fn no_template_has_the_code_of_a_row_of_a_unit() {
    let row = code(COMMUNE, LocalRowId::new(NOW, [7; 4]));
    assert_eq!(of_code(&row), Some((COMMUNE, LocalRowId::new(NOW, [7; 4]))));
    let text = FORM
        .replace("\"code\":\"3\"", &format!("\"code\":\"{row}\""))
        .replace('\n', "");
    assert!(matches!(
        Template::from_json(text.as_bytes()),
        Err(TemplateError::Name { what: "code", .. })
    ));
    // A code that merely begins like one is nobody's.
    let plus = FORM
        .replace("\"code\":\"3\"", "\"code\":\"+3\"")
        .replace('\n', "");
    assert!(Template::from_json(plus.as_bytes()).is_ok());
}

fn cells() -> impl Strategy<Value = BTreeMap<String, Vec<Rival>>> {
    let key = prop_oneof![
        4 => (0u8..4, 0usize..Field::NAMES.len()).prop_map(|(row, field)| {
            Field::NAMES[field].0.key(LocalRowId::new(i64::from(row), [row; 4]))
        }),
        1 => "[0-9a-f/a-z_+.]{0,24}",
    ];
    let text = prop_oneof![
        Just("choice".to_owned()),
        Just("heading".to_owned()),
        Just("i>1.1".to_owned()),
        Just(">".to_owned()),
        Just("1 = Có\n1 = Không\nx\n2=".to_owned()),
        "\\PC{0,12}",
        "[\\x00-\\x7f]{0,12}",
    ];
    let value = prop_oneof![
        3 => text.prop_map(CellValue::Text),
        1 => any::<i64>().prop_map(|number| CellValue::Number(number.into())),
        1 => Just(CellValue::Number(1.into())),
        1 => Just(CellValue::Empty),
        1 => Just(CellValue::NoOccurrence),
    ];
    let rival = (value, any::<u8>()).prop_map(|(value, change)| Rival {
        value,
        actor: ActorId([change; 16]),
        claimed_at: NOW,
        change: ChangeHash([change; 32]),
    });
    prop::collection::btree_map(key, prop::collection::vec(rival, 1..3), 0..24)
}

proptest! {
    /// Whatever anybody's program wrote: every row in use is in the form once, and the form's own are untouched.
    #[test]
    fn every_document_makes_a_form(of_area in cells(), of_commune in cells()) {
        let form = form(FORM);
        let all = [LocalRows::of(AREA, &of_area), LocalRows::of(COMMUNE, &of_commune)];
        let with = form.with_local_rows(&all);
        let count: usize = all.iter().map(|rows| rows.in_use().count()).sum();
        prop_assert_eq!(with.rows().len(), form.rows().len() + count);
        for rows in &all {
            for row in rows.in_use() {
                let placed = with.row(&code(rows.unit, row.id));
                prop_assert_eq!(placed.map(|placed| &placed.label), Some(&row.label));
            }
        }
        let own: Vec<_> = with.rows().iter().filter(|row| !is_code(&row.code)).cloned().collect();
        prop_assert_eq!(own, form.rows());
    }

    /// What a person adds is what stands, to the letter but for white space.
    #[test]
    fn what_is_added_stands(label in "\\PC{1,40}", help in "\\PC{0,40}", kind in 0usize..6) {
        let form = form(FORM);
        let kind = Kind::NAMES[kind].0;
        let label_of = legible(&help);
        let is_choice = kind == Kind::Choice;
        let choices: Vec<Choice> = is_choice.then_some(Choice { value: -1, label: label_of }).into_iter().collect();
        let draft = RowDraft { kind, choices: choices.clone(), help: help.clone(), ..draft(&label, "i", None) };
        let mut rows = Rows::new(COMMUNE, 1);
        let id = LocalRowId::new(NOW, [7; 4]);
        match add(&form, &rows.now(), id, &draft, NOW) {
            Err(error) => prop_assert_eq!(error, LocalRowError::LabelMissing),
            Ok(edits) => {
                rows.write(&edits);
                let now = rows.now();
                let row = now.row(id).expect("it stands");
                prop_assert_eq!(&row.label, &legible(&label));
                prop_assert_eq!(row.help.clone().unwrap_or_default(), legible(&help));
                prop_assert_eq!(row.kind, kind);
                prop_assert_eq!(&row.choices, &choices);
            }
        }
    }
}

#[test]
fn a_field_is_a_cell_of_its_own() {
    let id = LocalRowId::new(NOW, [7; 4]);
    for (field, _) in Field::NAMES {
        assert!(is_key(&field.key(id)), "{field:?}");
    }
    for other in [
        "1.1",
        "1.1/label",
        "",
        "/",
        "0123456789abcdef/",
        "0123456789abcdef",
        "0123456789ABCDEF/label",
    ] {
        assert!(!is_key(other), "{other:?}");
    }
    let entry = |code: String| Entry::Cell {
        code,
        value: CellValue::Empty,
    };
    let mut rows = Rows::new(COMMUNE, 1);
    rows.write(&[Edit {
        entry: entry("1.1".to_owned()),
        typed_at: NOW,
    }]);
    assert_eq!(rows.now().rows, []);
}

/// What a unit adds, were it word for word what the form asks for, changes nothing that is said of the form's own rows.
#[test]
fn rows_of_units_change_no_finding_about_rows_of_the_form() {
    use crate::report::review::{Beside, Checks, review};
    let text = crate::catalogue_files::text("forms/bao-cao-cchc-2022.json").expect("it ships");
    let form = Template::import(text, 1).expect("it is a form");
    let mut all = Vec::new();
    for (at, row) in form.rows().iter().enumerate() {
        let mut cells = BTreeMap::new();
        let mut put = |field: Field, text: &str| {
            let value = CellValue::Text(text.to_owned());
            let change = ChangeHash([1; 32]);
            let actor = ActorId([1; 16]);
            let rival = Rival {
                value,
                actor,
                claimed_at: NOW,
                change,
            };
            cells.insert(field.key(LocalRowId::new(NOW, [1; 4])), vec![rival]);
        };
        put(Field::Label, &row.label);
        put(Field::Unit, &row.unit);
        put(Field::Kind, row.kind.name());
        put(
            Field::Place,
            &format!("{}>{}", form.sections()[0].id, row.code),
        );
        all.push(LocalRows::of(UnitId([at as u8 + 1; 8]), &cells));
    }
    let with = form.with_local_rows(&all);
    assert_eq!(with.rows().len(), 2 * form.rows().len());
    let number = |value: i64| {
        let change = ChangeHash([2; 32]);
        let actor = ActorId([2; 16]);
        vec![Rival {
            value: CellValue::Number(value.into()),
            actor,
            claimed_at: NOW,
            change,
        }]
    };
    let codes = form.rows().iter().enumerate();
    let own: BTreeMap<_, _> = codes
        .map(|(at, row)| (row.code.clone(), number(at as i64 * 7 % 113)))
        .collect();
    let mut both = own.clone();
    both.extend(with.local.keys().map(|code| (code.clone(), number(5))));
    let found = |template: &Template, cells: &BTreeMap<String, Vec<Rival>>| {
        let all = review(template, &Checks::of(template), cells, &Beside::default());
        all.into_iter()
            .filter(|one| !is_code(&one.code))
            .collect::<Vec<_>>()
    };
    let before = found(&form, &own);
    assert!(
        before.len() > 20
            && before
                .iter()
                .any(|one| one.rule.code() == "reported_elsewhere")
    );
    assert_eq!(found(&with, &both), before);
    let of_local = review(&with, &Checks::of(&with), &both, &Beside::default());
    assert!(
        of_local
            .iter()
            .any(|one| is_code(&one.code) && one.rule.code() == "reported_elsewhere"),
        "a unit that asks again for what the form asks for is told"
    );
}
