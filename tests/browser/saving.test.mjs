// A cell that is shown before the disk has it says so, and says "saved" only afterwards.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { badge, cell, Field, openReport, shot, stands, sync, typed, WAIT } from "./field.mjs";

const CODE = "III.3.1.1";
let field;

before(async () => {
  field = await Field.start();
});

after(() => field?.close());

/** Keeps the worker's last word on edits from the page until `release` is called. */
function holdingBack() {
  const edits = new Set();
  const held = [];
  let holds = true;
  const ask = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (message, ...more) {
    if (message?.call === "edit") edits.add(message.id);
    return ask.call(this, message, ...more);
  };
  const { set } = Object.getOwnPropertyDescriptor(Worker.prototype, "onmessage");
  Object.defineProperty(Worker.prototype, "onmessage", {
    set(take) {
      set.call(this, (event) => {
        if (holds && "value" in event.data && edits.delete(event.data.id)) held.push(() => take(event));
        else take(event);
      });
    },
  });
  // On a busy machine the word may come only after this.
  globalThis.release = () => {
    holds = false;
    held.splice(0).forEach((say) => say());
  };
}

const state = (of) => of.$eval(`#state-${CSS_CODE}`, (element) => element.textContent.trim());
const CSS_CODE = CODE.replaceAll(".", "\\.");

/** Fails what is asked to be saved, and the question why. */
function refusing() {
  const ask = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (message, ...more) {
    if (["edit", "read"].includes(message?.call)) {
      const { id, call } = message;
      const code = call === "edit" ? "tablet-typed" : "tablet-closed";
      setTimeout(() => this.onmessage({ data: { id, code, text: "" } }));
      return undefined;
    }
    return ask.call(this, message, ...more);
  };
}

test("what could not be saved, nor asked about, stays in its cell with a reason", async () => {
  const page = await field.page(await field.browser("toan"), field.url, (fresh) => fresh.evaluateOnNewDocument(refusing));
  await field.enrolled(page, "toan");
  await openReport(page);
  await (await cell(page, CODE)).focus();
  await page.keyboard.type("7.421");
  await page.keyboard.press("Enter");
  await page.waitForSelector(`[id="refused-${CODE}"][role="alert"]`, WAIT);
  assert.equal(await page.$eval(`[data-code="${CODE}"]`, (element) => element.innerText.trim()), "7.421");
});

test("what is typed is shown at once as being saved, and as saved when the disk has it", async () => {
  const page = await field.page(await field.browser("hanh"), field.url, (fresh) => fresh.evaluateOnNewDocument(holdingBack));
  await field.enrolled(page, "hanh");
  await openReport(page);
  await (await cell(page, CODE)).focus();
  await page.keyboard.type("7.412");
  await page.keyboard.press("Enter");
  await page.waitForSelector(`[aria-busy="true"] > button.cell[data-code="${CODE}"]`, WAIT);
  assert.equal(await page.$eval(`[data-code="${CODE}"]`, (element) => element.innerText.trim()), "7.412");
  assert.equal(await state(page), "Đang ghi vào máy");
  await page.evaluate(() => globalThis.release());
  await stands(page, CODE, "7.412");
  assert.equal(await state(page), "Đã lưu trên máy");
  assert.deepEqual(field.complaints(), []);
});

/** Keeps back what edits come to, and counts previews and reports that were answered. Lets a test say "others
    wrote something". */
function withoutEarly() {
  const asked = new Map();
  globalThis.previews = 0;
  globalThis.reports = 0;
  const ask = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (message, ...more) {
    if (["edit", "preview", "report"].includes(message?.call)) asked.set(message.id, message.call);
    return ask.call(this, message, ...more);
  };
  const { set } = Object.getOwnPropertyDescriptor(Worker.prototype, "onmessage");
  const held = [];
  let holds = true;
  Object.defineProperty(Worker.prototype, "onmessage", {
    set(take) {
      set.call(this, (event) => {
        if (holds && asked.get(event.data.id) === "edit") return held.push(() => take(event));
        take(event);
        if (asked.get(event.data.id) === "preview") globalThis.previews += 1;
        if (asked.get(event.data.id) === "report" && "value" in event.data) globalThis.reports += 1;
      });
      globalThis.tellNews = () => take({ data: { changed: [] } });
    },
  });
  globalThis.release = () => {
    holds = false;
    held.splice(0).forEach((say) => say());
  };
}

test("a figure is worked out while it is typed: entered, all that follows from it is there before the worker has said so", async () => {
  const page = await field.page(await field.browser("ahead"), field.url, (fresh) => fresh.evaluateOnNewDocument(withoutEarly));
  await field.enrolled(page, "toan");
  await openReport(page);
  const ratio = () => page.$eval('[data-row="III.3.1"] td.v', (element) => element.innerText.replace(/\s+/g, " ").trim());
  const enter = async (code, keys) => {
    await (await cell(page, code)).focus();
    const before = await page.evaluate(() => globalThis.previews);
    await page.keyboard.type(keys);
    await page.waitForFunction((count) => globalThis.previews > count, WAIT, before);
    // The last text alone is asked about in the end: nothing more is under way when it is known.
    await page.waitForFunction(() => new Promise((done) => {
      const count = globalThis.previews;
      requestAnimationFrame(() => setTimeout(() => done(count === globalThis.previews), 300));
    }), WAIT);
    await page.keyboard.press("Enter");
  };
  await enter("III.3.1.1", "200");
  await page.$eval('[data-row="III.3.1"]', (row) => (row.sameRow = true));
  // A report asked for in the moment before the edit is older than what is shown: it takes nothing off.
  const reports = await page.evaluate(() => {
    document.addEventListener("keydown", ({ key }) => key === "Enter" && globalThis.tellNews(), true);
    return globalThis.reports;
  });
  await enter("III.3.1.2", "150");
  await page.waitForSelector('[aria-busy="true"] > button.cell[data-code="III.3.1.2"]', WAIT);
  assert.match(await ratio(), /75 %/);
  await page.waitForFunction((count) => globalThis.reports > count, WAIT, reports);
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn))));
  assert.equal(await page.$eval('[data-code="III.3.1.2"]', (element) => element.innerText.trim()), "150");
  await page.evaluate(() => globalThis.release());
  await stands(page, "III.3.1.2", "150");
  assert.match(await ratio(), /75 %/);
  assert.equal(await page.$eval('[data-row="III.3.1"]', (row) => row.sameRow), true, "the report came anew, and no row is another");
  assert.deepEqual(field.complaints(), []);
});

/** Nobody else types here: a colleague's value that comes late would be a rival, and the cell in conflict. */
const WHOLE = "III.1.1";

test("a cell of whole numbers says so, and offers whole numbers that can be taken", async () => {
  const page = await field.page(await field.browser("whole"));
  await field.enrolled(page, "toan");
  await openReport(page);
  const says = (state) => page.waitForFunction(
    ([code, wanted]) => document.getElementById(`state-${code}`)?.textContent.trim() === wanted, WAIT, [WHOLE, state]);
  await typed(page, WHOLE, "98");
  await sync(page);
  await says("Tỉnh đã nhận");
  await (await cell(page, WHOLE)).focus();
  await page.keyboard.type("99,65");
  await page.keyboard.press("Enter");
  const why = await page.waitForSelector(`[id="refused-${WHOLE}"]`, WAIT);
  assert.match(await why.evaluate((element) => element.innerText), /Ô này chỉ nhận số nguyên\./);
  const offered = await page.$$eval("tr.why.error button", (buttons) => buttons.map((one) => one.innerText.trim()));
  assert.deepEqual(offered, ["100", "9.965"]);
  // What the province has is not what stands in the cell now.
  await says("Chưa lưu, phải nhập lại");
  await shown(page, ".formhead .error", /1/);
  await page.focus(`button.cell[data-code="${WHOLE}"]`);
  await shown(page, "aside .chip", /Chưa lưu, phải nhập lại/);
  await shot(page, "whole-number");
  await page.click("tr.why.error button");
  await stands(page, WHOLE, "100");
  await says("Đã lưu trên máy");
  assert.equal(await page.$(".formhead .error"), null);
  assert.deepEqual(field.complaints(), []);
});

/** Waits until an element says this. */
const shown = (page, selector, pattern) => page.waitForFunction(
  (at, source) => new RegExp(source).test(document.querySelector(at)?.innerText ?? ""), WAIT, selector, pattern.source);

test("what is typed while an exchange is under way is sealed and sent soon after it", async () => {
  let arrived, let_go;
  let holding = null;
  const front = await field.front(async (path) => {
    if (path !== "/v1/sync" || !holding) return;
    arrived();
    await holding;
  });
  const page = await field.page(await field.browser("meanwhile"), front);
  await field.enrolled(page, "toan");
  await openReport(page);
  await badge(page, "Đã đồng bộ");
  const came = new Promise((resolve) => (arrived = resolve));
  holding = new Promise((resolve) => (let_go = resolve));
  await typed(page, "III.1.2", "31");
  await came;
  await typed(page, "III.1.3", "32");
  holding = null;
  let_go();
  // With a line that wakes, nothing else would be asked for five minutes.
  await badge(page, "Đã đồng bộ");
  await page.waitForFunction(
    () => document.getElementById("state-III.1.3")?.textContent.trim() === "Tỉnh đã nhận", WAIT);
  const { "III.1.2": first, "III.1.3": second } = field.seenBy("toan");
  assert.deepEqual([first, second], ["31", "32"]);
  assert.deepEqual(field.complaints(), []);
});

/** Lets a test say "others wrote something" as the worker says it: the page reads its report again. */
function toldOfNews() {
  const { set } = Object.getOwnPropertyDescriptor(Worker.prototype, "onmessage");
  Object.defineProperty(Worker.prototype, "onmessage", {
    set(take) {
      set.call(this, take);
      globalThis.tellNews = () => take({ data: { changed: [] } });
    },
  });
  const ask = Worker.prototype.postMessage;
  globalThis.asked = [];
  Worker.prototype.postMessage = function (message, ...more) {
    if (["edit", "report"].includes(message?.call)) globalThis.asked.push(message.call);
    return ask.call(this, message, ...more);
  };
}

test("a report that was asked for before an edit never takes the edit off the screen", async () => {
  const page = await field.page(await field.browser("again"), field.url, (fresh) => fresh.evaluateOnNewDocument(toldOfNews));
  await field.enrolled(page, "hanh");
  await openReport(page);
  const other = "III.3.1.2";
  await (await cell(page, other)).focus();
  await page.evaluate((code) => {
    globalThis.shown = [];
    const button = document.querySelector(`button.cell[data-code="${code}"]`);
    const look = () => {
      const text = button.innerText.trim();
      if (text !== globalThis.shown.at(-1)) globalThis.shown.push(text);
    };
    new MutationObserver(look).observe(button, { subtree: true, childList: true, characterData: true });
    // Capture: the report is asked for in the moment before the edit.
    document.addEventListener("keydown", (event) => {
      if (event.key === "Enter") globalThis.tellNews();
    }, true);
    document.addEventListener("keydown", (event) => {
      if (event.key === "Enter") globalThis.tellNews();
    });
  }, other);
  const values = ["101", "102", "103", "104", "105", "106"];
  for (const value of values) {
    await (await cell(page, other)).focus();
    await page.keyboard.type(value);
    await page.keyboard.press("Enter");
    await stands(page, other, value);
  }
  const { shown, asked } = await page.evaluate(() => ({ shown: globalThis.shown, asked: globalThis.asked }));
  assert.ok(asked.some((call, at) => call === "report" && asked[at + 1] === "edit"), `a report right before an edit: ${asked}`);
  assert.deepEqual(shown.filter((text) => values.includes(text)), values, "none came back");
  assert.deepEqual(field.complaints(), []);
});
