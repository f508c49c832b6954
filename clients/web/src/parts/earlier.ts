// What stood in the periods before, as words.

import { valueWords } from "./cell";
import type { EarlierPeriod, FormRow } from "../worker/views";

/** The figure of a row in a period; none if nothing stood there. */
export function figureIn(period: EarlierPeriod | undefined, row: FormRow): string | null {
  const figure = period?.figures?.[row.code];
  if (!figure) return null;
  const unit = row.kind === "percent" ? " %" : "";
  if ("computed" in figure) {
    const { low_text, high_text } = figure.computed;
    return low_text === high_text ? low_text + unit : `${low_text}–${high_text}${unit}`;
  }
  return figure.values.map((value) => valueWords(value) + (value.kind === "number" ? unit : "")).join(" / ");
}

/** Whether a row's figure can be carried into the next period. */
export function carries(period: EarlierPeriod | undefined, code: string): boolean {
  const figure = period?.figures?.[code];
  return figure !== undefined && "carries" in figure && figure.carries;
}
