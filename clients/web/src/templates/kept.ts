// Drafts of forms on this device, and what was read of the published ones: both are there without a link.
// A form is no secret: everybody who reports is given it. So it is kept in clear, beside the people's own data.

import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { DraftForm } from "./draft";

export interface KeptDraft {
  key: string;
  form: DraftForm;
  /** The version it began as; none for a new form. */
  base: number | null;
  /** Seconds since 1970 by this device. */
  changedAt: number;
}

export interface KeptVersion {
  id: string;
  version: number;
  title: string;
  rows: number;
  note: string | null;
  retired: string | null;
  /** The text as it was signed, once somebody looked at it. */
  content: string | null;
}

interface Schema extends DBSchema {
  drafts: { key: string; value: KeptDraft };
  published: { key: [string, number]; value: KeptVersion };
}

let opened: Promise<IDBPDatabase<Schema>> | null = null;

function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>("dongbo-forms", 1, {
    upgrade(made) {
      made.createObjectStore("drafts", { keyPath: "key" });
      made.createObjectStore("published", { keyPath: ["id", "version"] });
    },
  });
  return opened;
}

const STRICT = { durability: "strict" } as const;

export const drafts = async (): Promise<KeptDraft[]> =>
  (await (await database()).getAll("drafts")).sort((a, b) => b.changedAt - a.changedAt);

/** Says so when it is durable. */
export async function keepDraft(draft: KeptDraft): Promise<void> {
  const step = (await database()).transaction("drafts", "readwrite", STRICT);
  await Promise.all([step.store.put(draft), step.done]);
}

export async function dropDraft(key: string): Promise<void> {
  const step = (await database()).transaction("drafts", "readwrite", STRICT);
  await Promise.all([step.store.delete(key), step.done]);
}

export const published = async (): Promise<KeptVersion[]> => (await database()).getAll("published");

/** What the server says takes the place of what was known; texts never change. */
export async function keepPublished(lines: Omit<KeptVersion, "content">[]): Promise<KeptVersion[]> {
  const step = (await database()).transaction("published", "readwrite");
  const known = new Map((await step.store.getAll()).map((one) => [`${one.id} ${one.version}`, one.content]));
  const all = lines.map((line) => ({ ...line, content: known.get(`${line.id} ${line.version}`) ?? null }));
  await step.store.clear();
  await Promise.all([...all.map((one) => step.store.put(one)), step.done]);
  return all;
}

export async function keepContent(version: KeptVersion): Promise<void> {
  await (await database()).put("published", version);
}
