// How sure a figure is, in words: what stands open below it, said the same way everywhere.

import { decimal, rounded } from "../words/numbers";
import { knows, t } from "../words/words.svelte";
import type { CoverageLine, DueUnit, FigureLine, FindingLine, SectionLine } from "./shapes";

export interface Certainty {
  /** One of the twelve states. */
  state: "conflict" | "warning" | "empty" | "province";
  text: string;
}

export function certainty(
  figure: FigureLine,
  coverage: CoverageLine,
  finding?: FindingLine,
): Certainty {
  if (figure.in_conflict > 0) {
    return { state: "conflict", text: t("certain-conflict", { count: figure.in_conflict }) };
  }
  if (coverage.missing > 0) {
    const { reported, due } = coverage;
    return { state: "warning", text: t("certain-missing", { reported, due }) };
  }
  if (finding) return { state: "warning", text: stated(finding) };
  if (figure.kind === "nothing") return { state: "empty", text: t("certain-nothing") };
  return { state: "province", text: t(coverage.due === 1 ? "certain-one" : "certain-whole", { due: coverage.due }) };
}

/** What somebody printed, and what the reports come to. */
export function stated(finding: FindingLine): string {
  const id = `stated-${finding.rule}`;
  const range = finding.found ? between(finding.found, true) : "";
  return knows(id) ? t(id, { stated: decimal(finding.stated), found: range }) : finding.rule;
}

function between({ low, high }: { low: string; high: string }, computed: boolean): string {
  const shown = (text: string) => decimal(computed ? rounded(text) : text);
  return low === high ? shown(low) : t("figure-range", { low: shown(low), high: shown(high) });
}

export interface Shown {
  /** The figure, or the low end of it. */
  text: string;
  /** The rest of a range: "đến 606.455". */
  more: string;
}

/** A figure as it is read: `606.446` and `đến 606.455`, or words for what is none. */
export function shown(amount: FigureLine, rowKind: string): Shown {
  // The sign stays with its number.
  const percent = rowKind === "percent" ? "\u00a0%" : "";
  switch (amount.kind) {
    case "sum":
    case "spread":
    case "recomputed": {
      const places = (text: string) => decimal(amount.kind === "recomputed" ? rounded(text) : text) + percent;
      const [low, high] = [places(amount.low), places(amount.high)];
      return { text: low, more: low === high ? "" : t("figure-to", { high }) };
    }
    case "unresolved":
      return { text: t(`unresolved-${amount.reason}`), more: "" };
    case "choices":
      return { text: Object.entries(amount.choices).map(([choice, count]) => `${choice}: ${count}`).join(" · "), more: "" };
    case "texts":
      return { text: t("figure-texts", { count: amount.texts.length + amount.more }), more: "" };
    case "nothing":
      return { text: "–", more: "" };
  }
}

/** Characters of a figure that the narrowest place of a desk has room for on one line. */
const LINE_CHARACTERS = 11;

/** True if a figure is sure to have room on one line: its place is as large whatever it comes to. */
export const isOneLine = ({ text, more }: Shown): boolean => more === "" && text.length <= LINE_CHARACTERS;

export type Mark = "none" | "part" | "full" | "conflict";

/** How far one unit is with one section: what its mark in the matrix says. */
export function mark(unit: DueUnit, at: number, sections: SectionLine[]): Mark {
  const [filling, section] = [unit.filling[at], sections[at]];
  if (!filling || !section) return "none";
  if (filling.conflicts > 0) return "conflict";
  if (filling.filled === 0) return "none";
  return filling.filled < section.rows ? "part" : "full";
}

export const MARK_ICONS: Record<Mark, { icon: string; state: string }> = {
  none: { icon: "s-empty", state: "empty" },
  part: { icon: "i-doing", state: "province" },
  full: { icon: "s-province", state: "province" },
  conflict: { icon: "s-conflict", state: "conflict" },
};
