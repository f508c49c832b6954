// Nobody touches the device: the work is shut. And the opposite: a screen that is there to be looked at.

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

/** Keeps the screen from going dark while the page is in sight, where the device can. Gives back how to stop. */
export function screenOn(): () => void {
  let kept: WakeLockSentinel | undefined;
  let ended = false;
  const ask = async (): Promise<void> => {
    if (ended || document.visibilityState === "hidden") return;
    // A device that is short of power refuses: its screen goes dark as it would have.
    kept = await navigator.wakeLock?.request("screen").catch(() => undefined);
    if (ended) void kept?.release();
  };
  void ask();
  const again = () => void ask();
  document.addEventListener("visibilitychange", again);
  return () => {
    ended = true;
    void kept?.release();
    document.removeEventListener("visibilitychange", again);
  };
}
