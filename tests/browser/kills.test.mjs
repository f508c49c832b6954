// The tab is killed at a hundred random moments of typing: what was shown as saved is there again.
// DONGBO_SEED repeats a run, DONGBO_KILLS makes it shorter or longer.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { crashed, Field, openReport, signedIn } from "./field.mjs";

const KILLS = Number(process.env.DONGBO_KILLS ?? 100);
const seed = Number(process.env.DONGBO_SEED ?? Date.now() % 1_000_000);
/** The longest that a tab types before it is killed: some cells, and now and then a seal and an exchange. */
const LIFE_MS = 800;
const CELLS = ["III.1.2", "III.1.3", "III.3.1.1", "III.3.1.2", "III.3.2.1", "III.3.2.2"];

/** Numbers from 0 to 1, the same for the same seed. */
function random(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

let field;

before(async () => {
  field = await Field.start();
});

after(() => field?.close());

/** Every value that a cell showed as saved, told at once. */
const watch = (codes) => {
  const tell = () => {
    for (const code of codes) {
      const cell = document.querySelector(`[aria-busy="false"] > button.cell[data-code="${code}"]`);
      const text = cell?.innerText.trim();
      if (text && /^[0-9.]+$/.test(text)) globalThis.shown(code, text);
    }
  };
  new MutationObserver(tell).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
};

const value = (text) => Number(text.replaceAll(".", ""));

test(`nothing shown as saved is missing after ${KILLS} kills, seed ${seed}`, async () => {
  console.log(`seed ${seed}`);
  const [moments, choices] = [random(seed), random(seed + 1)];
  const chromium = await field.browser("hanh");
  const first = await field.page(chromium);
  await field.enrolled(first, "hanh");
  await first.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  await first.close();
  /** The last number that each cell was seen to hold; numbers grow, so a later one is no loss. */
  const saved = new Map();
  let number = 1_000;
  let cells = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const tab = await field.page(chromium);
    await signedIn(tab);
    await openReport(tab);
    const standing = await tab.$$eval("button.cell[data-code]", (all) => all.map((one) => [one.dataset.code, one.innerText.trim()]));
    const stands = new Map(standing);
    for (const [code, last] of saved) {
      const now = stands.get(code) ?? "";
      assert.ok(value(now) >= last, `kill ${kill}, seed ${seed}: ${code} showed ${last}, now ${now || "nothing"}`);
    }
    const seen = [];
    await tab.exposeFunction("shown", (code, text) => seen.push([code, value(text)]));
    await tab.evaluate(watch, CELLS);
    let typing = true;
    const type = async () => {
      while (typing) {
        const code = CELLS[Math.floor(choices() * CELLS.length)];
        await tab.focus(`button.cell[data-code="${code}"]`);
        await tab.keyboard.type(String(number++));
        await tab.keyboard.press("Enter");
        // The next cell is taken up once the keyboard has come to it, as a person would.
        await tab.waitForFunction(() => document.activeElement?.matches("button.cell") && !document.querySelector("input.cell"), { polling: 10 });
      }
    };
    // What is under way when the tab dies is never answered.
    void type().catch(() => undefined);
    await new Promise((moment) => setTimeout(moment, moments() * LIFE_MS));
    await crashed(tab);
    typing = false;
    void tab.close().catch(() => undefined);
    for (const [code, shown] of seen) {
      if (shown > (saved.get(code) ?? 0)) cells += 1;
      saved.set(code, Math.max(shown, saved.get(code) ?? 0));
    }
  }
  console.log(`${KILLS} kills, ${number - 1_000} numbers begun, ${cells} seen saved, seed ${seed}`);
  assert.ok(cells > KILLS, "the tabs lived long enough to save something");
  assert.equal(field.dongbo("verify", "--journal", field.province).held, 0, "no number was used twice");
});
