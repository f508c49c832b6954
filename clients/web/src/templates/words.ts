// The sentences about forms and their versions, which come with the pages that say them.

import en from "../../../../sync-core/messages/catalogues/templates.en.ftl";
import vi from "../../../../sync-core/messages/catalogues/templates.vi.ftl";
import { learn, t } from "../words/words.svelte";
import type { Difference } from "../worker/views";
import type { DraftForm, Fault } from "./draft";

learn(vi, en);

/** What is different, in a word or two. */
export function aspectWords({ aspect, before, after }: Difference): string {
  if (aspect !== "row") return t(`difference-${aspect}`);
  return t(before === null ? "difference-row-new" : after === null ? "difference-row-gone" : "difference-row");
}

/** One side of a difference as people read it. */
export function sideWords(aspect: string, text: string | null): string {
  if (text === null) return "–";
  if (aspect === "kind") return t(`form-kind-${text}`);
  if (aspect === "cumulative" || aspect === "computed-only") return t("difference-yes");
  return text;
}

/** What is wrong with a draft, where it is, in a sentence; `placed` says which row. */
export function faultWords(form: DraftForm, { section, row, code, detail }: Fault, placed = true): string {
  const sentence = t(`draft-${code}`, { detail });
  if (!placed || section === null) return sentence;
  const of = form.sections[section];
  const place = of?.form_label_vi || of?.printed_vi || of?.id || "";
  if (row === null) return `${place}: ${sentence}`;
  return `${place}, ${t("draft-row", { row: String(row + 1) })}: ${sentence}`;
}
