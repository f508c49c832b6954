// Rows as narrow as a mouse can point at, where there is one: remembered on this device.

import { MediaQuery } from "svelte/reactivity";

const KEPT = "compact";

const fine = new MediaQuery("(any-pointer: fine)");
const finger = new MediaQuery("(any-pointer: coarse)");

/** Something points here more finely than a finger, or nobody points with a finger. */
export const mouse = {
  get current(): boolean {
    return fine.current || !finger.current;
  },
};

class Compact {
  #wanted = $state(localStorage.getItem(KEPT) === "1");

  get on(): boolean {
    return this.#wanted && mouse.current;
  }

  turn(): void {
    this.#wanted = !this.#wanted;
    localStorage.setItem(KEPT, this.#wanted ? "1" : "0");
  }
}

export const compact = new Compact();
