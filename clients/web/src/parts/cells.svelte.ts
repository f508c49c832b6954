// The cells of a report on its page. Each is watched by itself: what did not change is not looked at.

import { stateOf, type CellState, type Refusal } from "./cell";
import { equal } from "../worker/given";
import type { Form, FormRow, Report, ReportChange, Row } from "../worker/views";

/** What was typed and could not be taken: it stays until it is typed again or given up. */
export interface Refused extends Refusal {
  typed: string;
}

export class Cell {
  /** What the core says of it; none: nobody ever did anything here. */
  row = $state.raw<Row | undefined>();
  /** Writes that are shown and not yet durable. */
  writes = $state(0);
  inHand = $state(false);
  refused = $state.raw<Refused | null>(null);
}

/** The state of what stands in a cell: of what was typed and not taken as long as that stands there. */
export function standingOf(row: FormRow, cell: Cell): CellState {
  return cell.refused ? "refused" : stateOf(row, cell.row);
}

/** Rows of a section in a state that asks for something. */
export class Counts {
  readonly of = $derived.by(() => {
    const counts = { conflict: 0, error: 0, warning: 0, empty: 0 };
    for (const [row, cell] of this.rows) {
      const state = standingOf(row, cell);
      if (state === "refused") counts.error += 1;
      else if (state in counts) counts[state as keyof typeof counts] += 1;
    }
    return counts;
  });

  /** Somebody said of every row that nothing occurred. */
  readonly none = $derived.by(() => {
    const did = ([, cell]: readonly [FormRow, Cell]) => cell.row?.values.length !== 1 || cell.row.values[0]?.value.kind !== "no_occurrence";
    return this.rows.length > 0 && !this.rows.some(did);
  });

  constructor(private readonly rows: (readonly [FormRow, Cell])[]) {}
}

export class Cells {
  readonly #cells: ReadonlyMap<string, Cell>;
  /** By section of the form. */
  readonly counts: Counts[];
  #inHand = $state("");

  /** `before`: the cells of the same report by another form. A row that stays keeps its cell, with what is being typed
      into it; so does the cell in hand. */
  constructor(form: Form, report: Report, before: Cells | null = null) {
    const codes = form.sections.flatMap((section) => section.rows).map((row) => row.code);
    this.#cells = new Map(codes.map((code) => [code, (before && before.#cells.get(code)) ?? new Cell()]));
    if (before && this.#cells.has(before.inHand)) this.#inHand = before.inHand;
    this.counts = form.sections.map(({ rows }) => {
      const typed = rows.filter((row) => !row.computed_only && row.kind !== "heading");
      return new Counts(typed.map((row) => [row, this.of(row.code)] as const));
    });
    this.take(report);
  }

  /** The cell of a row of the form. */
  of(code: string): Cell {
    return this.#cells.get(code) ?? NONE;
  }

  /** The code of the cell in hand; empty: none. */
  get inHand(): string {
    return this.#inHand;
  }

  set inHand(code: string) {
    const [before, now] = [this.#cells.get(this.#inHand), this.#cells.get(code)];
    if (before && before !== now) before.inHand = false;
    this.#inHand = code;
    if (now) now.inHand = true;
  }

  /** Shows a report that came whole. */
  take({ rows }: Report): void {
    for (const [code, cell] of this.#cells) {
      const row = rows[code];
      if (!equal(cell.row, row)) cell.row = row;
    }
  }

  /** Shows what became different. */
  change({ rows, gone }: ReportChange): void {
    for (const [code, row] of Object.entries(rows)) this.#show(code, row);
    for (const code of gone) this.#show(code, undefined);
  }

  #show(code: string, row: Row | undefined): void {
    const cell = this.#cells.get(code);
    // Shown ahead and said again it is the same.
    if (cell && !equal(cell.row, row)) cell.row = row;
  }

  /** A write of these cells is shown, or has ended. */
  saving(codes: string[], begins: boolean): void {
    for (const code of codes) this.of(code).writes += begins ? 1 : -1;
  }

  /** A cell with something that could not be taken. */
  refused(): string | undefined {
    return [...this.#cells].find(([, cell]) => cell.refused)?.[0];
  }
}

/** What a code is that the form does not have: nothing is ever shown of it. */
const NONE = new Cell();
