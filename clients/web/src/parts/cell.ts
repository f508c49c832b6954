// The state of a cell: the most urgent thing to know about it.

import { t } from "../words/words.svelte";
import type { FormRow, Row, Value } from "../worker/views";

export type CellState = "refused" | "empty" | "saved" | "waiting" | "area" | "province" | "warning" | "error" | "conflict";

export function stateOf(row: FormRow, cell: Row | undefined): CellState {
  if (!cell || cell.values.length === 0) return "empty";
  if (cell.values.length > 1) return "conflict";
  if (cell.findings.some((finding) => finding.severity === "error")) return "error";
  if (cell.findings.some((finding) => finding.severity === "warning")) return "warning";
  switch (cell.values[0]?.state) {
    case "saved":
      return "saved";
    case "waiting":
      return "waiting";
    case "held":
      return "warning";
    case "at_edge":
      return "area";
    case "received":
      return "province";
    case undefined:
      return row.computed_only ? "saved" : "empty";
  }
}

/** Why something typed was not taken, and the numbers it may mean. */
export interface Refusal {
  text: string;
  readings: { number: string; text: string }[];
}

/** What is told of an edit on its way to the screen. */
export interface Shows {
  /** What it comes to stands in the page. */
  taken: () => void;
  /** It has been drawn. */
  drawn: () => void;
}

/** Characters of a figure that the narrowest column of a phone has room for on one line. */
const LINE_CHARACTERS = 9;

/** True if what stands in a cell is sure to have room on one line: its row is as high whatever is typed. */
export function isOneLine(row: FormRow, cell: Row | undefined): boolean {
  const [first, second] = cell?.values ?? [];
  const short = (text: string): boolean => text.length + (row.kind === "percent" ? 2 : 0) <= LINE_CHARACTERS;
  if (second || cell?.carried) return false;
  if (first && !row.computed_only) return first.value.kind === "number" && short(first.value.text);
  const formula = cell?.formula;
  if (formula && "low" in formula) return formula.low === formula.high && short(formula.low_text);
  return !row.computed_only;
}

/** A formula as the printed form would write it: numbers of rows, and the signs of school. */
export function printed(formula: string, rows: readonly FormRow[]): string {
  const number = (code: string): string =>
    rows.find((row) => row.code === code)?.stt.replace(/\.$/, "") || code;
  return formula
    .replace(/\[([^\]]+)\]/g, (_, code: string) => number(code))
    .replaceAll("*", "×")
    .replaceAll("/", "÷")
    .replaceAll("-", "−");
}

/** A value as it is read, words for what is none. */
export function valueWords(value: Value): string {
  switch (value.kind) {
    case "empty":
      return t("entry-typed-empty");
    case "no_occurrence":
      return t("entry-no-occurrence");
    case "number":
    case "text":
      return value.text;
  }
}
