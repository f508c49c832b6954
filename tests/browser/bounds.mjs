// What the app costs on a cheap tablet: Chromium slowed six times, links as slow as the field's.
// Prints one JSON object, a key per figure, units in the key. `cargo xtask bench --browser` runs it;
// `--short` leaves out the desks and the tablet with many documents; `--desks` and `--many` measure nothing but those.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { changesOnDesk } from "./changes-on-desk.mjs";
import { Field, OFFICERS, PIN, WAIT, badge, button, cell, killedBrowser, openReport, press, signedIn, sync, typed, typedPin } from "./field.mjs";

const SLOWED = 6;
/** 4 Mbit/s with the delay of a mobile link. */
const LINK = { offline: false, latency: 40, downloadThroughput: 500_000, uploadThroughput: 500_000 };
const ROUNDS = 110;
const FORMS = join(import.meta.dirname, "../../sync-core/catalogue/forms");
/** Between two keys of somebody who types fast. */
const KEY_MS = 100;
const DOCUMENTS = 500;
/** Cells of each of them. */
const CELLS = 60;
/** Nobody opens a tablet for less. */
const STAYS_MS = 3_000;
/** Changes on their way to a desk; enough of them for one in a hundred. */
const CHANGES = 120;
const CHANGED = "III.3.1.1";
const AREA = "khu-vuc-dinh-hoa";
/** The desks that have their pages open. */
const ABOVE = [
  { name: "thu", display: "Ma Thị Thu", role: "aggregator", unit: AREA, subtree: true },
  { name: "trang", display: "Phạm Thu Trang", role: "provincial-reviewer" },
];

const figures = {};
const median = (list) => at(list, 0.5);
const at = (list, part) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * part))];
const rounded = (number) => Math.round(number * 10) / 10;

/** Slows a page and its worker. */
async function slowed(page) {
  const client = await page.createCDPSession();
  await client.send("Emulation.setCPUThrottlingRate", { rate: SLOWED });
  for (const worker of page.workers()) {
    await worker.client.send("Emulation.setCPUThrottlingRate", { rate: SLOWED }).catch((error) => {
      figures.worker_slowed = String(error.message);
    });
  }
  return client;
}

/** Bytes on the wire of everything a page and its workers fetch. */
function counting(browser) {
  const seen = { bytes: 0, idleSince: Date.now() };
  browser.on("targetcreated", async (target) => {
    const client = await target.createCDPSession().catch(() => undefined);
    await client?.send("Network.enable").catch(() => undefined);
    client?.on("Network.loadingFinished", ({ encodedDataLength }) => {
      seen.bytes += encodedDataLength;
    });
  });
  return seen;
}

const painted = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))));

async function firstVisit(field) {
  const browser = await field.browser("first");
  const wire = counting(browser);
  const page = await browser.newPage();
  const client = await slowed(page);
  await client.send("Network.enable");
  await client.send("Network.emulateNetworkConditions", LINK);
  const code = field.dongbo("enrolment", "new", "--person", "hanh", "--unit", "05569", "--label", "máy đo").code;
  const began = performance.now();
  await page.goto(field.url, { waitUntil: "commit" }).catch(() => page.goto(field.url));
  const input = await page.waitForSelector("form input", WAIT);
  figures.first_visit_sign_in_usable_ms = rounded(performance.now() - began);
  await input.type(code);
  await page.click("form.sheet button.main");
  for (const words of ["Tiếp tục", "Đặt mã PIN"]) {
    await page.waitForSelector(button(words), WAIT);
    await typedPin(page);
  }
  await page.waitForSelector("ul.work button.row", WAIT);
  figures.first_visit_list_ms = rounded(performance.now() - began);
  await page.waitForFunction(() => navigator.serviceWorker.ready.then(() => true), WAIT);
  await badge(page, "Đã đồng bộ");
  figures.first_visit_bytes_seen = wire.bytes;
  // Closed as a person closes it: a browser writes some of what it keeps only some seconds later.
  await browser.close();
}

/** Bytes as served: every file the service worker keeps, compressed. */
async function served(field) {
  const index = await (await fetch(field.url)).text();
  const size = async (path) =>
    Number((await fetch(field.url + path, { headers: { "accept-encoding": "br" } })).headers.get("content-length"));
  let signIn = 0;
  for (const [, path] of index.matchAll(/(?:src|href)="([^"]+)"/g)) signIn += await size(path);
  figures.sign_in_page_bytes = signIn + index.length;
  const worker = await (await fetch(`${field.url}/service-worker.js`)).text();
  let all = index.length;
  for (const [, path] of worker.matchAll(/"(\/[^"]*\.[a-z0-9]+)"/g)) all += await size(path);
  figures.first_visit_bytes = all;
}

async function laterStarts(field) {
  const starts = [];
  const opens = [];
  await field.killServer();
  for (let round = 0; round < 7; round += 1) {
    const browser = await field.browser("first");
    const page = await browser.newPage();
    await slowed(page);
    // What the person waits for: until a PIN can be typed, and from its last key to the list. The typing
    // itself is theirs, at the pace of somebody who types fast; what the app does meanwhile costs nothing.
    const began = performance.now();
    await page.goto(field.url);
    const input = await page.waitForSelector(".pin input:enabled", WAIT);
    const ready = performance.now() - began;
    await input.focus();
    await page.keyboard.type(PIN, { delay: KEY_MS });
    const typed = performance.now();
    await page.keyboard.press("Enter");
    await page.waitForSelector("ul.work button.row", WAIT);
    starts.push(ready + performance.now() - typed);
    opens.push(await page.evaluate(async () => {
      const began = performance.now();
      document.querySelector("ul.work button.row").click();
      while (!document.querySelector("table.grid tbody th")) await new Promise(requestAnimationFrame);
      await new Promise(requestAnimationFrame);
      return performance.now() - began;
    }));
    await killedBrowser(browser);
  }
  figures.later_start_offline_list_ms = rounded(median(starts));
  figures.open_report_ms = rounded(median(opens));
}

/** Follows what a page asks its worker: when an edit was answered, it is durable. On the screen is what a
    frame has shown: the first thing after it is what was asked for from within it. */
function watchEdits() {
  const edits = new Set();
  globalThis.measured = { shown: [], durable: [] };
  let began = 0;
  let waits = false;
  const ask = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (message, ...more) {
    if (message?.call === "edit") edits.add(message.id);
    this.watched ??= this.addEventListener("message", ({ data }) => {
      if ("value" in data && edits.delete(data.id)) globalThis.measured.durable.push(performance.now() - began);
    }) ?? true;
    return ask.call(this, message, ...more);
  };
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    began = event.timeStamp;
    waits = true;
  }, true);
  const shown = () => globalThis.measured.shown.push(performance.now() - began);
  const drawn = () => scheduler.postTask(shown, { priority: "user-blocking" });
  const changed = new MutationObserver(() => {
    if (!waits) return;
    waits = false;
    requestAnimationFrame(drawn);
  });
  const ratio = () => document.querySelector('[data-row="III.3.1"] td.v');
  globalThis.watchRatio = () => changed.observe(ratio(), { subtree: true, childList: true, characterData: true });
}

/** From the key that ends the typing of a cell to what follows from it on the screen, and on the disk. */
async function typing(field) {
  const browser = await field.browser("first");
  const page = await browser.newPage();
  await page.evaluateOnNewDocument(watchEdits);
  await page.goto(field.url);
  await signedIn(page);
  await openReport(page);
  await typed(page, "III.3.1.1", "9.999");
  await page.evaluate(() => globalThis.watchRatio());
  await slowed(page);
  for (let round = 0; round < ROUNDS; round += 1) {
    await (await cell(page, "III.3.1.2")).focus();
    // Looked for from before the last key: to begin with it costs the page what would be measured.
    const shown = page.waitForFunction((count) => globalThis.measured.shown.length > count, { ...WAIT, polling: KEY_MS }, round);
    await page.keyboard.type(`${3000 + round * 7}`, { delay: KEY_MS });
    await page.keyboard.press("Enter");
    await shown;
  }
  const { shown, durable } = await page.evaluate(() => globalThis.measured);
  figures.key_to_screen_p50_ms = rounded(median(shown));
  figures.key_to_screen_p95_ms = rounded(at(shown, 0.95));
  figures.key_to_durable_p50_ms = rounded(median(durable));
  figures.key_to_durable_p95_ms = rounded(at(durable, 0.95));
  await killedBrowser(browser);
}

/** From an officer's change, accepted, to the open page of the province; an area has its own open beside it. */
async function desks(field) {
  const opened = async (name, unit, size) => {
    const page = await field.page(await field.browser(name));
    await page.setViewport(size);
    await field.enrolled(page, name, unit, ".desk .totals");
    await press(page, "Biểu mẫu 3");
    return page;
  };
  const officer = await field.page(await field.browser("officer"));
  await field.enrolled(officer, "hanh");
  await opened("thu", AREA, { width: 1280, height: 800 });
  const desk = await opened("trang", null, { width: 1440, height: 900 });
  await openReport(officer);
  await typed(officer, CHANGED, "7");
  await sync(officer);
  await badge(officer, "Đã đồng bộ");
  const shown = (code) => /\b7\b/.test(document.querySelector(`button.figure[data-code="${code}"] .amount`)?.innerText ?? "");
  await desk.waitForFunction(shown, { ...WAIT, polling: 100 }, CHANGED);
  const took = await changesOnDesk(field, { officer, desk, code: CHANGED, count: CHANGES, desks: ABOVE.length });
  figures.accepted_to_desk_p50_ms = rounded(median(took));
  figures.accepted_to_desk_p99_ms = rounded(at(took, 0.99));
  for (const page of [officer, desk]) await killedBrowser(page.browser());
}

/** A tablet with many documents: the memory of its tab, and what its worker needs to open them. */
async function many(field) {
  const device = ["--device", join(field.folder, "many")];
  const { code } = field.dongbo("enrolment", "new", "--person", "toan", "--unit", "05569", "--label", "máy nhiều");
  field.program("dongbo", ...device, "enrol", "--server", field.url, "--code", code);
  const cells = join(field.folder, "cells.csv");
  const form = JSON.parse(readFileSync(join(FORMS, "bao-cao-cchc-2022.json"), "utf8"));
  const counts = form.sections.flatMap(({ indicators }) => indicators).filter(({ kind }) => kind === "integer").slice(0, CELLS);
  for (let document = 0; document < DOCUMENTS; document += 1) {
    const rows = counts.map(({ code }, at) => `${code},${(document * 37 + at * 11) % 900 + 1}`);
    writeFileSync(cells, ["code,value", ...rows, ""].join("\n"));
    field.program("dongbo", ...device, "fill", "--template", "bao-cao-cchc-2022", "--unit", "05569", "--period", String(1500 + document), "--file", cells);
  }
  field.program("dongbo", ...device, "sync");
  const listed = (page) =>
    page.waitForFunction((count) => Number(document.querySelector("[data-reports]")?.dataset.reports) >= count, WAIT, DOCUMENTS);
  const browser = await field.browser("many");
  const page = await field.page(browser);
  await field.enrolled(page, "hanh");
  await listed(page);
  await badge(page, "Đã đồng bộ");
  await openReport(page);
  await painted(page);
  figures.tab_memory_500_documents_mb = rounded(await largestRenderer(browser));
  // What the list counted is kept a moment later, when nobody waits for it.
  await new Promise((kept) => setTimeout(kept, STAYS_MS));
  await browser.close();
  // A later start: what the worker needs until the list is there, and for each report that is opened from it.
  const [lists, reports] = [[], []];
  for (let round = 0; round < 5; round += 1) {
    const again = await field.browser("many");
    const page = await field.page(again);
    await signedIn(page);
    await listed(page);
    for (const row of [1, 7, 14, 21]) {
      await (await page.$$("ul.work button.row"))[row].click();
      await page.waitForSelector("table.grid tbody th", WAIT);
      await page.click('header button[aria-label="Về Việc của tôi"]');
      await listed(page);
    }
    const spans = async (name) => {
      const all = await Promise.all(page.workers().map((worker) =>
        worker.evaluate((wanted) => performance.getEntriesByName(wanted).map(({ duration }) => duration), name)));
      return all.flat();
    };
    lists.push(...await spans("dongbo-list"));
    reports.push(...await spans("dongbo-report"));
    figures.tab_memory_500_documents_later_mb = rounded(await largestRenderer(again));
    await killedBrowser(again);
  }
  figures.worker_500_documents_to_list_ms = rounded(median(lists));
  figures.worker_500_documents_to_list_slowest_ms = rounded(Math.max(...lists));
  figures.worker_500_documents_open_one_ms = rounded(Math.max(...reports));
}

/** Private megabytes of the largest renderer of a browser. */
async function largestRenderer(browser) {
  const { processInfo } = await (await browser.target().createCDPSession()).send("SystemInfo.getProcessInfo");
  const renderers = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => {
    const rollup = readFileSync(`/proc/${id}/smaps_rollup`, "utf8");
    const kilobytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(rollup)?.[1] ?? 0);
    return (kilobytes("Private_Dirty") + kilobytes("Private_Clean")) / 1024;
  });
  return Math.max(...renderers);
}

const [short, manyAlone, desksAlone] = ["--short", "--many", "--desks"].map((word) => process.argv.includes(word));
const field = await Field.start([...OFFICERS, ...ABOVE]);
try {
  if (desksAlone) await desks(field);
  if (!manyAlone && !desksAlone) {
    await served(field);
    await firstVisit(field);
    await laterStarts(field);
    await typing(field);
    await field.serve();
    if (!short) await desks(field);
  }
  if (!short && !desksAlone) await many(field);
} finally {
  await field.close();
}
console.log(JSON.stringify(figures, null, 1));
