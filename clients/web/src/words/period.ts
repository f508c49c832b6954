// A period in words, from its canonical text (`docs/formats.md`, section 8).

import { t } from "./words.svelte";

const QUARTERS = ["I", "II", "III", "IV"];
const SHAPE = /^(\d{4})(?:-(\d{2})|-Q([1-4])|-H([12])|-(M9)|\.\.(\d{4}))?(@14)?$/;

/** What it is, and the months from its first to its last, counted from January of its first year. */
function span([, year = "", month, quarter, half, nine, last]: RegExpExecArray): { words: string; from: number; to: number } {
  if (month) return { words: t("span-month", { month: String(Number(month)), year }), from: Number(month) - 1, to: Number(month) - 1 };
  if (quarter) {
    const from = (Number(quarter) - 1) * 3;
    return { words: t("span-quarter", { quarter: QUARTERS[Number(quarter) - 1] ?? quarter, year }), from, to: from + 2 };
  }
  if (half) return { words: t(`span-half-${half}`, { year }), from: half === "1" ? 0 : 6, to: half === "1" ? 5 : 11 };
  if (nine) return { words: t("span-nine-months", { year }), from: 0, to: 8 };
  if (last) return { words: t("span-programme", { year, last }), from: 0, to: (Number(last) - Number(year)) * 12 + 11 };
  return { words: t("span-year", { year }), from: 0, to: 11 };
}

/** The day of a month counted from January of a year. */
function dayOf(day: number, year: number, month: number): string {
  const at = new Date(Date.UTC(year, month, day));
  return `${String(day).padStart(2, "0")}/${String(at.getUTCMonth() + 1).padStart(2, "0")}/${at.getUTCFullYear()}`;
}

/** `2026-Q3` as people say it. Where months are cut on the 14th its days are said with it, unless it has to be short.
    A text that is no period stays as it is. */
export function periodName(text: string, short = false): string {
  const found = SHAPE.exec(text);
  if (!found) return text;
  const { words, from, to } = span(found);
  if (short || !found[7]) return words;
  const year = Number(found[1]);
  return t("span-cut", { span: words, from: dayOf(15, year, from - 1), to: dayOf(14, year, to) });
}
