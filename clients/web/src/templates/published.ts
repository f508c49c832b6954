// The published versions: from the province's server when it is there, else as they were known last.

import type { Session } from "../administration/session";
import { keepContent, keepPublished, published, type KeptVersion } from "./kept";

const PAGE = "100";

export const knownVersions = (): Promise<KeptVersion[]> => published();

/** Reads every version, and keeps them. */
export async function readVersions(session: Session): Promise<KeptVersion[]> {
  const lines: Omit<KeptVersion, "content">[] = [];
  for (let after: string | undefined; ; ) {
    const page = await session.get("/v1/templates", { limit: PAGE, ...(after ? { after } : {}) });
    for (const { id, version, title, rows, note, retired } of page.items) {
      lines.push({ id, version, title, rows, note: note ?? null, retired: retired ?? null });
    }
    if (!page.next) break;
    after = page.next;
  }
  return keepPublished(lines);
}

/** The text of a version as it was signed. */
export async function contentOf(version: KeptVersion, session: Session | null): Promise<string> {
  if (version.content !== null) return version.content;
  if (!session) throw "templates-content-missing";
  const content = await session.text("/v1/templates/{id}/{version}", { id: version.id, version: String(version.version) });
  await keepContent({ ...version, content });
  return content;
}
