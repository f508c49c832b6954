// Older years stay at the server until a person asks: what the list and the page behind the badge say of them, fetching
// one year and all, and a report that was left out and that somebody writes in.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { badge, COMMUNE, Field, says, shot, signedIn, TEMPLATE, violations, WAIT, press } from "./field.mjs";

const THIS_YEAR = new Date().getFullYear();
const [OLDEST, OLDER, LAST] = [THIS_YEAR - 4, THIS_YEAR - 3, THIS_YEAR - 2];
const SIZES = [[800, 1280], [360, 740], [1280, 800]];
let field;
let colleague;
let page;

function written(year, value) {
  const cells = field.file(`cells-${year}.csv`, `code,value\nIII.1.2,${value}\n`);
  colleague("fill", "--template", TEMPLATE, "--unit", COMMUNE, "--period", String(year), "--file", cells);
  return colleague("sync");
}

before(async () => {
  field = await Field.start();
  colleague = (...words) => field.program("dongbo", "--device", join(field.folder, "colleague"), ...words);
  const { code } = field.dongbo("enrolment", "new", "--person", "toan", "--unit", COMMUNE, "--label", "máy tệp");
  colleague("enrol", "--server", field.url, "--code", code);
  for (const year of [OLDEST, OLDER, LAST]) assert.equal(written(year, year).complete, true);
  page = await field.page(await field.browser("hanh"));
  await field.enrolled(page, "hanh");
  await badge(page, "Đã đồng bộ");
});

after(() => field?.close());

const open = async () => {
  await page.click("button.badge");
  await page.waitForSelector("dialog .btn.main:enabled", WAIT);
};
const close = async () => {
  await page.click("dialog .head button");
  await page.waitForSelector("dialog", { ...WAIT, hidden: true, polling: 100 });
};
/** The years of the reports in the list that can be opened. */
const listed = () => page.evaluate(() =>
  [...document.querySelectorAll("ul.work button.row:enabled .grow")].map((row) => Number(/ · năm (\d{4})/.exec(row.innerText)?.[1])).sort());
const becomes = async (years) => {
  await page.waitForFunction(
    (count) => document.querySelectorAll("ul.work button.row:enabled").length === count, { ...WAIT, polling: 100 }, years.length);
  assert.deepEqual(await listed(), years);
};

test("a new tablet says which years it has, how many reports of the others there are, and that it needs no others", async () => {
  await becomes([...new Set([2025, LAST])].sort());
  await says(page, `2 báo cáo của các năm trước ${LAST} chưa có trên máy này.`);
  assert.deepEqual(await violations(page), []);
  await open();
  await says(page, `Máy này có đủ báo cáo từ năm ${LAST}.`);
  await says(page, "2 báo cáo của các năm trước chưa có trên máy này, khoảng");
  assert.deepEqual(await violations(page), []);
  for (const [width, height] of SIZES) {
    await page.setViewport({ width, height });
    await shot(page, `years-vi-${width}`);
  }
  await page.setViewport({ width: 800, height: 1280 });
});

test("one year is fetched, then all", async () => {
  await press(page, `Lấy năm ${OLDER}`);
  await says(page, "1 báo cáo của các năm trước chưa có trên máy này, khoảng");
  await close();
  await becomes([...new Set([OLDER, 2025, LAST])].sort());
  await open();
  await press(page, "Lấy các năm trước");
  await page.waitForFunction(() => !document.body.innerText.includes("chưa có trên máy này"), { ...WAIT, polling: 100 });
  await close();
  await becomes([...new Set([OLDEST, OLDER, 2025, LAST])].sort());
  await badge(page, "Đã đồng bộ");
});

test("it stays so after a start", async () => {
  await page.reload();
  await signedIn(page);
  await becomes([...new Set([OLDEST, OLDER, 2025, LAST])].sort());
  await open();
  await says(page, "Không có gì chờ gửi.");
  assert.equal(await page.evaluate(() => document.body.innerText.includes("Các năm trước")), false);
  await close();
});

test("an old report that somebody writes in comes by itself, whole", async () => {
  const other = await field.page(await field.browser("toan"));
  await field.enrolled(other, "toan");
  await badge(other, "Đã đồng bộ");
  await says(other, `2 báo cáo của các năm trước ${LAST} chưa có trên máy này.`);
  assert.equal(written(OLDEST, 7).complete, true);
  await says(other, `1 báo cáo của các năm trước ${LAST} chưa có trên máy này.`);
  await other.waitForFunction(
    (year) => [...document.querySelectorAll("ul.work button.row:enabled")].some((row) => row.innerText.includes(`· năm ${year}`)),
    { ...WAIT, polling: 100 }, OLDEST);
});
