// What a person is told of something that failed.

import { Failure } from "../worker/protocol";
import { knows, t } from "./words.svelte";

export function told(error: unknown): string {
  const code = error instanceof Failure ? error.code : "fault";
  return knows(`error-${code}`) ? t(`error-${code}`) : t("error-other", { code });
}
