// The sentences of the administrator's pages, which come with them and not with the first page.

import en from "../../../../sync-core/messages/catalogues/administration.en.ftl";
import vi from "../../../../sync-core/messages/catalogues/administration.vi.ftl";
import { knows, learn, t } from "../words/words.svelte";
import { ruleParts } from "./period";
import type { DutyLine, Role } from "./province.svelte";
import { Refused } from "./session";

learn(vi, en);

/** Why something was not done. */
export function told(error: unknown): string {
  if (typeof error === "string") return t(error);
  if (error instanceof Refused) return error.sentence ?? t("admin-offline");
  return t("error-other", { code: String(error) });
}

/** Every role, as often as it is given. */
export const ROLES: Role[] = [
  "officer",
  "head",
  "aggregator",
  "department_owner",
  "provincial_reviewer",
  "approver",
  "auditor",
  "administrator",
];

/** A kind of unit; as it is, if the product has no word for it. */
export function kindName(kind: string): string {
  return knows(`kind-${kind}`) ? t(`kind-${kind}`) : kind;
}

/** Which units owe a report. */
export function owing(duty: DutyLine): string {
  const kind = kindName(duty.unit_kind);
  if (duty.within_name) return t("owing-within", { kind, unit: duty.within_name });
  return duty.group ? t("owing-group", { kind, group: duty.group }) : t("owing-all", { kind });
}

/** How a last day was found. */
export function ruleName(rule: string): string {
  const parts = ruleParts(rule);
  return parts ? t(`rule-${parts.unit}-${parts.side}`, { count: parts.count }) : rule;
}
