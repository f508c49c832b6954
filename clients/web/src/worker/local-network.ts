// Whether the browser lets this app reach machines of the local network, such as an area's edge. Chrome asks a person
// once, when a page that came from elsewhere first tries; others do not ask.

/** Names of the permission; the second is older. */
const NAMES = ["local-network", "local-network-access"];

/** What the browser says without asking anybody; `unknown` where it knows no such permission. */
export async function localNetwork(): Promise<PermissionState | "unknown"> {
  for (const name of NAMES) {
    try {
      return (await navigator.permissions.query({ name: name as PermissionName })).state;
    } catch {
      // It does not know this name.
    }
  }
  return "unknown";
}

/** Tries to reach a node; where the browser wants to ask, it asks now: only for a person who has pressed something. */
export async function reaches(address: string): Promise<boolean> {
  const tried = fetch(`${address}/ready`, { cache: "no-store" });
  return tried.then(() => true, () => false);
}
