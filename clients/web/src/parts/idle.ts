// Nobody touches the device: the work is shut.

/** An officer who goes to the counter and comes back finds their work open; whoever takes the tablet
    after that finds it shut. */
export const IDLE_LOCK_MS = 5 * 60_000;

const SIGNS = ["pointerdown", "keydown", "wheel", "touchmove"] as const;

/** Acts once nobody has touched the page for a while, also while it was hidden. Gives back how to stop. */
export function whenIdle(act: () => void): () => void {
  let touchedAt = Date.now();
  let timer: ReturnType<typeof setTimeout>;
  const look = () => {
    clearTimeout(timer);
    const left = IDLE_LOCK_MS - (Date.now() - touchedAt);
    if (left <= 0) act();
    else timer = setTimeout(look, left);
  };
  const touched = () => {
    touchedAt = Date.now();
  };
  timer = setTimeout(look, IDLE_LOCK_MS);
  for (const sign of SIGNS) addEventListener(sign, touched, { passive: true, capture: true });
  document.addEventListener("visibilitychange", look);
  return () => {
    clearTimeout(timer);
    for (const sign of SIGNS) removeEventListener(sign, touched, { capture: true });
    document.removeEventListener("visibilitychange", look);
  };
}
