// Which part of a long list is drawn: it is cut into runs, and those near what is in sight are there. A tablet may hold
// hundreds of reports; drawn all at once they took ninety megabytes.

/** Rows of a run: more than the largest screen shows. */
export const RUN = 25;
/** A row that was never drawn. */
const GUESS_PX = 110;
/** Drawn beyond what is in sight, so that a flick of the finger does not meet white. */
const BEYOND = "600px";

/** A list in runs. */
export function inRuns<T>(list: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(list.length / RUN) }, (_, at) => list.slice(at * RUN, (at + 1) * RUN));
}

export class Runs {
  /** The runs that are drawn. The first is from the start: nothing has to be measured before it is shown. */
  near = $state.raw<ReadonlySet<number>>(new Set([0]));
  #heights = new Map<number, number>();
  #at = new Map<Element, number>();
  #observer = new IntersectionObserver((entries) => this.#take(entries), { rootMargin: BEYOND });

  /** Follows where a run is. */
  watch(at: number): (run: HTMLElement) => () => void {
    return (run) => {
      this.#at.set(run, at);
      this.#observer.observe(run);
      return () => {
        this.#at.delete(run);
        this.#observer.unobserve(run);
      };
    };
  }

  /** The place of a run of so many rows that is not drawn, in pixels. */
  height(at: number, rows: number): number {
    return this.#heights.get(at) ?? rows * GUESS_PX;
  }

  end(): void {
    this.#observer.disconnect();
  }

  #take(entries: IntersectionObserverEntry[]): void {
    const near = new Set(this.near);
    for (const { target, isIntersecting } of entries) {
      const at = this.#at.get(target);
      if (at === undefined) continue;
      if (isIntersecting) {
        near.add(at);
      } else if (near.has(at) && !target.contains(document.activeElement)) {
        // Where the keyboard is stays.
        this.#heights.set(at, (target as HTMLElement).offsetHeight);
        near.delete(at);
      }
    }
    this.near = near;
  }
}
