// What a page is about to have saved: waited for before it is left.

const underWay = new Set<Promise<unknown>>();

/** Notes an edit until it has ended, well or not. */
export function editing<T>(edit: Promise<T>): Promise<T> {
  underWay.add(edit);
  const ended = () => underWay.delete(edit);
  edit.then(ended, ended);
  return edit;
}

/** Takes what stands in a cell and waits until it is durable. False if a person has to say more first. */
export async function settled(): Promise<boolean> {
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  while (underWay.size > 0) await Promise.allSettled(underWay);
  return document.querySelector("input.cell, [id^='refused-']") === null;
}
