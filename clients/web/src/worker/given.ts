// What a page was given of the report it shows: after an edit it is given only what became different.

import type { Report, ReportChange, Row } from "./views";

export class Given {
  #document = "";
  #rows: Record<string, Row> = {};

  /** The page is given the whole report. */
  whole(report: Report): Report {
    this.#document = report.document;
    this.#rows = report.rows;
    return report;
  }

  /** The rows of a report that the page has otherwise, or not at all: it has them from now on. */
  change(report: Report): ReportChange {
    const change = this.would(report);
    this.whole(report);
    return change;
  }

  /** The same of a report that is not so yet. */
  would({ document, rows, undo, blocking, narrative }: Report): ReportChange {
    const before = this.#document === document ? this.#rows : {};
    const different = Object.entries(rows).filter(([code, row]) => !equal(before[code], row));
    const gone = Object.keys(before).filter((code) => !(code in rows));
    return { rows: Object.fromEntries(different), gone, undo, blocking, narrative };
  }
}

/** Whether two answers say the same: plain values, lists and records of them. */
export function equal(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => equal(one[key as keyof typeof one], other[key as keyof typeof other]))
  );
}
