// The tab of what is shown: on a phone most of the others are out of sight.

/** Brings a tab into the middle of its row when it becomes the one that is shown, and again when the row gets
    another width; the page itself stays where it is. */
export const inSight = (shown: boolean) => (tab: HTMLElement): (() => void) | undefined => {
  const row = tab.parentElement;
  if (!shown || !row) return undefined;
  // Told with the next drawing, which lays the page out in any case.
  const resized = new ResizeObserver(() => {
    row.scrollLeft = tab.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
  });
  resized.observe(row);
  return () => resized.disconnect();
};
