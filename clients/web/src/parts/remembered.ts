// Who was on this device when its sign-in page was last shown: names alone, so that a PIN can be typed while
// the worker comes. How their work stands is said by the worker.

import type { Card } from "../worker/protocol";

const KEPT = "people";

export function remembered(): Card[] {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "[]") as Card[];
    return kept.map((card) => ({ ...card, unsent: 0, synchronisedAt: null }));
  } catch {
    return [];
  }
}

export function remember(people: Card[]): void {
  const names = people.map(({ unsent: _, synchronisedAt: __, ...card }) => card);
  localStorage.setItem(KEPT, JSON.stringify(names));
}
