// What entry costs on a cheap tablet, Chromium slowed six times: a form of 200 rows opened and typed into, and a block
// of 2,000 cells pasted. Prints one JSON object; `cargo xtask bench --browser` holds the bounds.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Field, cell, killedBrowser, typed, WAIT } from "./field.mjs";

const SLOWED = 6;
const OPENS = 15;
const KEYS = 110;
const PASTES = 5;
/** Between two keys of somebody who types fast. */
const KEY_MS = 100;

/** A form like the real ones: groups of a total, its parts and a ratio of two of them. */
function form(id, rows) {
  const indicators = [];
  for (let group = 1; indicators.length + 6 <= rows; group += 1) {
    const code = (part) => `${group}.${part}`;
    const row = (part, label, more = {}) => ({
      code: code(part), stt: `${code(part)}.`, label_vi: `${label} của nhóm công việc số ${group}`, unit_vi: "Hồ sơ", kind: "integer", parent: null,
      formula: null, choices: [], ...more,
    });
    indicators.push(
      row(1, "Tổng số hồ sơ tiếp nhận", { formula: `[${code(2)}] + [${code(3)}] + [${code(4)}]` }),
      row(2, "Số hồ sơ trực tuyến", { parent: code(1) }),
      row(3, "Số hồ sơ trực tiếp", { parent: code(1) }),
      row(4, "Số hồ sơ qua bưu chính", { parent: code(1) }),
      row(5, "Số hồ sơ giải quyết đúng hạn"),
      row(6, "Tỷ lệ giải quyết đúng hạn", { unit_vi: "%", kind: "percent", formula: `100 * [${code(5)}] / [${code(1)}]` }),
    );
  }
  while (indicators.length < rows) {
    const code = `z.${indicators.length}`;
    indicators.push({ code, stt: code, label_vi: `Chỉ tiêu lẻ ${code}`, unit_vi: "Việc", kind: "integer", parent: null, formula: null, choices: [] });
  }
  return { id, title_vi: `Biểu đo ${rows} dòng`, source: "đo", period_type: "year", respondent_vi: "UBND xã", sections: [{ id: "1", title_vi: "Biểu đo", form_label_vi: "Biểu đo", owner_vi: null, indicators }] };
}

const figures = {};
const sorted = (list) => [...list].sort((one, other) => one - other);
const at = (list, part) => Math.round(sorted(list)[Math.min(list.length - 1, Math.floor(list.length * part))] * 10) / 10;

async function slowed(page) {
  const client = await page.createCDPSession();
  await client.send("Emulation.setCPUThrottlingRate", { rate: SLOWED });
  for (const worker of page.workers()) {
    // No Chromium slows a worker yet.
    await worker.client.send("Emulation.setCPUThrottlingRate", { rate: SLOWED }).catch(() => undefined);
  }
}

const row = (title) => `::-p-xpath(//ul[contains(@class,'work')]//button[contains(., '${title}')])`;

/** From the press on a report to its rows on the screen. */
async function opened(page, title) {
  await page.waitForSelector(row(title), WAIT);
  return page.evaluate(async (wanted) => {
    const item = [...document.querySelectorAll("ul.work button.row")].find((one) => one.innerText.includes(wanted));
    const began = performance.now();
    item.click();
    while (!document.querySelector("table.grid tbody th")) await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    return performance.now() - began;
  }, title);
}

async function opening(page) {
  const took = [];
  for (let round = 0; round < OPENS; round += 1) {
    took.push(await opened(page, "Biểu đo 200 dòng"));
    if (round + 1 < OPENS) await page.click('header button[aria-label="Về Việc của tôi"]');
  }
  figures.open_200_rows_p50_ms = at(took, 0.5);
  figures.open_200_rows_p95_ms = at(took, 0.95);
}

/** From the key that ends a cell to the finding of its total, worked out anew: in the page, and on the screen, a frame
    after it was drawn. */
async function typing(page) {
  for (const [code, text] of [["1.1", "50"], ["1.3", "1"], ["1.4", "1"], ["1.2", "40"]]) await typed(page, code, text);
  await page.evaluate(() => {
    globalThis.shown = [];
    globalThis.found = [];
    let began = 0;
    document.addEventListener("keydown", (event) => {
      if (event.key === "Enter") began = event.timeStamp;
    }, true);
    const drawn = () => scheduler.postTask(() => {
      if (began > 0) globalThis.shown.push(performance.now() - began);
      began = 0;
    }, { priority: "user-blocking" });
    const finding = new MutationObserver(() => {
      if (began === 0) return;
      if (globalThis.found.length === globalThis.shown.length) globalThis.found.push(performance.now() - began);
      requestAnimationFrame(drawn);
    });
    const group = document.querySelector('[data-row="1.1"]');
    finding.observe(group, { subtree: true, childList: true, characterData: true });
  });
  for (let round = 0; round < KEYS; round += 1) {
    await (await cell(page, "1.2")).focus();
    const shown = page.waitForFunction((count) => globalThis.shown.length > count, { ...WAIT, polling: KEY_MS }, round);
    await page.keyboard.type(`${100 + round * 7}`, { delay: KEY_MS });
    await page.keyboard.press("Enter");
    await shown;
  }
  const [found, shown] = await page.evaluate(() => [globalThis.found, globalThis.shown]);
  figures.key_to_findings_in_page_p50_ms = at(found, 0.5);
  figures.key_to_findings_in_page_p95_ms = at(found, 0.95);
  figures.key_to_findings_p50_ms = at(shown, 0.5);
  figures.key_to_findings_p95_ms = at(shown, 0.95);
}

/** From the paste to its preview, and from the press that confirms it to the figures on the screen. */
async function pasting(page) {
  const [previews, pastes, durable] = [[], [], []];
  for (let round = 0; round < PASTES; round += 1) {
    const codes = await page.evaluate(() => document.querySelector("button.cell").dataset.code);
    await (await cell(page, codes)).focus();
    const text = Array.from({ length: 2_000 }, (_, line) => `${(line * 37 + round * 11) % 900 + 1}`).join("\n");
    previews.push(await page.evaluate(async (copied) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", copied);
      const began = performance.now();
      document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
      while (!document.querySelector(".paste-sheet button.main:enabled")) await new Promise(requestAnimationFrame);
      await new Promise(requestAnimationFrame);
      return performance.now() - began;
    }, text));
    const [shown, kept] = await page.evaluate(async (wanted) => {
      const began = performance.now();
      document.querySelector(".paste-sheet button.main").click();
      const stands = () => !document.querySelector(".paste-sheet") && document.querySelector(".grid button.cell")?.innerText.trim() === wanted;
      while (!stands()) await new Promise(requestAnimationFrame);
      await new Promise(requestAnimationFrame);
      const shown = performance.now() - began;
      while (document.querySelector('[aria-busy="true"]')) await new Promise(requestAnimationFrame);
      return [shown, performance.now() - began];
    }, `${(round * 11) % 900 + 1}`);
    pastes.push(shown);
    durable.push(kept);
    await page.waitForSelector('button[aria-keyshortcuts="Control+Z"]:enabled', WAIT);
  }
  figures.paste_2000_preview_p50_ms = at(previews, 0.5);
  figures.paste_2000_cells_p50_ms = at(pastes, 0.5);
  figures.paste_2000_durable_p50_ms = at(durable, 0.5);
}

const field = await Field.start();
try {
  for (const [id, rows] of [["bieu-do-200", 200], ["bieu-do-2000", 2_000]]) {
    const file = join(field.folder, `${id}.json`);
    writeFileSync(file, JSON.stringify(form(id, rows)));
    field.dongbo("template", "import", file);
    field.dongbo("duty", "add", "--template", id, "--period", "2025", "--due", "2025-12-15");
  }
  const browser = await field.browser("entry");
  const page = await field.page(browser);
  await field.enrolled(page, "hanh");
  await field.killServer();
  await slowed(page);
  await opening(page);
  await typing(page);
  await page.click('header button[aria-label="Về Việc của tôi"]');
  await opened(page, "Biểu đo 2000 dòng");
  await pasting(page);
  await killedBrowser(browser);
} finally {
  await field.close();
}
console.log(JSON.stringify(figures, null, 1));
