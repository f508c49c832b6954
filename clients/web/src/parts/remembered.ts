// Who was on this device when its sign-in page was last shown: names alone, so that a PIN can be typed while
// the worker comes. How their work stands is said by the worker, and so is whether somebody has no PIN yet: what
// is typed must not be taken for a new one.

import type { Card } from "../worker/protocol";

const KEPT = "people";

export function remembered(): Card[] {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "[]") as Card[];
    if (!kept.every(({ hasPin }) => hasPin)) return [];
    return kept.map((card) => ({ ...card, unsent: 0, synchronisedAt: null }));
  } catch {
    return [];
  }
}

export function remember(people: Card[]): void {
  const names = people.map(({ unsent: _, synchronisedAt: __, ...card }) => card);
  localStorage.setItem(KEPT, JSON.stringify(names));
}
