// A report that came anew: what did not change in it is the very same object, and is not drawn again.

import type { Report, Row } from "../worker/views";

/** The report now, with the rows of before that are still as they were. */
export function renewed(before: Report | null, now: Report): Report {
  if (before?.document !== now.document) return now;
  const rows: Record<string, Row> = {};
  for (const [code, row] of Object.entries(now.rows)) {
    const old = before.rows[code];
    rows[code] = old && equal(old, row) ? old : row;
  }
  return { ...now, rows };
}

/** Whether two answers say the same: plain values, lists and records of them. */
function equal(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => equal(one[key as keyof typeof one], other[key as keyof typeof other]))
  );
}
