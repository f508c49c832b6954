// What the core gives the page: the shapes of `clients/wasm/src/view.rs`, codes and values only.

export interface Subject {
  template: string;
  unit: string;
  period: string;
}

export type Value =
  | { kind: "empty" }
  | { kind: "no_occurrence" }
  | { kind: "number"; number: string; text: string }
  | { kind: "text"; text: string };

/** How far a value has got: on this device, sealed and waiting, at the node, or held there. */
export type Reach = "saved" | "waiting" | "at_edge" | "received" | "held";

export interface Rival {
  value: Value;
  author: string | null;
  device: string | null;
  own: boolean;
  claimed_at: number;
  /** The hash of its change; `draft` until it is sealed. */
  change: string;
  state: Reach;
}

export interface Range {
  low: string;
  high: string;
  low_text: string;
  high_text: string;
}

export interface Finding {
  /** Its sentence is `check-` and this. */
  rule: string;
  /** The code that a reason for it stands under. */
  answers: string;
  severity: "note" | "warning" | "error";
  detail: Record<string, string>;
}

export interface Row {
  values: Rival[];
  notes: Rival[];
  formula: Range | { unresolved: string } | null;
  findings: Finding[];
  /** What stands there came from the period before, and nobody has confirmed it. */
  carried?: true;
  /** Where the figure comes from. */
  source?: Rival[];
  /** Why it stands, by the rule that each answers. */
  reasons?: Record<string, Rival[]>;
  thread?: Thread;
}

/** What people say to each other about a cell. */
export interface Thread {
  open: boolean;
  comments: {
    kind: "said" | "resolved" | "reopened";
    text: string | null;
    author: string | null;
    device: string | null;
    claimed_at: number;
    key: string;
  }[];
}

/** What stood in a period before, if that report is on this device. */
export interface EarlierPeriod {
  period: string;
  here: boolean;
  figures: Record<string, { values: Value[]; carries: boolean } | { computed: Range }> | null;
}

/** What stands in the way of signing. */
export interface Blocking {
  errors: number;
  without_reason: number;
}

/** A step that was typed on this device, and how many values it put. */
export interface Offered {
  step: number;
  values: number;
}

/** What can be taken back, and done again. */
export interface Undo {
  back: Offered | null;
  forth: Offered | null;
}

export interface Report {
  document: string;
  heads: string[];
  template_version: number;
  /** The newest version of its form that is here. */
  newest_version: number;
  /** Stands for the rows that units added to its form; empty for none. */
  local: string;
  /** Codes with a value that the form has no row for, with what was printed for them. */
  without_row: { code: string; label: string; unit: string }[];
  rows: Record<string, Row>;
  undo: Undo;
  blocking: Blocking;
  narrative: NarrativeStanding;
}

/** How far the words of a report are. */
export interface NarrativeStanding {
  parts: number;
  empty: number;
  /** Words stand in a part that the form does not have any more. */
  without_place: boolean;
}

/** A piece of a text: words, or a figure that is quoted with the code of its row. */
export type Piece =
  | { words: string }
  | {
      figure: string;
      between: string;
      code: string;
      /** Its sentence is `quote-` and this. */
      agreement: "same" | "differs" | "unwritten" | "unclear" | "nothing" | "contested" | "no-amount" | "no-row";
      now: Range | null;
      /** The figure of the cell can be written in its place. */
      old: boolean;
    };

export interface NarrativePart {
  id: string;
  text: string;
  pieces: Piece[];
  thread: Thread | null;
}

/** The words of a report, in the order of the outline. */
export interface Narrative {
  parts: NarrativePart[];
  without_place: NarrativePart[];
  standing: NarrativeStanding;
}

/** What became different in a report that the page has. */
export interface ReportChange {
  rows: Record<string, Row>;
  /** Codes of rows of which there is nothing to show any more. */
  gone: string[];
  undo: Undo;
  blocking: Blocking;
  narrative: NarrativeStanding;
}

/** Codes of cells where a step was taken back or done again, and of those where something else stands since. */
export interface Turned {
  said: string[];
  kept: string[];
}

export interface FormRow {
  code: string;
  stt: string;
  label: string;
  unit: string;
  kind: "integer" | "decimal" | "percent" | "money_million_vnd" | "choice" | "text" | "heading";
  depth: number;
  choices: { value: number; label: string }[];
  note: string | null;
  computed_only: boolean;
  formula: string | null;
  /** It is no row of the form itself: a unit added it. */
  local?: {
    unit: string;
    /** The name of the unit. */
    name: string;
    /** Its place is not in this version of the form. */
    displaced: boolean;
    label_en: string | null;
  };
}

/** The rows that one unit added to a form. */
export interface UnitRows {
  unit: string;
  name: string;
  /** It is the unit of the report; the others stand above it. */
  own: boolean;
  /** This person may add some. */
  may: boolean;
  rows: LocalRow[];
}

export interface LocalRow {
  code: string;
  /** None while it is retired. */
  stt: string | null;
  label: string;
  label_en: string | null;
  unit: string;
  kind: FormRow["kind"];
  choices: { value: number; label: string }[];
  help: string | null;
  section: string;
  under: string | null;
  retired: boolean;
  /** Fields of which several values stand side by side. */
  contested: string[];
  displaced: boolean;
  /** Every name it ever had, the oldest first. */
  labels: Rival[];
  retirings: Rival[];
}

export interface NewRow {
  label: string;
  label_en: string;
  unit: string;
  kind: string;
  choices: [number, string][];
  section: string;
  under: string | null;
  help: string;
}

/** What is not named stays. */
export interface RowChange {
  label?: string;
  label_en?: string;
  unit?: string;
  help?: string;
  place?: [section: string, under: string | null];
  retired?: boolean;
}

export interface Section {
  id: string;
  printed: string | null;
  title: string;
  owner: string | null;
  form_label: string | null;
  rows: FormRow[];
}

/** A part of the words of a report. */
export interface OutlinePart {
  id: string;
  title: string;
  /** From 1. */
  level: number;
  help: string | null;
}

export interface Form {
  id: string;
  version: number;
  title: string;
  /** Stands for the rows that units added to it; empty for none. */
  local: string;
  sections: Section[];
  outline: OutlinePart[];
}

export interface WorkItem extends Subject {
  document: string;
  title: string;
  /** The version of its form. */
  version: number;
  unit_name: string;
  due: string | null;
  past_due: boolean;
  /** Why the unit has a day of its own; none: it is everybody's. */
  put_off: string | null;
  filled: number;
  rows: number;
  conflicts: number;
  findings: number;
  draft_edits: number;
  waiting: boolean;
  /** Of a year that this device left out: nothing can be said of it before it is asked for. */
  not_here: boolean;
}

/** Which years are on this device. */
export interface Years {
  /** Everything from this year on; null: everything. */
  since: number | null;
  /** What is not, by year, ascending. */
  left: { year: number; documents: number; bytes: number }[];
  /** Some of it is coming. */
  under_way: boolean;
}

export interface Person {
  name: string | null;
  sign_in_name: string | null;
  grants: { role: string; unit: string | null; unit_name: string | null; subtree: boolean }[];
  province: string | null;
  rehearsal: string | null;
}

export interface Status {
  draft_edits: number;
  waiting_parts: number;
  waiting_bytes: number;
  held_parts: number;
  documents: number;
  catalogue: number;
  installation: string;
  /** Changes that an edge has and the province has not confirmed to this tablet; none if that cannot be known. */
  edge_only: number | null;
}

export type Edit =
  | { kind: "cell"; code: string; text: string | null }
  | { kind: "number"; code: string; number: string }
  | { kind: "no_occurrence"; code: string }
  | { kind: "carry"; code: string }
  | { kind: "note"; code: string; text: string | null }
  | { kind: "source"; code: string; text: string | null }
  | { kind: "reason"; code: string; rule: string; text: string | null }
  | { kind: "comment"; code: string; text: string }
  | { kind: "resolve"; code: string }
  | { kind: "reopen"; code: string };

/** One thing that a version of a form changes: its words are `difference-` and the aspect. */
export interface Difference {
  code: string;
  label: string;
  aspect: string;
  before: string | null;
  after: string | null;
}

/** What the newest version of its form would change in a report. */
export interface NewerVersion {
  from: number;
  to: number;
  note: string | null;
  differences: Difference[];
  /** Values that would have no row any more. */
  losing: { code: string; label: string; unit: string }[];
}

export type Reading =
  | { value: Value }
  | { fault: string; readings: { number: string; text: string }[] };

/** What has not left this device. */
export interface Unsent {
  reports: {
    document: string;
    template: string;
    unit: string;
    period: string;
    unit_name: string;
    title: string | null;
    draft_edits: number;
    changes: number;
    bytes: number;
    held_changes: number;
    /** These are the rows that a unit adds to the form: they have no period. */
    local_rows: boolean;
  }[];
  /** Bytes of the requests that bring all of it, as they travel. */
  all_bytes: number;
  /** Bytes of what goes now, and changes that today's limit has no room for. */
  now_bytes: number;
  later: number;
}

/** A unit whose figures the person follows. */
export interface DeskPlace {
  unit: string;
  code: string;
  name: string;
  kind: string;
}

/** A report that is owed: what a desk shows the figures of. */
export interface OwedReport {
  template: string;
  period: string;
  title: string;
  due: string;
}

export interface Desks {
  /** The person fills reports too. */
  writes: boolean;
  places: DeskPlace[];
  reports: OwedReport[];
}

/** What a person begins with. */
export interface Opened {
  person: Person;
  desks: Desks;
  work: WorkItem[];
}

/** What a bundle file brought. */
export interface Bundled {
  accepted: number;
  known: number;
  records: number;
  /** Parts of ours that a node confirms. */
  acknowledged: number;
  not_followed: number;
  /** Parts that build on what is not here yet. */
  waiting: number;
  /** Pieces that a file copied in part lacks. */
  lacking: number;
  forked: boolean;
  own_chain_differs: boolean;
  documents: string[];
  notices: { code: string; part: string }[];
}

/** What a choice between rivals would do. */
export interface Effect {
  rows: { code: string; stt: string; label: string; kind: FormRow["kind"]; outcomes: (Row["formula"])[] }[];
  /** The row adds up in the units above. */
  adds_up: boolean;
  /** What the second choice adds to every total above, more than the first. */
  difference: string | null;
  /** The units above, from the nearest to the top. */
  above: { unit: string; name: string }[];
  /** For each total that was given, what it would be by each choice. */
  totals: (Range | null)[][];
}
