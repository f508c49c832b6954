// Which rows of a long table are drawn: those in sight, some above and below, and the one in hand.

/** Pixels drawn beyond what is in sight, so that a flick of the finger does not meet white. */
const BEYOND_PX = 200;
/** What stands above and below a table on its page, before it was measured. */
const AROUND_PX = 280;
/** A row before it was ever drawn: a touch target and its rule. */
const GUESS_PX = 54;

/** A row that is drawn, or the height of a run of rows that are not. */
export type Piece = { code: string; index: number } | { gap: number; after: string };

export class RowWindow {
  #heights = new Map<string, number>();
  /** A row's piece is always the same object: what did not change is not looked at again. */
  #pieces = new Map<string, Piece>();
  #top = $state(0);
  #height = $state(innerHeight - AROUND_PX);
  /** At first only what is in sight: a page is there sooner. */
  #beyond = $state(0);
  /** Counts changes of measured heights. */
  #measured = $state(0);
  #observer: ResizeObserver | undefined;
  #last: Piece[] = [];

  /** Follows the scrolling of the element that holds the table. */
  follow(holder: HTMLElement): () => void {
    let asked = 0;
    const look = (): void => {
      asked = 0;
      this.#beyond = BEYOND_PX;
      this.#top = holder.scrollTop;
      this.#height = holder.clientHeight;
    };
    const later = (): void => {
      asked ||= requestAnimationFrame(look);
    };
    const resized = new ResizeObserver(later);
    // After the first frame was shown: until then nothing is drawn that is not in sight.
    let begun: ReturnType<typeof setTimeout> | undefined;
    const first = requestAnimationFrame(() => (begun = setTimeout(() => resized.observe(holder))));
    holder.addEventListener("scroll", later, { passive: true });
    return () => {
      cancelAnimationFrame(asked);
      cancelAnimationFrame(first);
      clearTimeout(begun);
      resized.disconnect();
      holder.removeEventListener("scroll", later);
      this.#observer?.disconnect();
    };
  }

  /** Measures a row while it is drawn. */
  measure(code: string): (row: HTMLElement) => () => void {
    return (row) => {
      this.#observer ??= new ResizeObserver((entries) => this.#take(entries));
      row.dataset["row"] = code;
      this.#observer.observe(row);
      return () => this.#observer?.unobserve(row);
    };
  }

  #take(entries: ResizeObserverEntry[]): void {
    let changed = false;
    for (const { target } of entries) {
      const { row } = (target as HTMLElement).dataset;
      const height = (target as HTMLElement).offsetHeight;
      if (row === undefined || height === 0 || this.#heights.get(row) === height) continue;
      this.#heights.set(row, height);
      changed = true;
    }
    if (changed && this.#beyond > 0) this.#measured += 1;
  }

  #piece(code: string, index: number): Piece {
    let piece = this.#pieces.get(code);
    if (!piece) this.#pieces.set(code, (piece = { code, index }));
    return piece;
  }

  /** The pieces of a table of these rows, from top to bottom. */
  pieces(codes: readonly string[], inHand: string): Piece[] {
    void this.#measured;
    const [from, to] = [this.#top - this.#beyond, this.#top + this.#height + this.#beyond];
    const pieces: Piece[] = [];
    let at = 0;
    let gap = 0;
    let after = "";
    codes.forEach((code, index) => {
      const height = this.#heights.get(code) ?? GUESS_PX;
      if (code === inHand || (at + height >= from && at <= to)) {
        if (gap > 0) pieces.push({ gap, after });
        pieces.push(this.#piece(code, index));
        gap = 0;
        after = code;
      } else {
        gap += height;
      }
      at += height;
    });
    if (gap > 0) pieces.push({ gap, after });
    // The very same list, where it says the same: nothing of the table is looked at.
    const last = this.#last;
    if (last.length !== pieces.length || !pieces.every((piece, index) => same(piece, last[index]))) this.#last = pieces;
    return this.#last;
  }
}

const same = (one: Piece, other: Piece | undefined): boolean =>
  one === other || ("gap" in one && other !== undefined && "gap" in other && one.gap === other.gap && one.after === other.after);
