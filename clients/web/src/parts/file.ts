// Hands a person a file.

export function handOver(name: string, content: string | Uint8Array<ArrayBuffer>): void {
  const type = typeof content === "string" ? "application/json" : "application/octet-stream";
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

const stamp = (): string => new Date().toISOString().slice(0, 16).replace(/[:T]/g, "-");

/** The name of a recovery file: whose, and when by this device. */
export const recoveryName = (person: string): string => `dongbo-${person}-${stamp()}.json`;

/** The name of a file that carries work. */
export const bundleName = (): string => `gui-${stamp()}.dongbo`;
