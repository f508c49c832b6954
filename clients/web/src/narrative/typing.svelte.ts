// A text that its person types into while others do: what is in the field, what the core gave last, and the writes
// between. The core is told what was seen and what became of it, so nothing that arrived meanwhile is taken away.

import { editing } from "../parts/edits";

/** Typing that pauses this long is written. */
const PAUSE_MS = 600;

export class Typing {
  /** What stands in the field. */
  text = $state("");
  /** What prevented the last write. */
  problem = $state<string | null>(null);
  /** A write is under way, or will be. */
  pending = $state(false);
  /** The text that the field was given, with what was written since. */
  #seen: string;
  #field: HTMLTextAreaElement | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> | null = null;

  /** `write` makes durable what became of a text; gives the text that stands then. */
  constructor(
    text: string,
    private readonly write: (seen: string, typed: string) => Promise<string>,
    private readonly words: (error: unknown) => string,
  ) {
    this.text = text;
    this.#seen = text;
  }

  attach = (field: HTMLTextAreaElement): (() => void) => {
    this.#field = field;
    return () => (this.#field = undefined);
  };

  /** The text that stands now, from elsewhere: shown unless something is typed here that was not written. */
  stands(text: string): void {
    if (this.pending || this.text !== this.#seen) return;
    this.#show(text);
  }

  /** The person typed. */
  typed(): void {
    this.pending = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.keep(), PAUSE_MS);
  }

  /** Puts a text where the caret stands. */
  insert(what: string): void {
    const field = this.#field;
    const [from, to] = [field?.selectionStart ?? this.text.length, field?.selectionEnd ?? this.text.length];
    const before = this.text.slice(0, from);
    const after = this.text.slice(to);
    const ahead = before === "" || /[\s([“]$/u.test(before) ? "" : " ";
    const behind = after === "" || /^[\s.,;:)\]”]/u.test(after) ? "" : " ";
    this.text = `${before}${ahead}${what}${behind}${after}`;
    const caret = from + ahead.length + what.length + behind.length;
    queueMicrotask(() => {
      field?.focus();
      field?.setSelectionRange(caret, caret);
    });
    this.typed();
  }

  /** Writes what was typed, until nothing is left to write. */
  keep(): Promise<void> {
    clearTimeout(this.#timer);
    this.#writing ??= editing(this.#keep().finally(() => (this.#writing = null)));
    return this.#writing;
  }

  async #keep(): Promise<void> {
    try {
      while (this.text !== this.#seen) {
        const typed = this.text;
        const standing = await this.write(this.#seen, typed);
        this.problem = null;
        this.#seen = typed;
        // More was typed meanwhile: what arrived is shown when that is written.
        if (this.text === typed) this.#show(standing);
      }
      this.pending = false;
    } catch (error) {
      this.problem = this.words(error);
    }
  }

  /** Shows a text; the caret stays where it was among the words. */
  #show(text: string): void {
    const old = this.text;
    this.#seen = text;
    if (old === text) return;
    const field = this.#field;
    const caret = document.activeElement === field ? field?.selectionStart : undefined;
    this.text = text;
    if (caret === undefined) return;
    let common = 0;
    while (common < caret && old[common] === text[common]) common += 1;
    const moved = common === caret ? caret : Math.max(common, caret + text.length - old.length);
    queueMicrotask(() => field?.setSelectionRange(moved, moved));
  }
}
