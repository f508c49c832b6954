// Every sentence of the app: Fluent catalogues shared with the command line, Vietnamese first.

import { FluentBundle, FluentNumber, type FluentResource, type FluentVariable } from "@fluent/bundle";
import viFindings from "../../../../sync-core/messages/catalogues/findings.vi.ftl";
import viWeb from "../../../../sync-core/messages/catalogues/web.vi.ftl";
import { decimal } from "./numbers";

export type Language = "vi" | "en";

const KEPT = "language";

function bundle(language: Language, ...words: FluentResource[]): FluentBundle {
  const made = new FluentBundle(language, { useIsolating: false });
  for (const of of words) made.addResource(of);
  return made;
}

const bundles: { vi: FluentBundle; en: FluentBundle | null } = { vi: bundle("vi", viWeb, viFindings), en: null };
/** English sentences of pages that are not there from the start. */
const learned: FluentResource[] = [];

/** Takes in the sentences of pages that are not there from the start. */
export function learn(vi: FluentResource, en: FluentResource): void {
  bundles.vi.addResource(vi);
  bundles.en?.addResource(en);
  learned.push(en);
}

/** English comes when somebody wants it. */
async function english(): Promise<FluentBundle> {
  const [{ default: words }, { default: findings }] = await Promise.all([
    import("../../../../sync-core/messages/catalogues/web.en.ftl"),
    import("../../../../sync-core/messages/catalogues/findings.en.ftl"),
  ]);
  const made = bundle("en", words, findings);
  for (const more of learned) made.addResource(more);
  return made;
}

export const spoken = $state<{ language: Language }>({ language: "vi" });

/** The language that was chosen on this device. */
export const chosen = (): Language => (localStorage.getItem(KEPT) === "en" ? "en" : "vi");

let wanted: Language = "vi";

export async function speak(language: Language): Promise<void> {
  wanted = language;
  if (language === "en") bundles.en ??= await english();
  // The other one was chosen while the words came.
  if (wanted !== language) return;
  spoken.language = language;
  localStorage.setItem(KEPT, language);
  document.documentElement.lang = language;
}

/** A number in a sentence. The first that a browser's own library writes costs a slow tablet a fifth of a second. */
class Count extends FluentNumber {
  override toString(): string {
    return decimal(String(this.value));
  }
}

/** A sentence; its own name if it was forgotten. */
export function t(id: string, values: Record<string, FluentVariable> = {}): string {
  const of = spoken.language === "en" && bundles.en ? bundles.en : bundles.vi;
  const message = of.getMessage(id);
  if (!message?.value) return id;
  const written = Object.entries(values).map(([name, value]) => [name, typeof value === "number" ? new Count(value) : value] as const);
  return of.formatPattern(message.value, Object.fromEntries(written));
}

/** True if there is such a sentence. */
export function knows(id: string): boolean {
  return bundles.vi.hasMessage(id);
}

const two = (number: number): string => String(number).padStart(2, "0");

/** A time by this device. */
export function clock(seconds: number, withSeconds = false): string {
  const at = new Date(seconds * 1000);
  const short = `${two(at.getHours())}:${two(at.getMinutes())}`;
  return withSeconds ? `${short}:${two(at.getSeconds())}` : short;
}

/** The same with the day before it, as people in Vietnam write it. */
export function dayAndClock(seconds: number): string {
  const at = new Date(seconds * 1000);
  return `${two(at.getDate())}/${two(at.getMonth() + 1)} ${clock(seconds)}`;
}

/** To the second, with the whole day: what a device or a server says. */
export function moment(seconds: number): string {
  const at = new Date(seconds * 1000);
  const whole = `${two(at.getDate())}/${two(at.getMonth() + 1)}/${at.getFullYear()}`;
  return t("moment", { clock: clock(seconds, true), day: whole });
}

/** yyyy-mm-dd as dd/MM/yyyy. */
export function day(iso: string): string {
  return iso.split("-").reverse().join("/");
}

/** Bytes as people read them. */
export function kilobytes(bytes: number): string {
  if (bytes < 1024) return "< 1";
  const value = bytes < 10_240 ? Math.ceil(bytes / 102.4) / 10 : Math.ceil(bytes / 1024);
  return decimal(String(value));
}
