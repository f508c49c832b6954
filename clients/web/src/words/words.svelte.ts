// Every sentence of the app: Fluent catalogues shared with the command line, Vietnamese first.

import { FluentBundle, FluentResource, type FluentVariable } from "@fluent/bundle";
import enWeb from "../../../../sync-core/messages/catalogues/web.en.ftl?raw";
import viWeb from "../../../../sync-core/messages/catalogues/web.vi.ftl?raw";

export type Language = "vi" | "en";

const KEPT = "language";

function bundle(language: Language, source: string): FluentBundle {
  const made = new FluentBundle(language, { useIsolating: false });
  made.addResource(new FluentResource(source));
  return made;
}

const bundles: Record<Language, FluentBundle> = { vi: bundle("vi", viWeb), en: bundle("en", enWeb) };

/** Takes in the sentences of pages that are not there from the start. */
export function learn(vi: string, en: string): void {
  bundles.vi.addResource(new FluentResource(vi));
  bundles.en.addResource(new FluentResource(en));
}

export const spoken = $state<{ language: Language }>({
  language: localStorage.getItem(KEPT) === "en" ? "en" : "vi",
});

export function speak(language: Language): void {
  spoken.language = language;
  localStorage.setItem(KEPT, language);
  document.documentElement.lang = language;
}

/** A sentence; its own name if it was forgotten. */
export function t(id: string, values: Record<string, FluentVariable> = {}): string {
  const of = bundles[spoken.language];
  const message = of.getMessage(id);
  return message?.value ? of.formatPattern(message.value, values) : id;
}

/** True if there is such a sentence. */
export function knows(id: string): boolean {
  return bundles[spoken.language].hasMessage(id);
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
  return value.toLocaleString(spoken.language === "vi" ? "vi-VN" : "en-GB");
}
