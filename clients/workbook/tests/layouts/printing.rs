//! A form put on paper in the ways offices do it.

use rust_xlsxwriter::{Format, Workbook, Worksheet};
use sync_core::form::{Indicator, Section, Template};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One sheet, one header, sections as rows.
    Plain,
    /// A header over two rows, merged, with the figures of two years.
    MergedHeader,
    /// The header again after every twenty rows, with numbers of pages and of columns.
    PageBreaks,
    /// One section on each sheet, named above its table.
    SheetPerSection,
    /// Sections as one merged cell across the table.
    MergedSections,
    /// A unit that repeats is one merged cell; "Trong đó" is merged over its rows.
    MergedUnits,
    /// Other words in another order, ordinals without dots, stored as numbers where they can be.
    OtherOrder,
    /// No column of ordinals: they stand before the labels.
    OrdinalsInLabels,
}

impl Layout {
    pub(crate) const ALL: [Self; 8] = [
        Self::Plain,
        Self::MergedHeader,
        Self::PageBreaks,
        Self::SheetPerSection,
        Self::MergedSections,
        Self::MergedUnits,
        Self::OtherOrder,
        Self::OrdinalsInLabels,
    ];
}

/// Where the columns are.
struct Page<'a> {
    sheet: &'a mut Worksheet,
    layout: Layout,
    row: u32,
}

impl Page<'_> {
    fn columns(&self) -> [u16; 5] {
        match self.layout {
            Layout::OtherOrder => [1, 2, 4, 3, 0],
            Layout::MergedHeader => [0, 1, 2, 3, 5],
            Layout::OrdinalsInLabels => [9, 0, 1, 2, 3],
            Layout::Plain
            | Layout::PageBreaks
            | Layout::SheetPerSection
            | Layout::MergedSections
            | Layout::MergedUnits => [0, 1, 2, 3, 4],
        }
    }

    fn text(&mut self, column: u16, text: &str) {
        if !text.is_empty() {
            self.sheet.write_string(self.row, column, text).unwrap();
        }
    }

    fn merge(&mut self, rows: (u32, u32), columns: (u16, u16), text: &str) {
        self.sheet
            .merge_range(rows.0, columns.0, rows.1, columns.1, text, &Format::new())
            .unwrap();
    }

    fn header(&mut self) {
        let columns = self.columns();
        let words = match self.layout {
            Layout::OtherOrder => [
                "TT",
                "Nội dung báo cáo",
                "ĐVT",
                "Kết quả thực hiện",
                "Chú thích",
            ],
            _ => ["STT", "Chỉ tiêu", "Đơn vị tính", "Số liệu", "Ghi chú"],
        };
        if self.layout == Layout::MergedHeader {
            let row = self.row;
            for (column, word) in columns
                .into_iter()
                .zip(words)
                .filter(|(column, _)| *column != 3)
            {
                self.merge((row, row + 1), (column, column), word);
            }
            self.merge((row, row), (3, 4), "Số liệu");
            self.row += 1;
            self.text(3, "Năm 2021");
            self.text(4, "Năm 2022");
        } else {
            for (column, word) in columns.into_iter().zip(words) {
                if column < 9 {
                    self.text(column, word);
                }
            }
        }
        self.row += 1;
        if self.layout == Layout::PageBreaks {
            for (column, text) in ["(1)", "(2)", "(3)", "(4)", "(5)"].into_iter().enumerate() {
                self.text(u16::try_from(column).unwrap(), text);
            }
            self.row += 1;
        }
    }

    fn section(&mut self, section: &Section) {
        let printed = section.printed.as_ref().unwrap_or(&section.id);
        let [stt, label, ..] = self.columns();
        match self.layout {
            Layout::MergedSections => {
                let row = self.row;
                self.merge((row, row), (0, 4), &format!("{printed}. {}", section.title));
            }
            Layout::OrdinalsInLabels => self.text(label, &format!("{printed}. {}", section.title)),
            _ => {
                self.text(stt, printed);
                self.text(label, &section.title);
            }
        }
        self.row += 1;
    }

    fn indicator(&mut self, row: &Indicator) {
        let [stt, label, unit, _, note] = self.columns();
        match self.layout {
            Layout::OrdinalsInLabels => {
                let before = if row.stt == "Trong đó" || row.stt.is_empty() {
                    String::new()
                } else if row.stt.ends_with('.') {
                    format!("{} ", row.stt)
                } else {
                    format!("{}. ", row.stt)
                };
                self.text(label, &format!("{before}{}", row.label));
            }
            Layout::OtherOrder => {
                let plain = row.stt.trim_end_matches('.');
                match plain.parse::<f64>() {
                    Ok(number) => {
                        self.sheet.write_number(self.row, stt, number).unwrap();
                    }
                    Err(_) => self.text(stt, plain),
                }
                self.text(label, &row.label);
            }
            _ => {
                self.text(stt, &row.stt);
                self.text(label, &row.label);
            }
        }
        if self.layout == Layout::OtherOrder {
            let broken = row
                .unit
                .replace(" Phát", "\nPhát")
                .replace(" Kết", "\nKết")
                .replace("; ", ";\n");
            self.text(unit, &broken);
        } else if self.layout != Layout::MergedUnits {
            self.text(unit, &row.unit);
        }
        if let Some(text) = row
            .note
            .as_ref()
            .filter(|_| self.layout != Layout::MergedUnits)
        {
            self.text(note, text);
        }
        self.row += 1;
    }
}

fn paper_head(page: &mut Page<'_>, form: &Template) {
    page.text(0, "UBND TỈNH THÁI NGUYÊN");
    page.text(3, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM");
    page.row += 2;
    page.text(0, form.title());
    page.row += 1;
    page.text(
        0,
        "(Kèm theo Báo cáo số 301/BC-UBND ngày 19 tháng 12 năm 2022)",
    );
    page.row += 2;
}

fn paper_foot(page: &mut Page<'_>) {
    page.row += 1;
    page.text(3, "Thái Nguyên, ngày 19 tháng 12 năm 2022");
    page.row += 1;
    page.text(0, "NGƯỜI LẬP BIỂU");
    page.text(3, "THỦ TRƯỞNG ĐƠN VỊ");
    page.row += 1;
}

/// Runs of rows with the same unit, as merged cells.
fn merged_units(page: &mut Page<'_>, rows: &[Indicator], first: u32) {
    let mut at = 0;
    while at < rows.len() {
        let unit = &rows[at].unit;
        let run = rows[at..]
            .iter()
            .take_while(|row| row.unit == *unit)
            .count();
        let from = first + u32::try_from(at).unwrap();
        if !unit.is_empty() && run > 1 {
            page.merge((from, from + u32::try_from(run).unwrap() - 1), (2, 2), unit);
        } else if !unit.is_empty() {
            page.sheet.write_string(from, 2, unit).unwrap();
        }
        at += run;
    }
}

pub(crate) fn print(form: &Template, layout: Layout) -> Vec<u8> {
    let mut workbook = Workbook::new();
    if layout == Layout::SheetPerSection {
        for (index, section) in form.sections().iter().enumerate() {
            let sheet = workbook.add_worksheet();
            sheet.set_name(format!("BM{}", index + 1)).unwrap();
            let mut page = Page {
                sheet,
                layout,
                row: 0,
            };
            let printed = section.printed.as_ref().unwrap_or(&section.id);
            page.text(0, &format!("Biểu mẫu {}", index + 1));
            page.row += 1;
            page.text(0, &format!("{printed}. {}", section.title.to_uppercase()));
            page.row += 2;
            page.header();
            for row in form.rows_of(section) {
                page.indicator(row);
            }
            paper_foot(&mut page);
        }
        return workbook.save_to_buffer().unwrap();
    }
    let sheet = workbook.add_worksheet();
    let mut page = Page {
        sheet,
        layout,
        row: 0,
    };
    paper_head(&mut page, form);
    page.header();
    let mut since_header = 0;
    for section in form.sections() {
        page.section(section);
        let first = page.row;
        for row in form.rows_of(section) {
            if layout == Layout::PageBreaks && since_header == 20 {
                page.text(2, "3");
                page.row += 1;
                page.header();
                since_header = 0;
            }
            page.indicator(row);
            since_header += 1;
        }
        if layout == Layout::MergedUnits {
            merged_units(&mut page, form.rows_of(section), first);
        }
    }
    paper_foot(&mut page);
    workbook.save_to_buffer().unwrap()
}
