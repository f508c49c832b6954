//! Which column of a plan holds what, by the words of the header: in any order, over one to three rows.

use std::collections::BTreeMap;

use super::deadline;
use crate::form::printed::ordinal;
use crate::form::printed::sheet::{Field, Line};
use crate::form::printed::wording::{begins_any, folded, has_any, without_brackets};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The ordinal: STT.
    Ordinal,
    /// The field, in a column of its own: Lĩnh vực.
    Field,
    /// The task: Nhiệm vụ; Lĩnh vực, tiêu chí.
    Title,
    /// What is required, or what comes out: Yêu cầu, Sản phẩm.
    Requirement,
    /// The latest day: Thời gian, Thời hạn.
    Deadline,
    /// Who leads: Cơ quan chủ trì.
    Lead,
    /// Who takes part: Cơ quan phối hợp.
    Coordinating,
    /// A period that is ticked: Quý I.
    Tick,
    /// Something else, kept as it is.
    Other,
}

impl Role {
    /// Its name for machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ordinal => "stt",
            Self::Field => "field",
            Self::Title => "title",
            Self::Requirement => "requirement",
            Self::Deadline => "deadline",
            Self::Lead => "lead",
            Self::Coordinating => "coordinating",
            Self::Tick => "tick",
            Self::Other => "other",
        }
    }
}

/// One column under a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// From 0.
    pub column: u32,
    /// The words over it.
    pub heading: String,
    /// What it holds.
    pub role: Role,
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

    pub(super) fn last_column(&self) -> u32 {
        self.columns
            .iter()
            .map(|column| column.column)
            .max()
            .unwrap_or(0)
    }

    fn has(&self, role: Role) -> bool {
        self.first(role).is_some()
    }

    fn roles(&self) -> usize {
        let roles = [
            Role::Ordinal,
            Role::Title,
            Role::Requirement,
            Role::Deadline,
            Role::Lead,
            Role::Coordinating,
        ];
        roles.iter().filter(|role| self.has(**role)).count()
    }

    fn is_plan(&self) -> bool {
        let who_or_when =
            self.has(Role::Lead) || self.has(Role::Deadline) || self.has(Role::Coordinating);
        self.has(Role::Title) && who_or_when && self.roles() >= 3
    }

    /// The same words over the same columns.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let words = |of: &Self| {
            let words = of
                .columns
                .iter()
                .map(|one| (one.column, folded(&one.heading)));
            words.collect::<BTreeMap<_, _>>()
        };
        words(self) == words(other)
    }
}

const TITLES: [&str; 18] = [
    "cac noi dung",
    "nhiem vu",
    "ten nhiem vu",
    "noi dung",
    "cong viec",
    "ten cong viec",
    "dau viec",
    "hoat dong",
    "linh vuc tieu chi",
    "linh vuc noi dung",
    "linh vuc nhiem vu",
    "tieu chi",
    "cac tieu chi",
    "cac nhiem vu",
    "ten hoat dong",
    "nhom nhiem vu",
    "ten de an",
    "viec",
];

const REQUIREMENTS: [&str; 16] = [
    "yeu cau",
    "ket qua",
    "san pham",
    "muc tieu",
    "chi tieu",
    "dau ra",
    "du kien ket qua",
    "du kien san pham",
    "noi dung yeu cau",
    "noi dung san pham",
    "tieu chuan",
    "giai phap",
    "bien phap",
    "muc do hoan thanh",
    "cach thuc",
    "ten san pham",
];

const DEADLINES: [&str; 14] = [
    "thoi gian",
    "thoi han",
    "han hoan thanh",
    "han cuoi",
    "han thuc hien",
    "tien do",
    "lo trinh",
    "thoi diem",
    "ngay hoan thanh",
    "ky han",
    "hoan thanh",
    "ket thuc",
    "muon nhat",
    "ngay ket thuc",
];

const LEADS: [&str; 23] = [
    "phu trach",
    "bo phan thuc hien",
    "can bo thuc hien",
    "chu tri",
    "chiu trach nhiem",
    "co quan thuc hien",
    "don vi thuc hien",
    "co quan don vi thuc hien",
    "don vi ca nhan thuc hien",
    "to chuc thuc hien",
    "don vi phu trach",
    "co quan phu trach",
    "don vi dau moi",
    "co quan dau moi",
    "dau moi",
    "phan cong",
    "trach nhiem thuc hien",
    "don vi duoc giao",
    "co quan duoc giao",
    "don vi tham muu",
    "co quan tham muu",
    "thuc hien chinh",
    "nguoi thuc hien",
];

/// What the words of a header say, if they are known.
fn role_of(heading: &str) -> Option<Role> {
    let words = folded(&without_brackets(heading)).replace('/', " ");
    let joined: String = words.split(' ').collect();
    if words.is_empty() || words.len() > 90 {
        return None;
    }
    if [
        "stt", "tt", "sott", "sothutu", "so", "thutu", "muc", "masoo",
    ]
    .contains(&joined.as_str())
    {
        return Some(Role::Ordinal);
    }
    if has_any(&words, &["phoi hop"]) {
        // "Cơ quan chủ trì, phối hợp": both stand in the cell, the second behind "phối hợp".
        return Some(if has_any(&words, &["chu tri"]) {
            Role::Lead
        } else {
            Role::Coordinating
        });
    }
    if begins_any(
        &words,
        &[
            "don vi tham gia",
            "co quan tham gia",
            "don vi lien quan",
            "co quan lien quan",
        ],
    ) {
        return Some(Role::Coordinating);
    }
    if begins_any(
        &words,
        &[
            "ghi chu",
            "kinh phi",
            "nguon",
            "co so",
            "can cu",
            "lanh dao",
            "cap trinh",
            "nguoi ky",
        ],
    ) {
        return Some(Role::Other);
    }
    let who = [
        "co quan",
        "don vi",
        "co quan/don vi",
        "co quan don vi",
        "don vi co quan",
    ];
    if has_any(&words, &LEADS) || who.contains(&words.as_str()) {
        return Some(Role::Lead);
    }
    if begins_any(&words, &["bat dau", "thoi gian bat dau", "ngay bat dau"]) {
        return Some(Role::Other);
    }
    if begins_any(&words, &REQUIREMENTS) {
        return Some(Role::Requirement);
    }
    if begins_any(&words, &DEADLINES) || has_any(&words, &["thoi han", "muon nhat"]) {
        return Some(Role::Deadline);
    }
    if begins_any(&words, &TITLES) {
        return Some(Role::Title);
    }
    if begins_any(&words, &["linh vuc", "nhom"]) {
        return Some(Role::Field);
    }
    None
}

/// Letters of one cell of a header.
const HEADING_LETTERS_MAX: usize = 120;

/// How many lines a header may take.
const DEPTH_MAX: usize = 3;

/// The header that begins at the first of these lines, if one does.
pub(super) fn find(lines: &[Line]) -> Option<Columns> {
    let first = lines.first()?;
    if first.own().count() < 3 {
        return None;
    }
    let mut best: Option<Columns> = None;
    for depth in 1..=DEPTH_MAX.min(lines.len()) {
        let band = lines.get(..depth)?;
        let adjacent = band.windows(2).all(|pair| match pair {
            [above, below] => below.row == above.row + 1,
            _ => true,
        });
        if !adjacent {
            break;
        }
        // Only a line that divides the columns above it can be more of the header.
        if depth > 1 && !band.last().is_some_and(|line| divides(first, line)) {
            break;
        }
        let Some(found) = columns_of(band) else {
            continue;
        };
        if best
            .as_ref()
            .is_none_or(|best| found.roles() >= best.roles())
        {
            best = Some(found);
        }
    }
    best
}

/// A line whose own cells stand only where the line above is wide, or says nothing.
fn divides(above: &Line, line: &Line) -> bool {
    let mut any = false;
    for field in line.own() {
        any = true;
        let over = above.at(field.first_column);
        let wide = over.is_none_or(|over| over.last_column > over.first_column);
        let words = field.cell.text.chars().any(char::is_alphabetic);
        if !wide || !words || field.cell.text.chars().count() > 60 {
            return false;
        }
    }
    any
}

/// Joins what stands over each column and asks what it means.
fn columns_of(band: &[Line]) -> Option<Columns> {
    let mut headings: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for line in band {
        for field in line.own() {
            for column in field.first_column..=field.last_column.min(field.first_column + 63) {
                headings
                    .entry(column)
                    .or_default()
                    .push(field.cell.text.trim());
            }
        }
        // A row of tasks may say "Nội dung …" and "Yêu cầu …" too: it has an ordinal, and says more.
        let of_row = |field: &Field| {
            let text = field.cell.text.trim();
            let year = text.parse::<u32>().is_ok_and(|number| number >= 1_900);
            text.chars().count() > HEADING_LETTERS_MAX
                || !year && matches!(ordinal::read(text), ordinal::Ordinal::Path(_))
        };
        if line.own().any(of_row) {
            return None;
        }
    }
    let mut columns: Vec<Column> = Vec::new();
    for (column, texts) in headings {
        let heading = texts.join(" ");
        let whole = role_of(&heading);
        let own = texts.last().and_then(|text| role_of(text));
        // "Quý I" under "Thời gian": a column that is ticked.
        let period = texts.len() > 1 && whole == Some(Role::Deadline) && own.is_none();
        let tick = period && texts.last().is_some_and(|text| deadline::is_whole(text));
        let role = if tick {
            Some(Role::Tick)
        } else {
            own.or(whole)
        };
        columns.push(Column {
            column,
            heading,
            role: role.unwrap_or(Role::Other),
        });
    }
    settle(&mut columns);
    let found = Columns {
        columns,
        depth: band.len(),
    };
    found.is_plan().then_some(found)
}

/// Each role once; what stands twice is something else.
fn settle(columns: &mut [Column]) {
    let last_word = |column: &Column| folded(&column.heading);
    // Two of times: the one in which it ends.
    let ends = |column: &Column| {
        column.role == Role::Deadline
            && has_any(
                &last_word(column),
                &["hoan thanh", "ket thuc", "muon nhat", "han", "thoi han"],
            )
    };
    let deadline = columns.iter().position(ends).or_else(|| {
        columns
            .iter()
            .position(|column| column.role == Role::Deadline)
    });
    let title = columns.iter().position(|column| column.role == Role::Title);
    if title.is_none() {
        let instead = [Role::Field, Role::Requirement].iter().find_map(|role| {
            let mut of_role = columns
                .iter()
                .enumerate()
                .filter(|(_, column)| column.role == *role);
            let first = of_role.next().map(|(at, _)| at);
            // A lone column of requirements is what is to be done.
            first
        });
        if let Some(column) = instead.and_then(|at| columns.get_mut(at)) {
            column.role = Role::Title;
        }
    }
    let title = columns.iter().position(|column| column.role == Role::Title);
    let requirement = columns
        .iter()
        .position(|column| column.role == Role::Requirement);
    let mut seen: Vec<Role> = Vec::new();
    for (at, column) in columns.iter_mut().enumerate() {
        let again = seen.contains(&column.role);
        match column.role {
            Role::Deadline if Some(at) != deadline => column.role = Role::Other,
            // "Nhiệm vụ", "Nội dung công việc": the second says what it takes.
            Role::Title if Some(at) != title => {
                column.role = if requirement.is_none() && !seen.contains(&Role::Requirement) {
                    Role::Requirement
                } else {
                    Role::Other
                };
            }
            Role::Ordinal | Role::Requirement | Role::Lead | Role::Coordinating | Role::Field
                if again =>
            {
                column.role = Role::Other;
            }
            Role::Ordinal
            | Role::Requirement
            | Role::Lead
            | Role::Coordinating
            | Role::Field
            | Role::Title
            | Role::Deadline
            | Role::Tick
            | Role::Other => {}
        }
        seen.push(column.role);
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
        let core = text.trim_matches(['(', ')', '[', ']']);
        let number =
            !core.is_empty() && core.len() <= 2 && core.bytes().all(|byte| byte.is_ascii_digit());
        number || core.len() == 1 && core.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let fields: Vec<&Field> = line.own().collect();
    fields.len() >= 3 && fields.iter().all(|field| short(field))
}
