// Removing a person from this device: all of theirs in one transaction, and nobody else's.

import type { Fence } from "./durable";
import { Failure } from "./protocol";

/** Removes a person, if no more changes wait to be sent than whoever removes them was told of. */
export async function removed(fence: Fence, keyId: string, unsent: number): Promise<void> {
  const theirs = IDBKeyRange.bound([keyId], [keyId, []]);
  let more = false;
  const write = fence.write(["people", "truth", "outgoing", "about", "marks"], (transaction) => {
    const about = transaction.objectStore("about");
    const looked = about.get(keyId).then((told) => {
      more = (told?.unsent ?? 0) > unsent;
      if (more) transaction.abort();
    });
    return [
      looked,
      ...(["people", "about", "marks"] as const).map((store) => transaction.objectStore(store).delete(keyId)),
      ...(["truth", "outgoing"] as const).map((store) => transaction.objectStore(store).delete(theirs)),
    ];
  });
  await write.catch((error: unknown) => {
    throw more ? new Failure("remove-unsent", "more waits to be sent") : error;
  });
}
