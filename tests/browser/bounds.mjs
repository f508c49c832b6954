// What the app costs on a cheap tablet: Chromium slowed six times, links as slow as the field's.
// Prints one JSON object, a key per figure, units in the key. `cargo xtask bench --browser` runs it;
// `--short` leaves out the memory of many documents, `--memory` measures nothing else.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Field, PIN, WAIT, badge, button, cell, killedBrowser, openReport, signedIn, typed, typedPin } from "./field.mjs";

const SLOWED = 6;
/** 4 Mbit/s with the delay of a mobile link. */
const LINK = { offline: false, latency: 40, downloadThroughput: 500_000, uploadThroughput: 500_000 };
const ROUNDS = 110;
/** Between two keys of somebody who types fast. */
const KEY_MS = 100;
const DOCUMENTS = 500;

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

/** Private memory of the largest renderer, with many documents on the device. */
async function memory(field) {
  const cells = join(field.folder, "cells.csv");
  writeFileSync(cells, "code,value\nIII.3.1.1,100\nIII.3.1.2,99\nIII.1.1,3\nIII.1.2,4\n");
  const device = ["--device", join(field.folder, "many")];
  const { code } = field.dongbo("enrolment", "new", "--person", "toan", "--unit", "05569", "--label", "máy nhiều");
  field.program("dongbo", ...device, "enrol", "--server", field.url, "--code", code);
  for (let document = 0; document < DOCUMENTS; document += 1) {
    field.program("dongbo", ...device, "fill", "--template", "bao-cao-cchc-2022", "--unit", "05569", "--period", String(1500 + document), "--file", cells);
  }
  field.program("dongbo", ...device, "sync");
  const browser = await field.browser("many");
  const page = await field.page(browser);
  await field.enrolled(page, "hanh");
  await page.waitForFunction((count) => document.querySelectorAll("ul.work button.row").length >= count, WAIT, DOCUMENTS);
  await badge(page, "Đã đồng bộ");
  await openReport(page);
  await painted(page);
  const { processInfo } = await (await browser.target().createCDPSession()).send("SystemInfo.getProcessInfo");
  const renderers = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => {
    const rollup = readFileSync(`/proc/${id}/smaps_rollup`, "utf8");
    const kilobytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(rollup)?.[1] ?? 0);
    return (kilobytes("Private_Dirty") + kilobytes("Private_Clean")) / 1024;
  });
  figures.tab_memory_500_documents_mb = rounded(Math.max(...renderers));
  await killedBrowser(browser);
}

const [short, memoryAlone] = ["--short", "--memory"].map((word) => process.argv.includes(word));
const field = await Field.start();
try {
  if (!memoryAlone) {
    await served(field);
    await firstVisit(field);
    await laterStarts(field);
    await typing(field);
    await field.serve();
  }
  if (!short) await memory(field);
} finally {
  await field.close();
}
console.log(JSON.stringify(figures, null, 1));
