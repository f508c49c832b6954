// What the address of the page says after its #, which no server and no log ever sees.

/** The code that somebody was given as a link or a picture; it is taken out of the address. */
export function codeOfAddress(): string {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (code === null) return "";
  history.replaceState(null, "", location.pathname + location.search);
  return code;
}

/** The address that enrols a device by a code. */
export function addressOfCode(code: string): string {
  return `${location.origin}/#code=${code}`;
}

/** True if only this machine can open that address. */
export function isLoopback(): boolean {
  return ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
}

export const ADMINISTRATION = "#administration";
export const TEMPLATES = "#templates";

/** Which part of the app an address leads to; the first run is found out by asking the server. */
export type Door = "tablet" | "first-run" | "administration" | "templates";

export function doorOfAddress(): Door {
  if (location.hash === ADMINISTRATION) return "administration";
  return location.hash === TEMPLATES ? "templates" : "tablet";
}
