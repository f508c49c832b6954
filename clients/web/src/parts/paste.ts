// A block copied from a spreadsheet and the rows of a form that it is about. Nothing is written here: a
// person sees first what would become of each line.

import { folded } from "../words/fold";
import type { Edit, FormRow, Row } from "../worker/views";

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

/** The row that a line names by its code, number or label, if it names one alone. */
function named(written: string[], rows: FormRow[]): FormRow | null {
  const words = written.map(number).filter(Boolean);
  const label = rows.filter((row) => words.includes(folded(row.label)));
  if (label.length === 1) return label[0] ?? null;
  const code = rows.filter((row) => words.includes(folded(row.code)));
  if (code.length === 1) return code[0] ?? null;
  const stt = (label.length > 1 ? label : rows).filter((row) => row.stt !== "" && words[0] === number(row.stt));
  return stt.length === 1 ? stt[0] ?? null : null;
}

/** Which row each line is for: by what it says where most lines say it, else one after the other from a row on. */
export function linesOf(block: string[][], rows: FormRow[], from: string): Line[] {
  const wide = Math.max(...block.map((line) => line.length)) > 1;
  const by = block.map((written) => ({ written, row: wide ? named(written, rows) : null }));
  if (by.filter(({ row }) => row).length * 2 > block.length) return by;
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

/** What brings cells back to what stood there. An emptied cell stays one that somebody emptied. */
export function backTo(codes: string[], was: (code: string) => Row | undefined): Edit[] {
  return codes.map((code): Edit => {
    const value = was(code)?.values[0]?.value;
    if (value?.kind === "number") return { kind: "number", code, number: value.number };
    if (value?.kind === "no_occurrence") return { kind: "no_occurrence", code };
    return { kind: "cell", code, text: value?.kind === "text" ? value.text : null };
  });
}
