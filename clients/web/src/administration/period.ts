// Periods and last days as an administrator chooses them, in the canonical text that the server reads.

/** What can be chosen: every part of a year, one period of it, or several years. */
export const SERIES = ["month", "quarter", "half"] as const;
export const SINGLE = ["year", "first-half", "nine-months", "programme"] as const;
export type Choice = (typeof SERIES)[number] | (typeof SINGLE)[number];

export interface PeriodAsked {
  choice: Choice;
  year: number;
  /** The last year of a programme. */
  last: number;
  /** Months end on the 14th: a year runs from 15 December to 14 December. */
  cut: boolean;
}

const ENDING: Record<(typeof SINGLE)[number], string> = { year: "", "first-half": "-H1", "nine-months": "-M9", programme: "" };

const isSeries = (choice: Choice): choice is (typeof SERIES)[number] => (SERIES as readonly string[]).includes(choice);

/** The period, and how it is divided. */
export function asked({ choice, year, last, cut }: PeriodAsked): { period: string; each?: string } {
  const suffix = cut ? "@14" : "";
  if (isSeries(choice)) return { period: `${year}${suffix}`, each: choice };
  if (choice === "programme") return { period: `${year}..${last}${suffix}` };
  return { period: `${year}${ENDING[choice]}${suffix}` };
}

export interface DueAsked {
  how: "day" | "count";
  day: string;
  count: number;
  unit: "working" | "plain";
  side: "after" | "before";
}

/** The last day, or the rule that finds it. */
export function due({ how, day, count, unit, side }: DueAsked): { due: string } | { rule: string } {
  if (how === "day") return { due: day };
  return { rule: `end${side === "after" ? "+" : "-"}${count}${unit === "working" ? "wd" : "d"}` };
}

/** A rule in parts, to be said in words; none if it is no rule. */
export function ruleParts(rule: string): { count: number; unit: "working" | "plain"; side: "after" | "before" } | null {
  const found = /^end([+-])(\d+)(w?)d$/.exec(rule);
  if (!found) return null;
  return { count: Number(found[2]), unit: found[3] === "w" ? "working" : "plain", side: found[1] === "+" ? "after" : "before" };
}
