// A block copied from a spreadsheet and the rows of a form that it is about. Nothing is written here: a
// person sees first what would become of each line.

import { folded } from "../words/fold";
import type { FormRow } from "../worker/views";

/** More lines than any form has rows: what else was copied is not a part of a report. */
export const LINES_MAX = 2_000;

/** The cells of a copied block; none if it is one value. A cell with line ends in it comes in quotes. */
export function blockOf(text: string): string[][] | null {
  if (!/[\t\n]/.test(text.trim())) return null;
  const lines: string[][] = [];
  let line: string[] = [];
  let rest = text.replace(/\r\n?/g, "\n").replace(/\n+$/, "");
  while (rest !== "") {
    const quoted = /^"((?:[^"]|"")*)"(?=[\t\n]|$)/.exec(rest);
    const cell = quoted?.[0] ?? /^[^\t\n]*/.exec(rest)?.[0] ?? "";
    line.push((quoted?.[1]?.replaceAll('""', '"') ?? cell).trim());
    const end = rest[cell.length];
    rest = rest.slice(cell.length + 1);
    if (end === "\t" && rest !== "") continue;
    if (end === "\t") line.push("");
    lines.push(line);
    line = [];
  }
  return lines;
}

/** One line and the row it is for. */
export interface Line {
  written: string[];
  row: FormRow | null;
}

const number = (stt: string): string => folded(stt).replace(/\.$/, "");

/** The rows of a section by what a line may say of them. Made once: folding a label costs more than finding it. */
class Names {
  readonly #label = new Map<string, FormRow[]>();
  readonly #code = new Map<string, FormRow[]>();
  readonly #stt = new Map<string, FormRow[]>();

  constructor(rows: FormRow[]) {
    const put = (of: Map<string, FormRow[]>, name: string, row: FormRow): void => {
      if (name !== "") of.set(name, [...(of.get(name) ?? []), row]);
    };
    for (const row of rows) {
      put(this.#label, number(row.label), row);
      put(this.#code, number(row.code), row);
      put(this.#stt, number(row.stt), row);
    }
  }

  /** The row that a line names by its label, code or number, if it names one alone. */
  of(written: string[]): FormRow | null {
    const words = written.map(number).filter(Boolean);
    const all = (of: Map<string, FormRow[]>): FormRow[] => words.flatMap((word) => of.get(word) ?? []);
    const labels = all(this.#label);
    if (labels.length === 1) return labels[0] ?? null;
    const codes = all(this.#code);
    if (codes.length === 1) return codes[0] ?? null;
    // A label that is printed more than once is told by its number.
    const numbered = (this.#stt.get(words[0] ?? "") ?? []).filter((row) => labels.length === 0 || labels.includes(row));
    return numbered.length === 1 ? numbered[0] ?? null : null;
  }
}

/** Which row each line is for: by what it says where most lines say it, else one after the other from a row on. */
export function linesOf(block: string[][], rows: FormRow[], from: string): Line[] {
  if (Math.max(...block.map((line) => line.length)) > 1) {
    const names = new Names(rows);
    const by = block.map((written) => ({ written, row: names.of(written) }));
    if (by.filter(({ row }) => row).length * 2 > block.length) return by;
  }
  const start = Math.max(0, rows.findIndex((row) => row.code === from));
  return block.map((written, index) => ({ written, row: rows[start + index] ?? null }));
}

/** The column that most likely holds the figures: the last one in which most of what stands is a number. */
export function figuresIn(block: string[][]): number {
  const width = Math.max(...block.map((line) => line.length));
  for (let column = width - 1; column >= 0; column -= 1) {
    const filled = block.map((line) => line[column] ?? "").filter(Boolean);
    const numbers = filled.filter((cell) => /^[-(]?[\d.,\s]+[%)]?$/.test(cell));
    if (numbers.length > 0 && numbers.length * 2 >= filled.length) return column;
  }
  return width - 1;
}
