// Rows of a commune's own, by keyboard and without a network: added, filled, renamed, retired; a colleague who adds one
// meanwhile keeps theirs.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { badge, button, Field, openReport, says, shot, signedIn, stands, sync, typed, violations, WAIT } from "./field.mjs";
import { SIZES, speaking } from "./pages.mjs";

let field;
let page;
let toan;

before(async () => {
  field = await Field.start();
  page = await field.page(await field.browser("hanh"));
  await field.enrolled(page, "hanh");
  toan = await field.page(await field.browser("toan"));
  await field.enrolled(toan, "toan");
  for (const of of [page, toan]) await of.setOfflineMode(true);
});

after(() => field?.close());

/** Presses a button as a keyboard does. */
async function enter(of, selector) {
  const found = await of.waitForSelector(selector, WAIT);
  await found.focus();
  await of.keyboard.press("Enter");
}

const labelled = (words) => `::-p-xpath(//label[starts-with(normalize-space(.), "${words}")]//*[self::input or self::textarea or self::select])`;

async function fills(of, words, text) {
  const input = await of.waitForSelector(labelled(words), WAIT);
  await input.focus();
  await of.keyboard.down("Control");
  await of.keyboard.press("a");
  await of.keyboard.up("Control");
  await of.keyboard.type(text);
}

async function adds(of, label, unit) {
  await fills(of, "Tên hàng", label);
  await fills(of, "Đơn vị tính", unit);
  await of.keyboard.press("Enter");
  await says(of, `Đã thêm “${label}”`);
}

/** The code of the row that a unit calls so. */
const codeOf = async (of, label) => {
  await of.waitForFunction((label) => [...document.querySelectorAll("table.grid th.b")].some((one) => one.innerText.startsWith(label)), WAIT, label);
  return of.$$eval("table.grid th.b", (all, label) => all.find((one) => one.innerText.startsWith(label)).id.replace("label-", ""), label);
};

async function pictures(of, name, within) {
  for (const [width, height] of SIZES) {
    await of.setViewport({ width, height });
    await of.$eval(within, (one) => one.scrollIntoView({ block: "center" }));
    await shot(of, `${name}-${width}x${height}`);
    const wide = await of.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${name}: ${wide} px too wide at ${width}`);
  }
  assert.deepEqual(await violations(of), []);
}

test("a row is added without a network, below the cell in hand, and is filled like any other", async () => {
  await openReport(page);
  await typed(page, "III.3.1.1", "1.893");
  await enter(page, button("Hàng của đơn vị"));
  await says(page, "Hàng của biểu mẫu do tỉnh giữ và không sửa được.");
  await says(page, "Chưa có hàng nào.");
  // Nothing was said of it yet: it is not taken.
  await enter(page, button("Thêm hàng của đơn vị"));
  assert.equal(await page.$eval(labelled("Tên hàng"), (input) => input.validity.valueMissing), true);
  await adds(page, "Nộp tại điểm lưu động", "Hồ sơ");
  await says(page, "Ma Thị Hạnh thêm lúc");
  await pictures(page, "rows-sheet-vi", ".of-unit");
  await page.keyboard.press("Escape");
  const code = await codeOf(page, "Nộp tại điểm lưu động");
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Hàng của đơn vị/, "the keyboard is where it was");
  assert.match(code, /^\+[0-9a-f]{16}\.[0-9a-f]{16}$/);
  await typed(page, code, "12");
  assert.match(await page.$eval(`[id="label-${code}"]`, (one) => one.innerText), /Hàng của Xã/);
  await pictures(page, "rows-grid-vi", `[id="label-${code}"]`);
  assert.match(await page.$eval(`[id="number-${code}"]`, (one) => one.innerText), /\+1/);
});

test("two who add rows apart both keep theirs", async () => {
  await openReport(toan);
  await enter(toan, button("Hàng của đơn vị"));
  await adds(toan, "Nộp qua bưu điện", "Hồ sơ");
  await toan.keyboard.press("Escape");
  const posted = await codeOf(toan, "Nộp qua bưu điện");
  await typed(toan, posted, "7");
  for (const of of [toan, page]) {
    await of.setOfflineMode(false);
    await sync(of);
    await badge(of, "Đã đồng bộ");
  }
  // The row came while the report was looked at, with what stands in it.
  await codeOf(page, "Nộp qua bưu điện");
  await stands(page, posted, "7");
  await sync(toan);
  await stands(toan, await codeOf(toan, "Nộp tại điểm lưu động"), "12");
});

test("a row is renamed and retired by keyboard, and its value stays to be read", async () => {
  const code = await codeOf(page, "Nộp tại điểm lưu động");
  await enter(page, button("Hàng của đơn vị"));
  await enter(page, '[aria-label="Sửa hàng “Nộp tại điểm lưu động”"]');
  await page.keyboard.down("Control");
  await page.keyboard.press("a");
  await page.keyboard.up("Control");
  await page.keyboard.type("Nộp tại tổ lưu động");
  await page.keyboard.press("Enter");
  await says(page, "Đã lưu “Nộp tại tổ lưu động”");
  await says(page, "Tên trước: “Nộp tại điểm lưu động”");
  await enter(page, '[aria-label="Ngừng dùng hàng “Nộp tại tổ lưu động”"]');
  await says(page, "Ma Thị Hạnh ngừng dùng lúc");
  await page.keyboard.press("Escape");
  await page.waitForFunction((code) => !document.getElementById(`label-${code}`), WAIT, code);
  await says(page, "Nộp tại tổ lưu động");
  const kept = await page.$eval(".without-row", (section) => section.textContent);
  assert.match(kept, /Nộp tại tổ lưu động.*12/s);
  // The same in English, after the page was loaded again.
  await speaking(page, "en");
  await page.reload();
  await signedIn(page, "Hạnh");
  await openReport(page);
  await enter(page, button("Rows of the unit"));
  await says(page, "Rows of the form belong to the province and are locked.");
  await pictures(page, "rows-sheet-en", ".of-unit");
  await enter(page, '[aria-label="Use the row “Nộp tại tổ lưu động” again"]');
  await page.keyboard.press("Escape");
  await stands(page, code, "12");
  await pictures(page, "rows-grid-en", `[id="label-${code}"]`);
});
