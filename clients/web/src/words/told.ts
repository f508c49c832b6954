// What a person is told of something that failed, and of what takes long.

import { Failure, type Left, type Standing } from "../worker/protocol";
import { kilobytes, knows, t } from "./words.svelte";

export function told(error: unknown): string {
  const code = error instanceof Failure ? error.code : "fault";
  return knows(`error-${code}`) ? t(`error-${code}`) : t("error-other", { code });
}

/** What an exchange under way is doing, and how much is left of it once that is known. */
export function going({ left }: { left?: Left }): string {
  if (!left) return t("badge-busy");
  const { send, receive } = left;
  return receive === null ? t("busy-sending", { kilobytes: kilobytes(send) }) : t("busy-receiving", { kilobytes: kilobytes(receive) });
}

/** What the edge is called that this tablet exchanges with; none while it is the province itself. */
export function nodeInUse({ nodes }: Standing): string | null {
  const used = nodes.find(({ inUse }) => inUse);
  return used && used.address !== "" ? used.label : null;
}
