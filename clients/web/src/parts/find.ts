// Finding rows of a form by what a person remembers of them: code, number, words of the label, or the
// first letters of its words (`tthc` for "thủ tục hành chính", and the other way round).

import { folded } from "../words/fold";
import type { Form, FormRow } from "../worker/views";

export interface Found {
  row: FormRow;
  /** Which section it is in. */
  section: number;
}

interface Key extends Found {
  code: string;
  stt: string;
  words: string[];
  label: string;
  initials: string;
}

/** Words of a text; the first letters of those that have letters. */
const wordsOf = (text: string): string[] => text.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
const initialsOf = (words: string[]): string => words.map((word) => word[0] ?? "").join("");

/** What the rows of a form are found by; what nobody types in is not gone to. */
export function keysOf(form: Form): Key[] {
  return form.sections.flatMap((one, section) =>
    one.rows.filter((row) => !row.computed_only && row.kind !== "heading").map((row) => {
      const label = folded(row.label);
      const words = wordsOf(label);
      return {
        row, section, label, words,
        code: folded(row.code), stt: folded(row.stt).replace(/\.$/, ""), initials: initialsOf(words),
      };
    }));
}

/** Abbreviations have so many letters at least: two of them stand in most labels by chance. */
const LETTERS = 3;

/** How well a row is meant, the smaller the better; none if it is not. */
function distance(key: Key, asked: string, words: string[]): number | null {
  const number = asked.replace(/\.$/, "");
  if (key.code === number || key.stt === number) return 0;
  if (key.code.endsWith(`.${number}`)) return 1;
  if (key.label.startsWith(asked)) return 2;
  if (key.label.includes(asked)) return 3;
  if (words.every((word) => key.words.some((of) => of.startsWith(word)))) return 4;
  const letters = words.length === 1 ? words[0] ?? "" : "";
  if (letters.length >= LETTERS && key.initials.includes(letters)) return 5;
  if (words.length >= LETTERS && key.words.includes(initialsOf(words))) return 6;
  return key.code.startsWith(number) ? 7 : null;
}

/** Rows in the order in which they are likely meant, those of one kind as they are printed. */
export function find(keys: Key[], asked: string, most: number): Found[] {
  const text = folded(asked);
  const words = wordsOf(text);
  if (words.length === 0) return [];
  const found = keys.flatMap((key) => {
    const far = distance(key, text, words);
    return far === null ? [] : [{ key, far }];
  });
  return found.sort((a, b) => a.far - b.far).slice(0, most).map(({ key }) => ({ row: key.row, section: key.section }));
}
