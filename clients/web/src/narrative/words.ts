// The sentences about the words of a report, which come with the page that says them.

import en from "../../../../sync-core/messages/catalogues/narrative.en.ftl";
import vi from "../../../../sync-core/messages/catalogues/narrative.vi.ftl";
import { learn, t } from "../words/words.svelte";
import type { Piece } from "../worker/views";

learn(vi, en);

export type Quote = Extract<Piece, { code: string }>;

export const quotesOf = (pieces: Piece[]): Quote[] => pieces.filter((piece): piece is Quote => "code" in piece);

/** How a quote stands to its cell, in a sentence. */
export function quoteWords({ agreement, figure, code, now }: Quote): string {
  const range = now && (now.low === now.high ? now.low_text : `${now.low_text}–${now.high_text}`);
  return t(`quote-${agreement}`, { figure, code, now: range ?? "" });
}
