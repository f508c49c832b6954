// Why a workbook was understood as it was: the sentences are those of the command line.

import en from "../../../../sync-core/messages/catalogues/import.en.ftl";
import vi from "../../../../sync-core/messages/catalogues/import.vi.ftl";
import { learn, t } from "../words/words.svelte";
import type { Reason } from "./forms";

learn(vi, en);

export const reasonWords = (reason: Reason): string => t(`proposal-${reason.code}`, reason.arguments);

export const skippedWords = (why: string, joined: number | null): string => t(`skipped-${why}`, { row: joined === null ? "" : String(joined) });

export const refusedWords = (code: string, values: Record<string, string>): string => t(`cli-error-${code}`, values);
