//! Every maximum of reading a workbook, with its unit and its reason.

/// Bytes of a workbook file: a hundred times the largest form known.
pub const WORKBOOK_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Bytes that one part of a workbook may unpack to: a sheet of 20,000 full rows. What lies beyond is
/// not unpacked.
pub const PART_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Bytes that all parts together may unpack to.
pub const PARTS_BYTES_MAX: u64 = 96 * 1024 * 1024;

/// Parts of a workbook: sheets, styles, pictures.
pub const PARTS_MAX: usize = 2_000;

/// Sheets of a workbook.
pub const SHEETS_MAX: usize = 100;

/// Cells of one sheet that are passed over, empty ones with a border included.
pub const CELLS_PASSED_MAX: usize = 5_000_000;

/// Bytes of one formula that is kept: longer ones are no formula of a template.
pub const FORMULA_BYTES_MAX: usize = 2 * 1024;

/// Rows of one table of a document, empty ones included.
pub const TABLE_ROWS_MAX: u32 = 20_000;

/// Columns of one table of a document: sixteen times what a word processor draws.
pub const TABLE_COLUMNS_MAX: u32 = 1_000;

/// Tables inside each other in a document.
pub const TABLE_DEPTH_MAX: usize = 16;

/// Elements inside each other in a document.
pub const ELEMENT_DEPTH_MAX: usize = 256;

/// Tables of a document.
pub const TABLES_MAX: usize = 1_000;
