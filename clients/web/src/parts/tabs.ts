// The tab of what is shown: on a phone most of the others are out of sight.

/** Brings a tab into the middle of its row when it becomes the one that is shown; the page itself stays where it is. */
export const inSight = (shown: boolean) => (tab: HTMLElement): (() => void) | undefined => {
  if (!shown) return undefined;
  // With the next drawing, which lays the page out in any case.
  const asked = requestAnimationFrame(() => {
    const row = tab.parentElement;
    if (row) row.scrollLeft = tab.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
  });
  return () => cancelAnimationFrame(asked);
};
