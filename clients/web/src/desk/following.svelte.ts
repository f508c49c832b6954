// One unit's figures as they change: the live line while there is one, what was said last without it.

import { Failure } from "../worker/protocol";
import { events } from "./events";
import { recall, remember } from "./kept";
import { address, get, now, OFFLINE } from "./reader";
import type { Change, Whole } from "./shapes";

/** Waits between tries to open the line again. */
const WAITS_MS = [500, 1_000, 2_000, 5_000, 15_000];
/** A line that is this quiet is dead: the server gives a sign of life every 20 seconds. */
const QUIET_MS = 45_000;
/** Changes that follow each other are kept once; at the end of the link at once. */
const KEEP_MS = 5_000;
/** What changed is marked this long. */
const FRESH_MS = 4_000;

export interface Asked {
  template: string;
  period: string;
  unit: string;
}

export class Following {
  whole = $state.raw<Whole | null>(null);
  /** True while the line is open: what is shown is what the server has. */
  live = $state(false);
  /** When the server last said something, seconds since 1970 by this device. */
  at = $state<number | null>(null);
  /** The server refuses: a code. */
  refused = $state<string | null>(null);
  /** Rows and units changed by the last event: shown as fresh for a while. */
  fresh = $state.raw<ReadonlySet<string>>(new Set());

  readonly #path: string;
  readonly #ended = new AbortController();
  #keeping: ReturnType<typeof setTimeout> | undefined;
  #marked: ReturnType<typeof setTimeout> | undefined;
  #wake: (() => void) | null = null;

  constructor(
    private readonly person: string,
    asked: Asked,
  ) {
    this.#path = address("/v1/roll-ups/live", { ...asked });
    const { signal } = this.#ended;
    addEventListener("online", () => this.#wake?.(), { signal });
    void this.#run();
  }

  end(): void {
    this.#ended.abort();
    clearTimeout(this.#marked);
    this.#wake?.();
    if (this.#keeping !== undefined) this.#keep();
  }

  async #run(): Promise<void> {
    const kept = await recall<Whole>(this.person, this.#path);
    if (kept && this.whole === null) {
      this.whole = kept.value;
      this.at = kept.at;
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
    if (name === "table") {
      this.whole = event as Whole;
      this.fresh = new Set();
    } else if (name === "change" && this.whole) {
      const change = event as Change;
      this.whole = changed(this.whole, change);
      this.fresh = new Set([...change.figures.map((line) => line.code), ...change.units.map((line) => line.unit)]);
      clearTimeout(this.#marked);
      this.#marked = setTimeout(() => (this.fresh = new Set()), FRESH_MS);
    } else {
      return;
    }
    this.live = true;
    this.refused = null;
    this.at = now();
    this.#keeping ??= setTimeout(() => this.#keep(), KEEP_MS);
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
