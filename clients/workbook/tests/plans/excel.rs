//! The plan put into workbooks in the ways offices do it.

use rust_xlsxwriter::{Format, Workbook, Worksheet};

use crate::real_plan::{Expected, Plan, cut};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One header, sections as rows, a shared requirement as a merged cell.
    Plain,
    /// The agencies under one wide header, numbers of columns, sections merged across, signatures.
    TwoRowHeader,
    /// Each twelve rows a page number and the header again; the row at the end is cut in two.
    PageBreaks,
    /// Other words in another order; agencies one below the other.
    OtherOrder,
    /// One field a sheet, named above its table.
    SheetPerField,
}

impl Layout {
    pub(crate) const ALL: [Self; 5] = [
        Self::Plain,
        Self::TwoRowHeader,
        Self::PageBreaks,
        Self::OtherOrder,
        Self::SheetPerField,
    ];
}

struct Page<'a> {
    sheet: &'a mut Worksheet,
    layout: Layout,
    row: u32,
}

impl Page<'_> {
    /// STT, title, requirement, deadline, lead, coordinating.
    fn columns(&self) -> [u16; 6] {
        match self.layout {
            Layout::OtherOrder => [0, 3, 4, 5, 1, 2],
            Layout::Plain | Layout::TwoRowHeader | Layout::PageBreaks | Layout::SheetPerField => {
                [0, 1, 2, 3, 4, 5]
            }
        }
    }

    fn text(&mut self, column: u16, text: &str) {
        if !text.is_empty() {
            self.sheet.write_string(self.row, column, text).unwrap();
        }
    }

    fn merge(&mut self, rows: (u32, u32), columns: (u16, u16), text: &str) {
        let plain = Format::new();
        self.sheet
            .merge_range(rows.0, columns.0, rows.1, columns.1, text, &plain)
            .unwrap();
    }

    fn header(&mut self) {
        let words = match self.layout {
            Layout::OtherOrder => [
                "TT",
                "Nội dung nhiệm vụ",
                "Sản phẩm, kết quả",
                "Thời hạn hoàn thành",
                "Đơn vị chủ trì tham mưu",
                "Đơn vị phối hợp thực hiện",
            ],
            Layout::Plain | Layout::TwoRowHeader | Layout::PageBreaks | Layout::SheetPerField => [
                "STT",
                "Lĩnh vực, tiêu chí",
                "Yêu cầu",
                "Thời gian muộn nhất phải hoàn thành",
                "Cơ quan chủ trì",
                "Cơ quan phối hợp",
            ],
        };
        let row = self.row;
        if self.layout == Layout::TwoRowHeader {
            for (column, word) in (0..).zip(words).take(4) {
                self.merge((row, row + 1), (column, column), word);
            }
            self.merge((row, row), (4, 5), "Cơ quan thực hiện");
            self.row += 1;
            self.text(4, "Chủ trì");
            self.text(5, "Phối hợp");
            self.row += 1;
            for column in 0..6 {
                self.text(column, &format!("({})", column + 1));
            }
        } else {
            for (column, word) in self.columns().into_iter().zip(words) {
                self.text(column, word);
            }
        }
        self.row += 1;
    }

    fn section(&mut self, id: &str, title: &str) {
        let row = self.row;
        if self.layout == Layout::TwoRowHeader {
            self.merge((row, row), (0, 5), &format!("{id}. {title}"));
        } else {
            let columns = self.columns();
            self.text(columns[0], id);
            self.text(columns[1], title);
        }
        self.row += 1;
    }

    fn task(&mut self, task: &Expected) {
        let columns = self.columns();
        let agencies = |text: &str| match self.layout {
            Layout::OtherOrder => text.replace("; ", ";\n").replace(", UBND", "\nUBND"),
            Layout::Plain | Layout::TwoRowHeader | Layout::PageBreaks | Layout::SheetPerField => {
                text.to_owned()
            }
        };
        let (lead, coordinating) = (agencies(&task.lead_text), agencies(&task.coordinating_text));
        self.text(columns[0], &task.stt);
        self.text(columns[1], &task.title);
        if !task.shared {
            self.text(columns[2], task.requirement.as_deref().unwrap_or_default());
        }
        self.text(
            columns[3],
            task.deadline_text.as_deref().unwrap_or_default(),
        );
        self.text(columns[4], &lead);
        self.text(columns[5], &coordinating);
        self.row += 1;
    }

    /// A row on two pages: what fits, the number of the page, the header again, the rest.
    fn torn(&mut self, task: &Expected) {
        let texts = [
            task.title.clone(),
            task.requirement.clone().unwrap_or_default(),
            task.deadline_text.clone().unwrap_or_default(),
            task.lead_text.clone(),
            task.coordinating_text.clone(),
        ];
        let halves: Vec<(String, String)> = texts.iter().map(|text| cut(text)).collect();
        self.text(0, &task.stt);
        for (column, (first, _)) in (1..).zip(&halves) {
            self.text(column, first);
        }
        self.row += 1;
        self.text(3, "7");
        self.row += 1;
        self.header();
        for (column, (_, rest)) in (1..).zip(&halves) {
            self.text(column, rest);
        }
        self.row += 1;
    }
}

fn paper_head(page: &mut Page<'_>, plan: &Plan) {
    page.text(0, "ỦY BAN NHÂN DÂN TỈNH THÁI NGUYÊN");
    page.text(3, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM");
    page.row += 2;
    page.text(0, &plan.title);
    page.row += 1;
    page.text(
        0,
        "(Kèm theo Kế hoạch số 103/KH-UBND ngày 04 tháng 7 năm 2022 của Chủ tịch UBND tỉnh)",
    );
    page.row += 2;
}

fn paper_foot(page: &mut Page<'_>) {
    page.row += 1;
    page.text(3, "Thái Nguyên, ngày 04 tháng 7 năm 2022");
    page.row += 1;
    page.text(0, "Nơi nhận:");
    page.text(4, "KT. CHỦ TỊCH");
    page.row += 1;
    page.text(0, "- Như trên;");
    page.row += 1;
}

/// The requirement that rows share is one cell over all of them.
fn merge_shared(page: &mut Page<'_>, first: u32, tasks: &[&Expected]) {
    let column = page.columns()[2];
    let mut at = 0;
    while at < tasks.len() {
        let run = tasks[at + 1..]
            .iter()
            .take_while(|task| task.shared)
            .count();
        if run > 0 {
            let from = first + u32::try_from(at).unwrap();
            let text = tasks[at].requirement.clone().unwrap();
            page.merge(
                (from, from + u32::try_from(run).unwrap()),
                (column, column),
                &text,
            );
        }
        at += run + 1;
    }
}

pub(crate) fn print(plan: &Plan, layout: Layout) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let tasks_of = |id: &str| {
        plan.rows
            .iter()
            .filter(|row| row.section == id)
            .collect::<Vec<_>>()
    };
    if layout == Layout::SheetPerField {
        for (id, title) in &plan.sections {
            let sheet = workbook.add_worksheet();
            sheet.set_name(id).unwrap();
            let mut page = Page {
                sheet,
                layout,
                row: 0,
            };
            page.text(0, &plan.title);
            page.row += 1;
            page.text(0, &format!("{id}. {title}"));
            page.row += 1;
            page.header();
            let first = page.row;
            let tasks = tasks_of(id);
            tasks.iter().for_each(|task| page.task(task));
            merge_shared(&mut page, first, &tasks);
        }
        return workbook.save_to_buffer().unwrap();
    }
    let sheet = workbook.add_worksheet();
    let mut page = Page {
        sheet,
        layout,
        row: 0,
    };
    paper_head(&mut page, plan);
    page.header();
    let mut on_page = 0;
    for (id, title) in &plan.sections {
        page.section(id, title);
        let first = page.row;
        let tasks = tasks_of(id);
        let mut torn = false;
        for task in &tasks {
            on_page += 1;
            if layout == Layout::PageBreaks
                && on_page > 12
                && !task.is_group
                && !task.code.starts_with("3.3")
            {
                page.torn(task);
                on_page = 0;
                torn = true;
            } else {
                page.task(task);
            }
        }
        if torn && id == "III" {
            let before = tasks.iter().position(|task| task.shared).unwrap() - 1;
            // Rows below the torn one stand three further down for each tear.
            let extra = page.row - first - u32::try_from(tasks.len()).unwrap();
            merge_shared(
                &mut page,
                first + u32::try_from(before).unwrap() + extra,
                &tasks[before..],
            );
        } else {
            merge_shared(&mut page, first, &tasks);
        }
    }
    paper_foot(&mut page);
    workbook.save_to_buffer().unwrap()
}
