// One go through everything below a desk: what is not kept, or has changed since it was, is asked for and kept.

import { address, now } from "./asking";
import type { Answers } from "./kept";
import { AHEAD_BYTES_MAX, AHEAD_STALE_S, AHEAD_STEP_MS, AHEAD_UNITS_MAX } from "./limits";
import type { Asked, CoverageLine, FigureLine, Figures, Parts, ReportAnswer, ReportsPage, UnitLine, Whole } from "./shapes";

/** One unit as it is kept: its figures without what the rows of the form say, the units right below it, and the
    report it owes itself, if that has come. */
export interface KeptUnit {
  unit: UnitLine;
  position: number;
  coverage: CoverageLine;
  figures: BareFigure[];
  below: UnitLine[];
  document: string | null;
  /** When something in it changed last, by the server's clock. */
  through: number;
}
type Named = "stt" | "label" | "unit" | "row_kind";
type BareFigure = FigureLine extends infer Line ? Omit<Line, Named> : never;

export const PAGE = "500";
export const placeOf = ({ template, period }: Omit<Asked, "unit">, unit: string): string => address("below", { template, period, unit });
const reportPath = (document: string): string => `/v1/reports/${document}`;

/** One go through everything below a desk. */
export class Reading {
  #bytes = 0;
  #units = 0;
  /** The reports that have come: when the last change of each did. */
  #sent = new Map<string, number>();
  readonly #owed: Map<string, string>;

  constructor(
    private readonly person: string,
    private readonly asked: Asked,
    private readonly whole: Whole,
    private readonly changed: ReadonlySet<string>,
    private readonly answers: Answers,
    private readonly ask: (path: string) => Promise<Response>,
  ) {
    this.#owed = new Map(whole.units.map((unit) => [unit.unit, unit.document]));
  }

  async all(): Promise<void> {
    const { template, period, unit } = this.asked;
    for (let after: string | null | undefined = ""; typeof after === "string"; ) {
      const asked = { template, period, unit, limit: PAGE, ...(after ? { after } : {}) };
      const page: ReportsPage = await this.#get<ReportsPage>(address("/v1/reports", asked));
      for (const { document, last_received_at } of page.items) this.#sent.set(document, last_received_at);
      after = page.next;
    }
    await this.#unit(this.whole.unit);
    // Totals first: what is seen at a glance before what is looked up.
    for (const [of, document] of this.#owed) await this.#report(of, document);
  }

  /** Reads a unit and all below it. Gives when something in it changed last, and whether the line has said so. */
  async #unit(unit: UnitLine): Promise<{ through: number; changed: boolean }> {
    this.#units += 1;
    const path = placeOf(this.asked, unit.unit);
    const last = await this.answers.recall<KeptUnit>(this.person, path);
    const kept = last && last.at > now() - AHEAD_STALE_S ? last.value : undefined;
    const below = (unit.unit !== this.whole.unit.unit && kept?.below) || (await this.#below(unit));
    const document = this.#owed.get(unit.unit);
    const received = document === undefined ? undefined : this.#sent.get(document);
    let [through, changed] = [received ?? 0, this.changed.has(unit.unit)];
    for (const one of below) {
      if (this.#units >= AHEAD_UNITS_MAX) break;
      const part = await this.#unit(one);
      through = Math.max(through, part.through);
      changed ||= part.changed;
    }
    if (!kept || changed || kept.through !== through) {
      const { position, coverage, figures } = await this.#figures(unit);
      const own = received === undefined ? null : (document ?? null);
      const value: KeptUnit = { unit, position, coverage, figures: figures.map(bare), below, document: own, through };
      await this.answers.remember(this.person, path, { value, at: now() });
    }
    return { through, changed };
  }

  #figures({ unit }: UnitLine): Promise<Figures> | Figures {
    const { template, period } = this.asked;
    return unit === this.whole.unit.unit ? this.whole : this.#get<Figures>(address("/v1/roll-ups", { template, period, unit }));
  }

  async #below({ unit }: UnitLine): Promise<UnitLine[]> {
    if (unit === this.whole.unit.unit) return this.whole.parts;
    const { template, period } = this.asked;
    const asked = { template, period, unit, code: this.whole.figures[0]?.code ?? "", limit: PAGE };
    return (await this.#get<Parts>(address("/v1/roll-ups/parts", asked))).items.map((part) => part.unit);
  }

  /** A report, unless what is kept of it is as new. */
  async #report(unit: string, document: string): Promise<void> {
    const received = this.#sent.get(document);
    if (received === undefined) return;
    const path = reportPath(document);
    const kept = await this.answers.recall<ReportAnswer>(this.person, path);
    if (kept?.value.last_received_at === received && !this.changed.has(unit)) return;
    await this.answers.remember(this.person, path, { value: await this.#get<ReportAnswer>(path), at: now() });
  }

  async #get<T>(path: string): Promise<T> {
    await new Promise((next) => setTimeout(next, AHEAD_STEP_MS));
    const text = await (await this.ask(path)).text();
    this.#bytes += text.length;
    if (this.#bytes > AHEAD_BYTES_MAX) throw new Error("as much was read ahead as may be");
    return JSON.parse(text) as T;
  }
}

function bare(line: FigureLine): BareFigure {
  const { stt: _, label: __, unit: ___, row_kind: ____, ...kept } = line;
  return kept;
}
