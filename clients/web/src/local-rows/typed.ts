// What is typed about a row of a unit, and what that asks the core for.

import type { Form, FormRow, LocalRow, NewRow, RowChange } from "../worker/views";

export const KINDS = ["integer", "decimal", "percent", "money_million_vnd", "choice", "text"] as const satisfies FormRow["kind"][];

export interface Typed {
  label: string;
  label_en: string;
  unit: string;
  kind: string;
  /** A line for each: code = label. */
  choices: string;
  /** Of [`placeOf`]. */
  place: string;
  help: string;
}

/** A place in one text: no section's id has this sign. */
export const placeOf = (section: string, under: string | null): string => `${section}>${under ?? ""}`;

function readPlace(place: string): [section: string, under: string | null] {
  const at = place.indexOf(">");
  return [place.slice(0, at), place.slice(at + 1) || null];
}

/** A row that nobody has said anything about, at the cell in hand. */
export function fresh(form: Form, at: { section: string; row: string }): Typed {
  const section = form.sections.find(({ id }) => id === at.section) ?? form.sections[0];
  const under = section?.rows.find((row) => row.code === at.row && !row.local);
  return { label: "", label_en: "", unit: "", kind: "integer", choices: "", place: placeOf(section?.id ?? "", under?.code ?? null), help: "" };
}

/** A row as it stands. One whose place is gone stands in none of the choices. */
export function standing(row: LocalRow): Typed {
  const { label, unit, kind } = row;
  return { label, unit, kind, label_en: row.label_en ?? "", choices: "", place: placeOf(row.section, row.under), help: row.help ?? "" };
}

/** Lines that are no choice become one without a number that the core refuses. */
function choicesOf(text: string): [number, string][] {
  return text.split("\n").filter((line) => line.trim() !== "").flatMap((line) => {
    const [, value, label] = /^\s*(-?\d{1,15})\s*=\s*(.+)$/.exec(line) ?? [];
    return value !== undefined && label !== undefined ? [[Number(value), label.trim()] as [number, string]] : [];
  });
}

export function asked(typed: Typed): NewRow {
  const [section, under] = readPlace(typed.place);
  const { label, label_en, unit, kind, help } = typed;
  return { label, label_en, unit, kind, help, section, under, choices: kind === "choice" ? choicesOf(typed.choices) : [] };
}

/** What was changed of a row; what two people wrote at once is said again, which settles it. */
export function changed(row: LocalRow, typed: Typed): RowChange {
  const before = standing(row);
  const change: RowChange = {};
  for (const field of ["label", "label_en", "unit", "help"] as const) {
    if (typed[field] !== before[field] || row.contested.includes(field)) change[field] = typed[field];
  }
  if (typed.place !== before.place || row.contested.includes("place")) change.place = readPlace(typed.place);
  return change;
}
