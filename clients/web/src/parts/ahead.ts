// What a figure comes to, worked out while it is typed: when it is entered, all that follows from it is there.

import { drawn } from "./drawn";
import type { Edit, ReportChange } from "../worker/views";

type CellEdit = Extract<Edit, { kind: "cell" }>;

export class Ahead {
  #wanted: CellEdit | null = null;
  #known: { edit: CellEdit; change: ReportChange } | null = null;
  #asking = false;
  /** Counts what made earlier answers worthless. */
  #turns = 0;

  constructor(private readonly ask: (edits: Edit[]) => Promise<ReportChange>) {}

  /** This is being typed. One question is under way at a time: the last text alone matters. */
  typed(edit: CellEdit): void {
    this.#wanted = edit;
    if (!this.#asking) void this.#work();
  }

  /** What an edit comes to, if it is known already and nothing has changed since. */
  of(edits: Edit[]): ReportChange | null {
    const [edit] = edits;
    const known = this.#known;
    return known && edits.length === 1 && edit && same(known.edit, edit) ? known.change : null;
  }

  /** What the report says has changed, or nothing is typed any more. */
  forget(): void {
    this.#turns += 1;
    this.#wanted = null;
    this.#known = null;
  }

  async #work(): Promise<void> {
    this.#asking = true;
    // The key itself is drawn first.
    await drawn();
    for (let edit = this.#wanted; edit; edit = this.#wanted) {
      this.#wanted = null;
      const turn = this.#turns;
      // What cannot be taken is said when it is entered.
      const change = await this.ask([edit]).catch(() => null);
      if (turn === this.#turns) this.#known = change && { edit, change };
    }
    this.#asking = false;
  }
}

const same = (one: CellEdit, other: Edit): boolean =>
  other.kind === "cell" && one.code === other.code && one.text === other.text;
