// The moment that figures stand for, said when they are not live.

import { clock, day, t } from "./words.svelte";

/** "Số liệu lúc 10:42:07, ngoại tuyến", with the day if it was another one. */
export function asOf(seconds: number): string {
  const [at, today] = [new Date(seconds * 1000), new Date()];
  const time = clock(seconds, true);
  if (at.toDateString() === today.toDateString()) return t("desk-as-of", { clock: time });
  const two = (number: number): string => String(number).padStart(2, "0");
  const iso = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return t("desk-as-of-day", { clock: time, day: day(iso) });
}
