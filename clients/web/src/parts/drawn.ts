// After the next drawing: what may wait until the page has shown what came before it.

/** A page that is not drawn, since it lies behind another, waits no longer than this. */
const UNDRAWN_MS = 100;

/** Ends when what the page says now has been drawn. */
export function drawn(): Promise<void> {
  return new Promise((ended) => {
    const timer = setTimeout(ended, UNDRAWN_MS);
    // A frame calls first and draws then: what it asks to be done later is done after it has drawn.
    requestAnimationFrame(() =>
      setTimeout(() => {
        clearTimeout(timer);
        ended();
      }),
    );
  });
}
