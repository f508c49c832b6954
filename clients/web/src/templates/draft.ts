// A form while it is written: the JSON of a transcribed form, with whatever else was printed beside it.

export const KINDS = ["integer", "decimal", "percent", "money_million_vnd", "choice", "text", "heading"] as const;
export const PERIODS = ["month", "quarter", "half", "nine_months", "year", "programme"] as const;

export interface DraftRow {
  code: string;
  stt?: string;
  label_vi: string;
  unit_vi?: string;
  kind: string;
  parent?: string | null;
  formula?: string | null;
  computed_only?: boolean;
  cumulative?: boolean;
  choices?: { value: number | string; label_vi: string }[];
  note_vi?: string | null;
  owner_vi?: string | null;
  required?: unknown;
  [other: string]: unknown;
}

export interface DraftSection {
  id: string;
  printed_vi?: string;
  title_vi: string;
  owner_vi?: string;
  form_label_vi?: string;
  indicators: DraftRow[];
  [other: string]: unknown;
}

export interface DraftForm {
  id: string;
  title_vi: string;
  period_type: string;
  respondent_vi?: string;
  sections: DraftSection[];
  [other: string]: unknown;
}

export interface Fault {
  section: number | null;
  row: number | null;
  field: string;
  code: string;
  detail: string;
}

/** A form with one empty row. */
export const blank = (title: string): DraftForm => ({
  id: "",
  title_vi: title,
  period_type: "year",
  sections: [{ id: "I", title_vi: "", indicators: [{ code: "1", stt: "1", label_vi: "", unit_vi: "", kind: "integer" }] }],
});

/** An id of a template out of a title: letters without tones, digits and dashes. */
export function idOf(title: string): string {
  const plain = title.toLowerCase().replaceAll("đ", "d").normalize("NFD").replace(/[^a-z0-9]+/g, (gap) => (/\p{M}/u.test(gap) && !/[\s\p{P}]/u.test(gap) ? "" : "-"));
  return plain.replace(/^-+|-+$/g, "").slice(0, 64);
}

/** The code after one, of those that are free: the last number counts on. */
export function nextCode(code: string, taken: ReadonlySet<string>): string {
  const [, head = "", last] = /^(.*?)(\d+)\.?$/.exec(code) ?? [];
  for (let number = last === undefined ? 1 : Number(last) + 1; ; number += 1) {
    const next = last === undefined ? `${code ? `${code}.` : ""}${number}` : `${head}${number}`;
    if (!taken.has(next)) return next;
  }
}

/** What is printed before a row whose code is another one now: it follows the code, unless it is somebody's own. */
export function ordinalAfter(ordinal: string | undefined, from: string, to: string): string {
  if (ordinal === undefined || ordinal === from) return to;
  if (!from.endsWith(`.${ordinal}`)) return ordinal;
  const place = from.slice(0, -ordinal.length);
  return to.startsWith(place) ? to.slice(place.length) : to;
}

/** A row has another code: whatever refers to it follows. */
export function renamed(form: DraftForm, from: string, to: string): void {
  if (!from || from === to) return;
  for (const row of form.sections.flatMap(({ indicators }) => indicators)) {
    if (row.code === to) row.stt = ordinalAfter(row.stt, from, to);
    if (row.parent === from) row.parent = to;
    if (row.formula) row.formula = row.formula.replaceAll(`[${from}]`, `[${to}]`);
  }
}

/** The sum of the rows right below one; nothing if there are none to add. */
export function sumOfParts(form: DraftForm, code: string): string | null {
  const parts = form.sections
    .flatMap(({ indicators }) => indicators)
    .filter(({ parent, kind }) => parent === code && ["integer", "decimal", "money_million_vnd"].includes(kind));
  return parts.length > 0 ? parts.map((part) => `[${part.code}]`).join(" + ") : null;
}

/** A code list as it is written: a line for each choice, `0 = Trực tuyến`. */
export const choicesText = (row: DraftRow): string =>
  (row.choices ?? []).map(({ value, label_vi }) => (label_vi === "" ? String(value) : `${value} = ${label_vi}`)).join("\n");

export function choicesOf(text: string): NonNullable<DraftRow["choices"]> {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return lines.map((line) => {
    const [, value, label = ""] = /^(-?\d+)\s*[=:]\s*(.*)$/.exec(line) ?? [];
    return value === undefined ? { value: line, label_vi: "" } : { value: Number(value), label_vi: label };
  });
}

/** What was typed into a field; nothing there is nothing in the form. */
export function put(of: { [key: string]: unknown }, key: string, value: string): void {
  if (value === "" && key !== "code" && key !== "label_vi" && key !== "title_vi" && key !== "id") delete of[key];
  else of[key] = value;
}
