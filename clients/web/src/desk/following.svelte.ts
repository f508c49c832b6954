// One unit's figures as they change: the live line while there is one, what was said last without it.

import { Failure } from "../worker/protocol";
import { drawn } from "../parts/drawn";
import { events } from "./events";
import { address, now, OFFLINE } from "./asking";
import { get, recall, remember } from "./reader";
import { Below } from "./below";
import type { Asked, Change, FigureLine, Whole } from "./shapes";

/** Waits between tries to open the line again. */
const WAITS_MS = [500, 1_000, 2_000, 5_000, 15_000];
/** A line that is this quiet is dead: the server gives a sign of life every 20 seconds. */
const QUIET_MS = 45_000;
/** Changes that follow each other are kept once; at the end of the link at once. */
const KEEP_MS = 5_000;
/** What changed is marked this long. */
const FRESH_MS = 4_000;

/** A row of the form on the page. Each is watched by itself: what did not change is not looked at. */
export class Line {
  figure: FigureLine = $state.raw() as FigureLine;
  /** The last event changed it: shown as fresh for a while. */
  fresh = $state(false);

  constructor(figure: FigureLine) {
    this.figure = figure;
  }
}

const NOTHING: ReadonlySet<string> = new Set();
/** Nothing is fresh any more. */
const UNMARKED: Pick<Change, "figures" | "units"> = { figures: [], units: [] };

export class Following {
  whole = $state.raw<Whole | null>(null);
  // Its parts once more, each by itself: nobody who shows one of them is asked whether another has changed.
  units = $state.raw<Whole["units"]>([]);
  parts = $state.raw<Whole["parts"]>([]);
  sections = $state.raw<Whole["sections"]>([]);
  findings = $state.raw<Whole["findings"]>([]);
  coverage = $state.raw<Whole["coverage"] | null>(null);
  /** The last change that the figures stand for. */
  position = $state<number | null>(null);
  /** True while the line is open: what is shown is what the server has. */
  live = $state(false);
  /** When the server last said something, seconds since 1970 by this device. */
  at = $state<number | null>(null);
  /** Since when everything below can be read without a link as well; none: not yet. */
  ahead = $state.raw<{ at: number; position: number } | null>(null);
  /** The server refuses: a code. */
  refused = $state<string | null>(null);
  /** The rows of the form, in its order. */
  lines = $state.raw<readonly Line[]>([]);
  /** Units changed by the last event: shown as fresh for a while. */
  fresh = $state.raw(NOTHING);

  #lineOf: ReadonlyMap<string, Line> = new Map();
  #freshLines: Line[] = [];
  readonly #path: string;
  readonly #below: Below;
  readonly #ended = new AbortController();
  #keeping: ReturnType<typeof setTimeout> | undefined;
  #marked: ReturnType<typeof setTimeout> | undefined;
  #wake: (() => void) | null = null;

  constructor(
    private readonly person: string,
    asked: Asked,
  ) {
    this.#below = new Below(person, asked, ({ position }) => (this.ahead = { at: now(), position }));
    this.#path = address("/v1/roll-ups/live", { ...asked });
    const { signal } = this.#ended;
    addEventListener("online", () => this.#wake?.(), { signal });
    void this.#run();
  }

  end(): void {
    this.#ended.abort();
    this.#below.end();
    clearTimeout(this.#marked);
    this.#wake?.();
    if (this.#keeping !== undefined) this.#keep();
  }

  async #run(): Promise<void> {
    const kept = await recall<Whole>(this.person, this.#path);
    if (kept && this.whole === null) {
      this.#show(kept.value);
      this.at = kept.at;
      this.position = kept.value.position;
    }
    for (let failures = 0; !this.#ended.signal.aborted; failures += 1) {
      const heard = await this.#listen();
      if (heard) failures = 0;
      this.live = false;
      // Without a link the page may be loaded again at any moment: nothing said may wait to be kept.
      if (this.#keeping !== undefined) this.#keep();
      if (this.#ended.signal.aborted) return;
      await this.#wait(WAITS_MS[Math.min(failures, WAITS_MS.length - 1)] ?? 15_000);
    }
  }

  /** Listens until the line ends; true if it said anything. */
  async #listen(): Promise<boolean> {
    const line = new AbortController();
    const signal = AbortSignal.any([line.signal, this.#ended.signal]);
    let quiet: ReturnType<typeof setTimeout> | undefined;
    const heard = () => {
      clearTimeout(quiet);
      quiet = setTimeout(() => line.abort(), QUIET_MS);
    };
    let said = false;
    try {
      heard();
      const { body } = await get(this.#path, signal);
      if (!body) return false;
      for await (const { name, data } of events(body, heard)) {
        this.#take(name, JSON.parse(data));
        said = true;
      }
    } catch (error) {
      const code = error instanceof Failure ? error.code : OFFLINE;
      this.refused = code === OFFLINE ? null : code;
    } finally {
      clearTimeout(quiet);
    }
    return said;
  }

  #take(name: string, event: unknown): void {
    const at = now();
    const since = (): void => {
      if (this.#ended.signal.aborted) return;
      this.at = at;
      this.position = this.whole?.position ?? null;
      if (this.live) this.#keeping ??= setTimeout(() => this.#keep(), KEEP_MS);
      else this.#keep();
    };
    if (name !== "table" && (name !== "change" || !this.whole)) return;
    this.live = true;
    this.refused = null;
    if (name === "table") {
      this.#show(event as Whole);
      this.#below.heard(event as Whole, null);
      since();
    } else if (this.whole) {
      const change = event as Change;
      this.#put(changed(this.whole, change));
      this.#mark(change);
      const { whole } = this;
      // The figures are drawn first; then since when they stand, and what follows from them.
      void drawn().then(() => {
        since();
        this.#below.heard(whole, change);
      });
    }
  }

  #put(whole: Whole): void {
    this.whole = whole;
    const { units, parts, sections, findings, coverage } = whole;
    Object.assign(this, { units, parts, sections, findings, coverage });
  }

  #show(whole: Whole): void {
    this.#put(whole);
    const known = new Map(this.lines.map((line) => [line.figure.code, line]));
    this.lines = whole.figures.map((figure) => {
      const line = known.get(figure.code) ?? new Line(figure);
      line.figure = same(line.figure, figure);
      line.fresh = false;
      return line;
    });
    this.#lineOf = new Map(this.lines.map((line) => [line.figure.code, line]));
    this.#freshLines = [];
    this.fresh = NOTHING;
  }

  /** Shows lines that changed, as fresh; those of the change before are no more. */
  #mark(change: Pick<Change, "figures" | "units">): void {
    const before = this.#freshLines;
    this.#freshLines = [];
    for (const figure of change.figures) {
      const line = this.#lineOf.get(figure.code);
      if (!line) continue;
      line.figure = figure;
      line.fresh = true;
      this.#freshLines.push(line);
    }
    for (const line of before) if (!this.#freshLines.includes(line)) line.fresh = false;
    this.fresh = change.units.length === 0 ? NOTHING : new Set(change.units.map(({ unit }) => unit));
    clearTimeout(this.#marked);
    if (change !== UNMARKED) this.#marked = setTimeout(() => this.#mark(UNMARKED), FRESH_MS);
  }

  #keep(): void {
    clearTimeout(this.#keeping);
    this.#keeping = undefined;
    if (this.whole && this.at !== null) {
      void remember(this.person, this.#path, { value: this.whole, at: this.at });
    }
  }

  #wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** The whole with the lines that changed in place of those they replace. What did not change is the very
    same object: the page draws again only what is another one. */
export function changed(whole: Whole, change: Change): Whole {
  const figures = new Map(change.figures.map((line) => [line.code, line]));
  const units = new Map(change.units.map((line) => [line.unit, line]));
  return {
    ...whole,
    position: change.position,
    coverage: same(whole.coverage, change.coverage),
    findings: same(whole.findings, change.findings),
    figures: whole.figures.map((line) => figures.get(line.code) ?? line),
    units: units.size === 0 ? whole.units : whole.units.map((line) => units.get(line.unit) ?? line),
  };
}

const same = <T>(before: T, now: T): T => (JSON.stringify(before) === JSON.stringify(now) ? before : now);
