//! Which column holds what, by the words of the header: in any order, over one to three rows.

use super::sheet::{Field, Line};
use super::wording::{begins_any, folded};
use std::collections::BTreeMap;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The ordinal: STT.
    Ordinal,
    /// A code of its own: Mã số.
    Code,
    /// The label: Chỉ tiêu.
    Label,
    /// The unit of measure: Đơn vị tính.
    Unit,
    /// A figure: Số liệu.
    Figure,
    /// A note: Ghi chú.
    Note,
    /// Something else.
    Other,
}

impl Role {
    /// Its name for machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ordinal => "stt",
            Self::Code => "code",
            Self::Label => "label",
            Self::Unit => "unit",
            Self::Figure => "figure",
            Self::Note => "note",
            Self::Other => "other",
        }
    }
}

/// One column under a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// From 0.
    pub column: u32,
    /// The header over it.
    pub heading: String,
    /// What it holds.
    pub role: Role,
    /// The words of a header that is spread over this and other columns.
    pub(super) spread: bool,
}

/// The columns of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) columns: Vec<Column>,
    /// Lines that the header takes.
    pub(super) depth: usize,
}

impl Columns {
    pub(super) fn first(&self, role: Role) -> Option<u32> {
        self.all(role).next()
    }

    pub(super) fn all(&self, role: Role) -> impl Iterator<Item = u32> {
        let of_role = self
            .columns
            .iter()
            .filter(move |column| column.role == role);
        of_role.map(|column| column.column)
    }

    fn has(&self, role: Role) -> bool {
        self.first(role).is_some()
    }

    fn is_table(&self) -> bool {
        let sure = [Role::Ordinal, Role::Code, Role::Unit, Role::Note];
        let sure = sure.iter().any(|role| self.has(*role));
        self.has(Role::Label) && (sure || self.has(Role::Figure))
    }

    pub(super) fn roles(&self) -> usize {
        let all = [
            Role::Ordinal,
            Role::Code,
            Role::Label,
            Role::Unit,
            Role::Figure,
            Role::Note,
        ];
        all.iter().filter(|role| self.has(**role)).count()
    }
}

/// What the words of a header say, if they are known.
fn role_of(heading: &str) -> Option<Role> {
    let words = folded(&super::wording::without_brackets(heading));
    let joined: String = words.split(' ').collect();
    if words.is_empty() || words.len() > 60 {
        return None;
    }
    let is = |known: &[&str]| known.contains(&words.as_str());
    let joined_is = |known: &[&str]| known.contains(&joined.as_str());
    if joined_is(&[
        "stt", "tt", "sott", "sothutu", "thutu", "no", "somuc", "muc", "sotttt",
    ]) {
        return Some(Role::Ordinal);
    }
    if joined_is(&[
        "maso",
        "ma",
        "machitieu",
        "masochitieu",
        "ms",
        "mahieu",
        "machiso",
        "code",
    ]) {
        return Some(Role::Code);
    }
    if joined_is(&[
        "dvt",
        "donvitinh",
        "donvi",
        "dvtinh",
        "donvido",
        "dvdo",
        "unit",
        "donvidem",
    ]) || begins_any(&words, &["don vi tinh", "dvt", "don vi do", "d v t"])
    {
        return Some(Role::Unit);
    }
    if begins_any(
        &words,
        &[
            "ghi chu",
            "chu thich",
            "giai trinh",
            "giai thich",
            "chu giai",
            "cach tinh",
            "cong thuc",
            "huong dan",
            "thuyet minh",
            "note",
            "notes",
            "luu y",
            "phuong phap tinh",
        ],
    ) {
        return Some(Role::Note);
    }
    let labels = [
        "chi tieu",
        "ten chi tieu",
        "noi dung",
        "tieu chi",
        "danh muc",
        "ten danh muc",
        "hang muc",
        "ten hang muc",
        "dien giai",
        "chi so",
        "ten chi so",
        "nhom chi tieu",
        "cac chi tieu",
        "cac tieu chi",
        "ten tieu chi",
        "cac noi dung",
        "indicator",
        "indicators",
        "item",
        "content",
        "chi tieu/noi dung",
        "noi dung/chi tieu",
    ];
    let whole_labels = [
        "thong tin",
        "khoan muc",
        "phan to",
        "nhiem vu",
        "linh vuc",
        "loai hinh",
        "doi tuong",
        "loai dat",
        "ten",
        "ten san pham",
        "loai",
        "cong viec",
    ];
    if begins_any(&words, &labels) && !is(&["noi dung ghi chu"]) || is(&whole_labels) {
        return Some(Role::Label);
    }
    let others = [
        "co quan",
        "don vi thuc hien",
        "don vi bao cao",
        "don vi chiu",
        "don vi cung cap",
        "don vi chu tri",
        "nguon",
        "can cu",
        "tai lieu",
        "ky cong bo",
        "thoi han",
        "thoi gian",
    ];
    if begins_any(&words, &others) {
        return Some(Role::Other);
    }
    let figures = [
        "so lieu",
        "gia tri",
        "ket qua",
        "so luong",
        "thuc hien",
        "ky bao cao",
        "so bao cao",
        "tong so",
        "thuc te",
        "uoc",
        "so thuc hien",
        "nam",
        "quy",
        "luy ke",
        "ke hoach",
        "so ky",
        "trong ky",
        "ky truoc",
        "cung ky",
        "dat duoc",
        "value",
        "thang",
        "tong",
        "so sanh",
        "chinh thuc",
        "du kien",
        "6 thang",
        "9 thang",
        "ty le",
        "so chinh thuc",
        "figure",
    ];
    let figure = begins_any(&words, &figures) && words.len() <= 40 || is(&["so"]);
    figure.then_some(Role::Figure)
}

/// How many lines a header may take.
const DEPTH_MAX: usize = 3;

/// The header that begins at the first of these lines, if one does.
pub(super) fn find(lines: &[Line]) -> Option<Columns> {
    let found = find_here(lines)?;
    // A title right above a header is no part of it: the header begins where it says as much alone.
    let below = lines
        .get(1..found.depth.max(1))
        .and_then(|_| find_here(lines.get(1..)?));
    let enough = below.is_some_and(|below| found.depth > 1 && below.roles() >= found.roles());
    (!enough).then_some(found)
}

fn find_here(lines: &[Line]) -> Option<Columns> {
    let mut best: Option<Columns> = None;
    for depth in 1..=DEPTH_MAX.min(lines.len()) {
        let Some(band) = lines.get(..depth) else {
            break;
        };
        if !adjacent(band) {
            break;
        }
        let Some(found) = columns_of(band) else {
            continue;
        };
        let better = best
            .as_ref()
            .is_none_or(|best| found.roles() > best.roles());
        if better {
            best = Some(found);
        }
    }
    let mut best = best?;
    while let Some(line) = lines.get(best.depth)
        && best.depth < DEPTH_MAX + 1
        && is_sub_header(&best, line)
    {
        best.depth += 1;
        let band = lines.get(..best.depth)?;
        let kept = best.clone();
        best = Columns {
            depth: best.depth,
            columns: columns_of(band).map_or(kept.columns, |wider| wider.columns),
        };
    }
    Some(best)
}

/// Lines without an empty row between them.
fn adjacent(band: &[Line]) -> bool {
    band.windows(2).all(|pair| match pair {
        [above, below] => below.row == above.row + 1,
        _ => true,
    })
}

/// A line below the header that only divides its wide columns.
fn is_sub_header(columns: &Columns, line: &Line) -> bool {
    let Some(label) = columns.first(Role::Label) else {
        return false;
    };
    let mut own = line.own().peekable();
    if own.peek().is_none() {
        return false;
    }
    let over_label = line.at(label);
    if over_label.is_some_and(|field| !field.covered) {
        return false;
    }
    let under_figures = |field: &Field| {
        let column = columns
            .columns
            .iter()
            .find(|one| one.column == field.first_column);
        let figure =
            column.is_none_or(|one| matches!(one.role, Role::Figure | Role::Other) || one.spread);
        figure && !field.cell.number && field.cell.text.chars().any(char::is_alphabetic)
    };
    own.all(under_figures)
}

/// Joins what stands over each column and asks what it means.
fn columns_of(band: &[Line]) -> Option<Columns> {
    let mut headings: BTreeMap<u32, (Vec<&str>, bool)> = BTreeMap::new();
    // A header that is merged over rows stands in its first line; below it is the same one.
    for line in band {
        for field in line.own() {
            let spread = field.last_column > field.first_column;
            for column in field.first_column..=field.last_column.min(field.first_column + 63) {
                let (texts, wide) = headings.entry(column).or_default();
                texts.push(field.cell.text.trim());
                *wide |= spread;
            }
        }
        // A number in a header is a year or a column's number; several make a line of data.
        let numbers = line
            .own()
            .filter(|field| field.cell.number && field.cell.text.len() != 4);
        if numbers.count() > 0 || line.own().any(is_ordinal) {
            return None;
        }
    }
    let mut columns: Vec<Column> = Vec::new();
    for (column, (texts, spread)) in headings {
        let heading = texts.join(" ");
        let whole = role_of(&heading);
        let role = whole.or_else(|| texts.iter().rev().find_map(|text| role_of(text)));
        columns.push(Column {
            column,
            heading,
            role: role.unwrap_or(Role::Other),
            spread,
        });
    }
    only_one(&mut columns, Role::Ordinal);
    only_one(&mut columns, Role::Unit);
    one_label(&mut columns);
    // A merged header of "Chỉ tiêu" over two columns: the first has ordinals or the words.
    let mut found = Columns {
        columns,
        depth: band.len(),
    };
    if !found.has(Role::Label) {
        label_without_heading(&mut found);
    }
    found.is_table().then_some(found)
}

/// `1.`, `II`: what begins a row of data. No header has it, but for the numbers of years.
fn is_ordinal(field: &Field) -> bool {
    let text = field.cell.text.trim();
    text.len() <= 8 && text.parse::<u32>().is_ok_and(|number| number < 1_900)
        || text.len() <= 8
            && !text.bytes().all(|byte| byte.is_ascii_digit())
            && matches!(super::ordinal::read(text), super::ordinal::Ordinal::Path(_))
}

/// A second column of a role that a table has once holds something else.
fn only_one(columns: &mut [Column], role: Role) {
    let mut seen = false;
    for column in columns.iter_mut().filter(|column| column.role == role) {
        if seen {
            column.role = Role::Other;
        }
        seen = true;
    }
}

/// "Nội dung" beside "Chỉ tiêu": the first of the likelier words is the label.
fn one_label(columns: &mut [Column]) {
    let sure = |column: &Column| {
        column.role == Role::Label && folded(&column.heading).contains("chi tieu")
    };
    let chosen = columns
        .iter()
        .position(sure)
        .or_else(|| columns.iter().position(|column| column.role == Role::Label));
    for (index, column) in columns.iter_mut().enumerate() {
        if column.role == Role::Label && Some(index) != chosen {
            column.role = Role::Other;
        }
    }
}

/// A header that leaves the label's place empty or calls it something unknown: it stands between the
/// ordinal and the unit.
fn label_without_heading(found: &mut Columns) {
    let (Some(ordinal), true) = (
        found.first(Role::Ordinal),
        found.has(Role::Unit) || found.has(Role::Figure),
    ) else {
        return;
    };
    let next = ordinal + 1;
    match found
        .columns
        .iter_mut()
        .find(|column| column.column == next)
    {
        Some(column) if column.role == Role::Other => column.role = Role::Label,
        Some(_) => {}
        None => found.columns.push(Column {
            column: next,
            heading: String::new(),
            role: Role::Label,
            spread: false,
        }),
    }
}

/// `(1) (2) (3)` or `A B 1 2` under a header: numbers of columns.
pub(super) fn is_column_numbers(line: &Line) -> bool {
    let short = |field: &Field| {
        let text: String = field
            .cell
            .text
            .chars()
            .filter(|one| !one.is_whitespace())
            .collect();
        let head = text.split('=').next().unwrap_or_default();
        let core = head.trim_matches(['(', ')', '[', ']']);
        let number =
            !core.is_empty() && core.len() <= 2 && core.bytes().all(|byte| byte.is_ascii_digit());
        let letter = core.len() == 1 && core.bytes().all(|byte| byte.is_ascii_alphabetic());
        number || letter
    };
    let fields: Vec<&Field> = line.own().collect();
    fields.len() >= 3 && fields.iter().all(|field| short(field))
}
