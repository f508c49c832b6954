// What lies below the unit of a desk, read ahead while there is a link: every total opens without one, down to
// the cells, as of when it was read.

import { address } from "./asking";
import type { Kept } from "./kept";
import { AHEAD_PAUSE_MS } from "./limits";
import { read, recall, type Read } from "./reader";
import { PAGE, placeOf, type KeptUnit } from "./reading";
import { ask } from "../tablet.svelte";
import type { FromReading, ToReading } from "./ahead.worker";
import type { Asked, Change, FigureLine, Parts, Whole } from "./shapes";

/** Opens a total: what the server says of its parts, or what was read of them last. */
export async function readParts(person: string, whole: Whole, unit: string, code: string): Promise<Read<Parts> | null> {
  const asked = { template: whole.template, period: whole.period, unit, code, limit: PAGE };
  const said = await read<Parts>(person, address("/v1/roll-ups/parts", asked));
  if (said?.live) return said;
  const made = await composed(person, whole, unit, code);
  return said && (!made || said.at >= made.at) ? said : made;
}

/** The same from what was read ahead. As of when: the oldest of it. */
async function composed(person: string, whole: Whole, unit: string, code: string): Promise<Read<Parts> | null> {
  const named = whole.figures.find((line) => line.code === code);
  const kept = await recall<KeptUnit>(person, placeOf(whole, unit));
  if (!kept || !named) return null;
  const line = ({ value }: Kept<KeptUnit>): FigureLine | undefined => {
    const bare = value.figures.find((one) => one.code === code);
    const { stt, label, unit: measure, row_kind } = named;
    return bare && ({ ...bare, stt, label, unit: measure, row_kind } as FigureLine);
  };
  const figure = line(kept);
  if (!figure) return null;
  let { at } = kept;
  const items: Parts["items"] = [];
  for (const below of await Promise.all(kept.value.below.map((one) => recall<KeptUnit>(person, placeOf(whole, one.unit))))) {
    const part = below && line(below);
    // A part of which nothing is known: the total cannot be opened.
    if (!below || !part) return null;
    at = Math.min(at, below.at);
    const { unit: of, coverage, document } = below.value;
    items.push({ unit: of, coverage, figure: part, ...(document ? { document } : {}) });
  }
  const { value: { unit: of, position, coverage, document } } = kept;
  return { value: { unit: of, position, coverage, figure, items, ...(document ? { own: { document } } : {}) }, at, live: false };
}

/** Has read ahead what lies below one desk: by a worker of its own, so that the page draws what changes at once. */
export class Below {
  #whole: Whole | null = null;
  /** Units of which the live line has said that they changed, and that were not read since. */
  #changed = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #worker: Worker | null = null;

  constructor(
    private readonly person: string,
    private readonly asked: Asked,
    /** All of it is kept, as of now. */
    private readonly onread: (whole: Whole) => void,
  ) {}

  /** The live line has said everything, or what changed. */
  heard(whole: Whole, change: Change | null): void {
    this.#whole = whole;
    for (const { unit } of change?.units ?? []) this.#changed.add(unit);
    this.#soon();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#whole = null;
    this.#worker?.terminate();
  }

  #soon(): void {
    if (!this.#worker) this.#timer ??= setTimeout(() => void this.#begin(), AHEAD_PAUSE_MS);
  }

  async #begin(): Promise<void> {
    const key = await ask("deskKey").catch(() => null);
    const whole = this.#whole;
    // Until the worker is there it is still about to begin.
    this.#timer = undefined;
    if (!whole || !key) return;
    const { person, asked } = this;
    const changed = this.#changed;
    this.#changed = new Set();
    const worker = new Worker(new URL("./ahead.worker.ts", import.meta.url), { type: "module" });
    this.#worker = worker;
    const say = (said: ToReading) => worker.postMessage(said);
    worker.onmessage = ({ data }: MessageEvent<FromReading>) => {
      if ("token" in data) {
        void ask("token", data.token).then((token) => say({ token }), () => say({ token: null }));
        return;
      }
      worker.terminate();
      if (this.#worker === worker) this.#worker = null;
      // Without a link, or beyond what is kept: it goes on when the live line says something.
      if (data.done) this.onread(whole);
      else for (const unit of changed) this.#changed.add(unit);
      if (this.#whole && this.#whole !== whole) this.#soon();
    };
    say({ person, asked, whole, changed, key });
  }
}
