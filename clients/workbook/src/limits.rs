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
