// The nodes that a person's tablet may exchange with: the province's own, where the app came from, and the edges of
// their area, from the catalogue. One is in use; when it cannot be reached the next one is. What each brought is
// the core's matter: it keeps where it stands with every node it met.

import { localNetwork } from "./local-network";
import type { NodeStanding } from "./protocol";

/** The address of the province's own node: that of this app. */
export const PROVINCE = "";

/** What is remembered of a node, beside what the core keeps. */
export interface MetNode {
  node: string;
  contactAt: number;
  /** It was reached though the browser had not given leave: none is needed. */
  unasked: boolean;
}

export interface KeptNodes {
  at: string;
  met: Record<string, MetNode>;
}

/** An edge as the catalogue has it. */
export interface Edge {
  address: string;
  label: string;
}

export class Nodes {
  #at = PROVINCE;
  #met: Record<string, MetNode> = {};
  #edges: Edge[] = [];
  readonly #faults = new Map<string, string>();

  constructor(kept: KeptNodes | undefined) {
    if (kept) [this.#at, this.#met] = [kept.at, { ...kept.met }];
  }

  /** The one in use. */
  get at(): string {
    return this.#at;
  }

  /** The province's node, if it was met. */
  get province(): string | null {
    return this.#met[PROVINCE]?.node ?? null;
  }

  kept(): KeptNodes {
    return { at: this.#at, met: this.#met };
  }

  /** Takes what the catalogue says now. */
  know(edges: Edge[]): void {
    this.#edges = edges;
    if (!this.#addresses().includes(this.#at)) this.#at = PROVINCE;
  }

  /** A person chose. */
  use(address: string): void {
    if (this.#addresses().includes(address)) this.#at = address;
  }

  /** Where to try, one after the other. Nobody is asked by the browser for something they did not press: an edge is
      tried only where that is sure. */
  async order(): Promise<string[]> {
    const others = this.#addresses().filter((address) => address !== this.#at);
    if (this.#edges.length === 0) return [this.#at];
    const leave = await localNetwork();
    const free = (address: string): boolean =>
      address === PROVINCE || leave === "granted" || leave === "unknown" || this.#met[address]?.unasked === true;
    return [this.#at, ...others].filter((address) => free(address) || (address === this.#at && leave !== "denied"));
  }

  /** A node answered; true if that is another than before. */
  async met(address: string, node: string, when: number): Promise<boolean> {
    const changed = this.#at !== address || this.#met[address]?.node !== node;
    const before = this.#met[address]?.unasked ?? false;
    const unasked = before || (address !== PROVINCE && (await localNetwork()) === "prompt");
    this.#at = address;
    this.#met[address] = { node, contactAt: when, unasked };
    this.#faults.delete(address);
    return changed;
  }

  failed(address: string, code: string): void {
    this.#faults.set(address, code);
  }

  standing(): NodeStanding[] {
    const all = [{ address: PROVINCE, label: "" }, ...this.#edges];
    return all.map(({ address, label }) => ({
      address, label,
      inUse: address === this.#at,
      contactAt: this.#met[address]?.contactAt ?? null,
      fault: this.#faults.get(address) ?? null,
    }));
  }

  #addresses(): string[] {
    return [PROVINCE, ...this.#edges.map(({ address }) => address)];
  }
}
