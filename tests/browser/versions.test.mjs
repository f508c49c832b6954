// A form gets a newer version in the middle of a period: a report keeps the one it was begun with, is moved when a person
// has seen what that changes, and nothing that was typed is lost.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  badge, button, Field, openReport, press, says, shot, signedIn, sync, TEMPLATE, typed, violations, WAIT,
} from "./field.mjs";

const FORM = join(import.meta.dirname, `../../sync-core/catalogue/forms/${TEMPLATE}.json`);
const SIZES = [[1280, 800], [800, 1280], [360, 740]];
let field;
let page;
let toan;

before(async () => {
  field = await Field.start();
  page = await field.page(await field.browser("hanh"));
  await field.enrolled(page, "hanh");
  toan = await field.page(await field.browser("toan"));
  await field.enrolled(toan, "toan");
  // From here on his tablet hears of nothing: it knows version 1 alone.
  await toan.setOfflineMode(true);
});

after(() => field?.close());

/** Publishes the yearly form without a row, with another one, and one of another unit. */
function publishSecond() {
  const form = JSON.parse(readFileSync(FORM, "utf8"));
  form.published_note = "Theo công văn 12 của Bộ";
  const rows = form.sections.find(({ id }) => id === "V").indicators;
  rows.splice(rows.findIndex(({ code }) => code === "V.4.4"), 1);
  rows[2].unit_vi = "Lượt";
  form.sections[2].indicators.push({ code: "III.9", stt: "9", label_vi: "Chỉ tiêu mới", unit_vi: "Hồ sơ", kind: "integer" });
  field.dongbo("template", "import", field.file("second.json", JSON.stringify(form)), "--version", "2");
}

test("a report keeps its version, says that there is a newer one, and what it would change", async () => {
  await openReport(page, "Biểu mẫu 5", "V.4.4");
  await typed(page, "V.4.4", "7");
  await sync(page);
  await badge(page, "Đã đồng bộ");
  assert.equal(await page.$(".version-notice"), null);
  publishSecond();
  await sync(page);
  await says(page, "Biểu mẫu này có phiên bản mới (2). Báo cáo đang dùng phiên bản 1.");
  // The row is still there, and takes what is typed.
  await typed(page, "V.4.4", "8");
  // By keyboard alone: the button, and Escape back.
  await (await page.waitForSelector(button("Xem thay đổi"), WAIT)).focus();
  await page.keyboard.press("Enter");
  await says(page, "Chuyển báo cáo sang phiên bản 2?");
  await says(page, "Theo công văn 12 của Bộ");
  await says(page, "1 số đã nhập sẽ không còn dòng");
  const told = await page.$$eval(".differences tbody tr", (rows) => rows.map((row) => row.cells[0].innerText.split(" ")[0] + " " + row.cells[1].innerText));
  assert.deepEqual(told.map((line) => line.trim()), ["III.9 Dòng mới", "V.1.2 Đơn vị tính", "V.4.4 Bỏ dòng"]);
  for (const [width, height] of SIZES) {
    await page.setViewport({ width, height });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${wide} px on a page of ${width}`);
    await shot(page, `version-changes-${width}`);
  }
  await page.setViewport({ width: 800, height: 1280 });
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press("Escape");
  await says(page, "Biểu mẫu này có phiên bản mới (2)");
});

test("offline, it is moved: rows come and go, and the value without a row stays to be read", async () => {
  await page.setOfflineMode(true);
  await press(page, "Xem thay đổi");
  await press(page, "Chuyển sang phiên bản 2");
  await says(page, "Số đã nhập cho dòng không còn trong biểu mẫu (1)");
  await page.waitForFunction(() => document.querySelector(".version-notice") === null, WAIT);
  await page.click(".without-row summary");
  const kept = await page.$eval(".without-row li", (one) => one.innerText.replace(/\s+/g, " "));
  assert.match(kept, /^V\.4\.4 .* 8 /);
  await press(page, "Biểu mẫu 3");
  await typed(page, "III.9", "12");
  for (const [width, height] of SIZES) {
    await page.setViewport({ width, height });
    await shot(page, `without-row-${width}`);
  }
  await page.setViewport({ width: 800, height: 1280 });
  assert.deepEqual(await violations(page), []);
  // The page is closed and opened again before anything was sent.
  await page.reload();
  await signedIn(page);
  await openReport(page, "Biểu mẫu 3", "III.9");
  await says(page, "Số đã nhập cho dòng không còn trong biểu mẫu (1)");
  await page.setOfflineMode(false);
});

test("a colleague who has typed by the older version is shown one report with both", async () => {
  await openReport(toan, "Biểu mẫu 5", "V.4.4");
  await typed(toan, "V.1.1", "21");
  await page.bringToFront();
  await sync(page);
  await badge(page, "Đã đồng bộ");
  await toan.setOfflineMode(false);
  await sync(toan);
  await says(toan, "Số đã nhập cho dòng không còn trong biểu mẫu (1)");
  await sync(page);
  const seen = field.seenBy("hanh");
  assert.deepEqual([seen["V.1.1"], seen["III.9"]], ["21", "12"]);
  assert.deepEqual(field.complaints(), []);
});
