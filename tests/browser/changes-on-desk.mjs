// How long it takes from a change that the server has accepted to the page of a desk that is open, on a slow
// processor. Both the test that nothing is asked for now and then and the bound are measured by it.

import { strict as assert } from "node:assert";
import { badge, sync, typed, WAIT } from "./field.mjs";

const SLOWED = 6;
const FIRST_VALUE = 100;
/** What the server logs may be here later than what it does. */
const LOGGED_MS = 5_000;
/** Asked seldom: to look at a slow page with every frame would cost it what is measured. */
const LOOK = { ...WAIT, polling: 100 };

/** Types and sends so many changes of a cell, and gives the milliseconds from each being accepted to its figure
    being shown by the desk, ascending. So many desks are open, which are woken for each. */
export async function changesOnDesk(field, { officer, desk, code, count, desks }) {
  await desk.evaluate(watch, `button.figure[data-code="${code}"]`);
  await desk.emulateCPUThrottling(SLOWED);
  const took = [];
  for (let value = FIRST_VALUE; value < FIRST_VALUE + count; value += 1) {
    const before = field.log.length;
    await typed(officer, code, String(value));
    const asked = Date.now();
    await sync(officer);
    const seen = await desk.waitForFunction((text) => window.seen.find((one) => one.text === text), LOOK, String(value));
    const { told, at } = await seen.jsonValue();
    await badge(officer, "Đã đồng bộ");
    // The desks are woken for it as well: what they ask must not be taken for the next change.
    const exchanges = await logged(field, before, (lines) => lines.filter(isExchange).length > desks && lines.filter(isExchange));
    // Accepted when it was asked for, at the earliest: of the exchanges that began before the desk was told, it is the
    // one that took longest, since it alone waited for the disk.
    const before_told = exchanges.filter((line) => begun(line) >= asked && begun(line) <= told);
    const [accepted] = before_told.sort((one, other) => took_ms(other) - took_ms(one));
    assert.ok(accepted, `the exchange of ${value} is in the log`);
    took.push(at - begun(accepted));
  }
  await desk.emulateCPUThrottling(1);
  return took.sort((a, b) => a - b);
}

/** In the page: notes when each figure was put there, and when it had been drawn. */
function watch(selector) {
  window.seen = [];
  let last;
  const look = () => {
    const text = document.querySelector(selector)?.querySelector(".amount")?.textContent.match(/\d[\d.]*/)?.[0];
    if (!text || text === last) return;
    last = text;
    const told = Date.now();
    // On the page is what a frame has shown: the first thing after it is what was asked for from within it.
    const drawn = () => scheduler.postTask(() => window.seen.push({ text, told, at: Date.now() }), { priority: "user-blocking" });
    requestAnimationFrame(drawn);
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
}

/** What the lines of the log from here on come to, once there are enough. */
async function logged(field, from, wanted) {
  const until = Date.now() + LOGGED_MS;
  for (;;) {
    const found = wanted(field.log.slice(from).map((line) => JSON.parse(line)));
    if (found) return found;
    assert.ok(Date.now() < until, "the exchanges are in the log");
    await new Promise(setImmediate);
  }
}

const took_ms = (line) => Number((line.fields ?? line).took_us) / 1000;
const begun = (line) => Date.parse(line.timestamp) - took_ms(line);
const isExchange = (line) => JSON.stringify(line).includes("/v1/sync") && Number.isFinite(took_ms(line));
