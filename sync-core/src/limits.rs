//! Every maximum of the core, with its unit and its reason. Nothing grows without a line here.

/// Bytes of one change chunk. The largest honest change is a pasted form: 2,000 cells of 40 bytes.
pub const CHANGE_BYTES_MAX: usize = 128 * 1024;

/// Operations in one change. A 2,000-cell paste and its undo, with room.
pub const OPERATIONS_PER_CHANGE_MAX: usize = 8_192;

/// Dependencies of one change: heads that one person can have seen side by side.
pub const DEPENDENCIES_MAX: usize = 64;

/// Other actors a change may name in predecessors and element ids.
pub const ACTORS_PER_CHANGE_MAX: usize = 64;

/// Predecessors named in one change: the rivals that its operations settle.
pub const PREDECESSORS_PER_CHANGE_MAX: usize = 32_768;

/// Bytes of an indicator code, a section id or a template id.
pub const CODE_BYTES_MAX: usize = 64;

/// Bytes of a key of a map: a code, what stands there, and the longest key id and number or rule.
pub const KEY_BYTES_MAX: usize = CODE_BYTES_MAX + 80;

/// Bytes of one text value: a note or a text cell of about four printed pages.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;

/// Bytes of the reason of a sign-off: half a printed page.
pub const REASON_BYTES_MAX: usize = 4 * 1024;

/// Bytes of a change's message, which holds typing times only.
pub const MESSAGE_BYTES_MAX: usize = 48 * 1024;

/// The largest operation number. Automerge panics near 2^32; a document typed into once a second
/// for thirty years stays below this.
pub const OPERATION_NUMBER_MAX: u64 = 1 << 30;

/// Parts in one batch: partitions one person works in between two sealings.
pub const PARTS_PER_BATCH_MAX: usize = 64;

/// Entries (changes, subjects, extensions) in one part.
pub const ENTRIES_PER_PART_MAX: usize = 1_024;

/// Bytes of one signed part: fits one frame and one record of the journal.
pub const SIGNED_PART_BYTES_MAX: usize = 512 * 1024;

/// Bytes of a part with a node's word in place of its author's signature, which is longer: the word, and
/// [`ATTESTED_PATH_MAX`] hashes.
pub const VOUCHED_PART_BYTES_MAX: usize = SIGNED_PART_BYTES_MAX + 1024;

/// Bytes of a subject: template id, unit, period.
pub const SUBJECT_BYTES_MAX: usize = 256;

/// Bytes of a period in its canonical form.
pub const PERIOD_BYTES_MAX: usize = 16;

/// Bytes of one catalogue record: a template of 1,000 rows.
pub const CATALOGUE_RECORD_BYTES_MAX: usize = 512 * 1024;

/// Bytes of one frame on a link.
pub const FRAME_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Bytes of names and labels: sign-in names, unit names, device labels.
pub const NAME_BYTES_MAX: usize = 512;

/// Tiers of the org tree: a walk upward ends here, so that a cycle cannot hang it.
pub const UNIT_TIERS_MAX: usize = 16;

/// Installations of one device key that a record ending it can name.
pub const INSTALLATIONS_PER_KEY_MAX: usize = 1_024;

/// Groupings an org unit can be in.
pub const GROUPINGS_PER_UNIT_MAX: usize = 64;

/// Rows of one template: the longest printed form known has 146.
pub const TEMPLATE_ROWS_MAX: usize = 2_000;

/// Sections of one template.
pub const TEMPLATE_SECTIONS_MAX: usize = 128;

/// Decimal places of a figure that is written into the words of a report: as it is shown beside its cell.
pub const PLACES_QUOTED: u32 = 2;

/// Characters of the words of one part of a report: ten printed pages.
pub const NARRATIVE_CHARACTERS_MAX: usize = 30_000;

/// How deep the outline of a report's words goes: part, chapter, paragraph.
pub const OUTLINE_LEVELS_MAX: u8 = 3;

/// Choices of one row, and annotations of one row, section or template.
pub const TEMPLATE_CHOICES_MAX: usize = 256;

/// Rows that one unit adds to one form: more than that is a form of its own. What two people add at once may exceed
/// it; the first of them are shown, the values of the others stay readable.
pub const LOCAL_ROWS_MAX: usize = 100;

/// Bytes of the label or the help of a row that a unit adds: half a printed page.
pub const LOCAL_ROW_TEXT_BYTES_MAX: usize = 2 * 1024;

/// Bytes of one label, title or annotation of a template: two printed pages.
pub const TEMPLATE_TEXT_BYTES_MAX: usize = 8 * 1024;

/// Bytes of one formula: a sum of a hundred rows.
pub const FORMULA_BYTES_MAX: usize = 2 * 1024;

/// Parentheses and signs inside each other in one formula; bounds every recursion over it.
pub const FORMULA_DEPTH_MAX: usize = 32;

/// Rows with anything in them on one sheet of a workbook: ten times the longest template.
pub const SHEET_ROWS_MAX: usize = 20_000;

/// Cells with anything in them on one sheet, and fields that merged regions reach down to.
pub const SHEET_CELLS_MAX: usize = 400_000;

/// Merged regions of one sheet: one for each cell of a long form's first columns.
pub const SHEET_MERGES_MAX: usize = 20_000;

/// Empty rows of a sheet that are listed one by one; further runs are one line each.
pub const BLANK_LINES_LISTED_MAX: usize = 10_000;

/// Operations of decoded changes that an acceptor keeps in memory: about 16 MB.
pub const ACCEPT_CACHE_OPERATIONS_MAX: usize = 60_000;

/// Held parts of one chain: a device gone wrong must not fill the disk with its quarantine.
pub const HELD_PARTS_PER_CHAIN_MAX: u64 = 10_000;

/// Catalogue records in one message: the units, people and keys of a province in one or two.
pub const RECORDS_PER_MESSAGE_MAX: usize = 2_048;

/// Parts in one message.
pub const PARTS_PER_MESSAGE_MAX: usize = 1_024;

/// Partitions in one feed: every unit of a large province in every compartment.
pub const PARTITIONS_PER_FEED_MAX: usize = 16_384;

/// Bytes of log entries in one answer: a page on a slow link, far below a frame.
pub const RESPONSE_ENTRY_BYTES_MAX: usize = 256 * 1024;

/// Parts that a node puts in order for a device that lacks them all, most useful first: it reads each of
/// them once for an answer, which takes a second. Where there are more the order is that of the log.
pub const PARTS_ORDERED_MAX: usize = 100_000;

/// Runs of positions that a device has beyond its own while its first contact lasts: they travel with each
/// request, in two or three bytes each.
pub const ARRIVAL_RUNS_MAX: usize = 1_024;

/// Years back, beside this one, that a new tablet or command line takes at its first contact if nobody says
/// otherwise: in the first months of a year the report of the year before is written, and the period before
/// that one stands beside its cells and is carried from.
pub const YEARS_BACK: u8 = 2;

/// Documents of older years that a device names beside what it leaves out: 64 KB of ids, in the requests that
/// ask for older years or repair. With more of them it takes everything.
pub const OLDER_DOCUMENTS_MAX: usize = 4_096;

/// Years that a node tells apart of what a device leaves out: those before are told as one.
pub const YEARS_LEFT_OUT_MAX: usize = 64;

/// Days before and after the last day of a duty in which its reports are due: what is older and was never
/// handed in is not what somebody needs first.
pub const DUE_AROUND_DAYS: i32 = 60;

/// Bytes of catalogue records in one answer; one larger record travels alone.
pub const RESPONSE_RECORD_BYTES_MAX: usize = 256 * 1024;

/// Bytes of parts in one request.
pub const REQUEST_PART_BYTES_MAX: usize = 256 * 1024;

/// Characters before or within a replacement in a text, as a draft names them.
pub const DRAFT_TEXT_MAX: usize = 1 << 24;

/// Bytes of one comment at a cell: some sentences.
pub const COMMENT_BYTES_MAX: usize = 4 * 1024;

/// Keys that one resolution of a thread may name: more people than ever talk about one cell.
pub const COMMENTERS_MAX: usize = 256;

/// Steps of one report that can be taken back on the device they were typed on: a day of typing.
pub const UNDO_STEPS_MAX: usize = 200;

/// Texts listed in one rolled-up figure; further ones are counted. A person reads no more at once.
pub const TEXTS_LISTED_MAX: usize = 200;

/// Parts in one packing: those of a request, or of an answer's page of small ones.
pub const PARTS_PER_PACKING_MAX: usize = 8_192;

/// Hashes from an attested part's id to the attested root: the tree over a full packing is as high.
pub const ATTESTED_PATH_MAX: usize = 13;

/// Bytes that are kept while one packing is read: what one frame could carry of parts as they are.
pub const UNPACKED_BYTES_MAX: usize = FRAME_BYTES_MAX;

/// Bytes that the smallest packing may become: a pasted form of few different values.
pub const UNPACKED_BYTES_FREE: usize = 128 * 1024;

/// Bytes that each byte of a packing may become beyond that. A day's work is told in a tenth.
pub const UNPACKED_BYTES_PER_BYTE_MAX: usize = 64;

/// Operations in the changes of one packing: those of a full frame at about sixteen bytes each.
pub const OPERATIONS_PER_PACKING_MAX: usize = 131_072;

/// Operations that each byte of a packing may become, beyond those of one full change. A typed number
/// takes about a byte and a half.
pub const OPERATIONS_PER_PACKED_BYTE_MAX: usize = 8;

/// Bytes of the pieces of one bundle: the work of a whole area in a year. A reader keeps it in memory.
pub const BUNDLE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes of a bundle's head: 50 for each piece, and the chains of an area.
pub const BUNDLE_HEAD_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Bytes that a piece of a bundle is filled to: what a copy that broke off loses at its end.
pub const BUNDLE_PIECE_BYTES: usize = 4 * 1024;

/// Bytes of one piece: the largest record or part, alone.
pub const BUNDLE_PIECE_BYTES_MAX: usize = 640 * 1024;

/// Pieces of one bundle: a full one, and pieces that are not.
pub const BUNDLE_PIECES_MAX: usize = 32_768;

/// Chains that one bundle has parts of: every device of an area, re-installed now and then.
pub const BUNDLE_CHAINS_MAX: usize = 16_384;

/// Symbols that a repair begins with: enough for some 230 parts that only one side has, in 5 KB.
pub const REPAIR_SYMBOLS_FIRST: usize = 384;

/// Symbols in one answer of a repair: about 100 KB, and 5,000 parts that only one side has.
pub const REPAIR_SYMBOLS_PER_ANSWER_MAX: usize = 8_192;

/// Symbols of one repair: about 850 KB. Where more is needed, the whole feed is read instead.
pub const REPAIR_SYMBOLS_MAX: usize = 65_536;

/// Parts that one request of a repair asks for by their short ids: 16 KB of them.
pub const REPAIR_IDS_PER_REQUEST_MAX: usize = 2_048;

/// Answers in a row that bring a repair no further, before the whole feed is read instead. All symbols
/// that one may take come in thirteen.
pub const REPAIR_IDLE_ANSWERS_MAX: u32 = 24;

/// Nodes beside the last one that a device remembers: the province and the edges of two areas, and one
/// that has taken a new id since.
pub const NODES_REMEMBERED_MAX: usize = 4;

/// Unacknowledged parts of a node that a device remembers while it talks to another one: months of a
/// tablet's work, some 150 KB. A node with more is met again as a new one.
pub const OUTBOX_REMEMBERED_MAX: usize = 4_096;

/// Parts that a node keeps in mind because the node above could not take them yet: one message of them.
pub const UPLINK_LEFT_MAX: usize = 1_024;

/// Stretches of its own log that a node keeps in mind because they came from above; of more the first
/// are sent up once more, which changes nothing there.
pub const UPLINK_STRETCHES_MAX: usize = 4_096;

/// Parts on which a node and the one above judge differently: held on one side. More is a fault that a
/// person has to look at.
pub const UPLINK_DIFFERENCES_MAX: usize = 4_096;

/// Times as much as last period, or as little, that is worth a reason.
pub const CHANGE_TIMES: i64 = 5;

/// Points of a percentage that a change from last period may have.
pub const CHANGE_POINTS: i64 = 30;

/// A change of fewer things than these is small, whatever it is a multiple of.
pub const CHANGE_AT_LEAST: i64 = 20;

/// Units that figures are compared with, at least: fewer have no middle worth the name.
pub const PEERS_MIN: usize = 8;

/// Median distances from the median beyond which a figure is far off.
pub const OUTLIER_SPREADS: i64 = 6;

/// Days in one line of a table of holidays: the longest Tết has nine, with the weekends around it.
pub const HOLIDAY_RANGE_DAYS_MAX: usize = 31;

/// Bytes of a table of holidays: ten years of thirty lines.
pub const HOLIDAY_TABLE_BYTES_MAX: usize = 16 * 1024;

/// Days that a duty may be due before or after the end of its period.
pub const DUE_DAYS_MAX: u32 = 400;

/// Bytes that a person can limit a day to, at least: the largest text with the numbers of a day, and
/// some exchanges. With less hardly a day would have room for anything.
pub const BUDGET_BYTES_MIN: u64 = 20_000;

/// Bytes that are counted for what HTTP and TLS put around a request and its answer: heads with a token,
/// record headers, half of a handshake that a connection kept open saves. A round figure.
pub const CONNECTION_AROUND_BYTES: u64 = 1_000;

/// Bytes that must be left of a day before anything is asked for: verdicts, a receipt and the first
/// entries of a node's answer.
pub const ANSWER_BYTES_LEAST: u64 = 2_048;

/// Bytes that a batch adds around its changes: header, signature, entries.
pub const BATCH_AROUND_BYTES: u64 = 400;

/// Rows of one plan: ten times the longest one known to be assigned to a whole province.
pub const PLAN_ROWS_MAX: usize = 5_000;

/// Agencies in one cell of a plan: every unit of a province by its name.
pub const PLAN_AGENCIES_MAX: usize = 300;
