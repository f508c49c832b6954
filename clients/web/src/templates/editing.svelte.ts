// A draft in hand: what is changed is durable a moment later, and what is wrong with it is known.

import { nextCode, ordinalAfter, type DraftForm, type DraftRow, type Fault } from "./draft";
import { ask } from "./forms";
import { keepDraft, type KeptDraft } from "./kept";

/** After the last key. */
const PAUSE_MS = 250;
/** Rows that were removed or moved can be brought back so often. */
const UNDO_MAX = 100;

/** Where a row stands. */
export interface At {
  section: number;
  row: number;
}

export class Editing {
  form: DraftForm = $state() as DraftForm;
  faults = $state.raw<Fault[]>([]);
  /** When it was last durable, seconds since 1970; none while something is not. */
  savedAt = $state<number | null>(null);
  problem = $state("");
  /** How much there is to bring back. */
  undone = $state(0);
  readonly codes = $derived.by(() => this.form.sections.flatMap(({ indicators }) => indicators).map(({ code }) => code));

  #past: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #written: string;
  #keptAt: number;
  /** What is being made durable, one text after the other. */
  #turn: Promise<void> = Promise.resolve();
  #turns = 0;
  /** Looked through last; an answer about an older text says nothing any more. */
  #looked = "";

  constructor(readonly kept: KeptDraft) {
    this.form = structuredClone(kept.form);
    this.#written = JSON.stringify(kept.form);
    this.#keptAt = kept.changedAt;
    this.savedAt = kept.changedAt;
    void this.#look(this.#written);
  }

  /** The text as it is now; whoever follows it is told of every change. */
  get text(): string {
    return JSON.stringify(this.form);
  }

  /** Something may be different. */
  changed(text: string): void {
    clearTimeout(this.#timer);
    // While another text is on its way, the one that stands there is as good as gone.
    if (text === this.#written && this.#turns === 0) {
      this.savedAt = this.#keptAt;
      return;
    }
    this.savedAt = null;
    this.#timer = setTimeout(() => void this.keep(), PAUSE_MS);
  }

  /** Makes it durable now. */
  keep(): Promise<void> {
    clearTimeout(this.#timer);
    this.#turns += 1;
    this.#turn = this.#turn.then(() => this.#keepOnce()).finally(() => (this.#turns -= 1));
    return this.#turn;
  }

  async #keepOnce(): Promise<void> {
    const form = $state.snapshot(this.form) as DraftForm;
    const text = JSON.stringify(form);
    void this.#look(text);
    if (text === this.#written) {
      this.savedAt = this.#keptAt;
      return;
    }
    const changedAt = Math.floor(Date.now() / 1000);
    try {
      await keepDraft({ key: this.kept.key, base: this.kept.base, form, changedAt });
      this.#written = text;
      this.#keptAt = changedAt;
      this.problem = "";
      if (this.text === text) this.savedAt = changedAt;
    } catch {
      this.problem = "draft-not-kept";
    }
  }

  async #look(text: string): Promise<void> {
    if (text === this.#looked) return;
    this.#looked = text;
    const faults = await ask("faults", text).catch(() => null);
    if (faults && this.#looked === text) this.faults = faults;
  }

  /** Before rows come, go or move. */
  #remember(): void {
    this.#past.push(this.text);
    if (this.#past.length > UNDO_MAX) this.#past.shift();
    this.undone = this.#past.length;
  }

  undo(): void {
    const past = this.#past.pop();
    if (past !== undefined) this.form = JSON.parse(past) as DraftForm;
    this.undone = this.#past.length;
  }

  row({ section, row }: At): DraftRow | undefined {
    return this.form.sections[section]?.indicators[row];
  }

  /** Adds a row below one, of its kind and under its parent. */
  addBelow({ section, row }: At): At {
    this.#remember();
    const rows = this.form.sections[section]?.indicators ?? [];
    const above = rows[row];
    const code = nextCode(above?.code ?? this.form.sections[section]?.id ?? "", new Set(this.codes));
    const stt = above ? ordinalAfter(above.stt, above.code, code) : code;
    const made: DraftRow = { code, stt, label_vi: "", unit_vi: above?.unit_vi ?? "", kind: above && above.kind !== "choice" ? above.kind : "integer" };
    if (above?.parent) made.parent = above.parent;
    rows.splice(row + 1, 0, made);
    return { section, row: row + 1 };
  }

  remove({ section, row }: At): At {
    this.#remember();
    const rows = this.form.sections[section]?.indicators ?? [];
    rows.splice(row, 1);
    return { section, row: Math.max(0, Math.min(row, rows.length - 1)) };
  }

  /** Moves a row up or down within its section. */
  move({ section, row }: At, by: -1 | 1): At {
    const rows = this.form.sections[section]?.indicators ?? [];
    const to = row + by;
    if (to < 0 || to >= rows.length) return { section, row };
    this.#remember();
    rows.splice(to, 0, ...rows.splice(row, 1));
    return { section, row: to };
  }

  /** Puts a row at the end of another section. */
  toSection({ section, row }: At, to: number): At {
    const [from, into] = [this.form.sections[section], this.form.sections[to]];
    if (!from || !into || section === to) return { section, row };
    this.#remember();
    into.indicators.push(...from.indicators.splice(row, 1));
    return { section: to, row: into.indicators.length - 1 };
  }

  addSection(): number {
    this.#remember();
    const ids = new Set(this.form.sections.map(({ id }) => id.toLowerCase()));
    let number = this.form.sections.length + 1;
    while (ids.has(String(number))) number += 1;
    const row: DraftRow = { code: nextCode(String(number), new Set(this.codes)), label_vi: "", kind: "integer" };
    this.form.sections.push({ id: String(number), title_vi: "", indicators: [row] });
    return this.form.sections.length - 1;
  }

  removeSection(section: number): void {
    this.#remember();
    this.form.sections.splice(section, 1);
  }

  moveSection(section: number, by: -1 | 1): number {
    const to = section + by;
    if (to < 0 || to >= this.form.sections.length) return section;
    this.#remember();
    this.form.sections.splice(to, 0, ...this.form.sections.splice(section, 1));
    return to;
  }
}
