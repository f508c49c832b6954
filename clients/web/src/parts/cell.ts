// The state of a cell: the most urgent thing to know about it.

import { t } from "../words/words.svelte";
import type { FormRow, Row, Value } from "../worker/views";

export type CellState = "empty" | "saved" | "waiting" | "province" | "warning" | "error" | "conflict";

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
