// What stands beside a figure: the periods before and what is carried from them, a source, comments, the reason for a
// warning; a whole form in which nothing occurred. Without a network, by keyboard and by finger.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join } from "node:path";
import {
  badge, cell, COMMUNE, Field, killedBrowser, openReport, press, says, shot, signedIn, stands, sync, TEMPLATE, typed, violations, WAIT,
} from "./field.mjs";

let field;

before(async () => {
  field = await Field.start();
});

after(() => field?.close());

const SIZES = [[1280, 800], [800, 1280], [360, 740]];

async function shots(page, name) {
  for (const [width, height] of SIZES) {
    await page.setViewport({ width, height });
    await shot(page, `${name}-${width}`);
  }
  await page.setViewport({ width: 800, height: 1280 });
}

/** A colleague with `dongbo` on another device. */
function colleague(name) {
  const device = (...words) => field.program("dongbo", "--device", join(field.folder, `colleague ${name}`), ...words);
  const { code } = field.dongbo("enrolment", "new", "--person", name, "--unit", COMMUNE, "--label", "máy tệp");
  device("enrol", "--server", field.url, "--code", code);
  device("sync");
  return device;
}

const panel = (page) => page.$eval("aside.side", (side) => side.innerText.replace(/\s+/g, " "));
const panelSays = (page, words) =>
  page.waitForFunction((wanted) => document.querySelector("aside.side")?.innerText.replace(/\s+/g, " ").includes(wanted), WAIT, words);

/** Goes to a button of the panel by keyboard and presses it. */
async function pressInPanel(page, words) {
  const found = await page.waitForSelector(`::-p-xpath(//aside//button[contains(., '${words}')])`, WAIT);
  await found.focus();
  await page.keyboard.press("Enter");
}

test("last period stands beside the cell, is carried with its mark, and confirmed", async () => {
  const toan = colleague("toan");
  const cells = field.file("last.csv", "code,value\nIII.1.1,12\nIII.1.2,34\nIII.3.1.1,1.893\nIII.3.1.2,1.887\n");
  toan("fill", "--template", TEMPLATE, "--unit", COMMUNE, "--period", "2024", "--file", cells);
  toan("sync");
  const browser = await field.browser("hanh");
  const page = await field.page(browser, field.url);
  await field.enrolled(page, "hanh");
  await badge(page, "Đã đồng bộ");
  await field.killServer();
  await page.click(`::-p-xpath(//ul[contains(@class,'work')]//button[contains(., '2025')])`);
  await page.waitForSelector("table.grid", WAIT);
  await press(page, "Biểu mẫu 3");
  await (await cell(page, "III.1.1")).focus();
  await panelSays(page, "năm 2024 12");
  await panelSays(page, "2023 không có trên máy này");
  await pressInPanel(page, "Chuyển số kỳ năm 2024");
  await stands(page, "III.1.1", "chuyển từ kỳ trước 12");
  await panelSays(page, "Chuyển từ kỳ năm 2024, chưa ai xác nhận");
  assert.deepEqual(await violations(page), []);
  await shots(page, "carried");
  await pressInPanel(page, "Xác nhận số này");
  await stands(page, "III.1.1", "12");

  // A chosen set of rows: a total or ratio that a formula gives is left to it; what is filled is not offered.
  await press(page, "Chuyển từ năm 2024");
  await says(page, "Chuyển 3 ô");
  assert.deepEqual(await violations(page), []);
  await shots(page, "carry");
  await page.click('input[id="fill-III.1.2"]');
  await says(page, "Chuyển 2 ô");
  await press(page, "Chuyển 2 ô");
  await stands(page, "III.3.1.1", "chuyển từ kỳ trước 1.893");
  await stands(page, "III.1.2", "Trống");
  // Typed, it is one's own.
  await typed(page, "III.3.1.1", "1.900");
  await page.click('button[aria-label="Hoàn tác"]');
  await stands(page, "III.3.1.1", "chuyển từ kỳ trước 1.893");
  await page.click('button[aria-label="Hoàn tác 2 ô"]');
  await stands(page, "III.3.1.1", "trống");
  await page.click('button[aria-label="Làm lại 2 ô"]');
  await stands(page, "III.3.1.1", "chuyển từ kỳ trước 1.893");

  // The wide screen has last period as a column.
  await page.setViewport({ width: 1280, height: 800 });
  await page.waitForFunction(() => [...document.querySelectorAll("td.before")].some((td) => td.innerText === "1.887"), WAIT);
  await page.setViewport({ width: 800, height: 1280 });
  await field.serve();
  await sync(page);
  await killedBrowser(browser);
  assert.deepEqual(field.complaints(), []);
});

test("a source, comments and the reason for a warning are written without a network and reach the colleague", async () => {
  const page = await field.page(await field.browser("lan hai"), field.url);
  await field.enrolled(page, "hanh");
  await openReport(page);
  await field.killServer();
  await typed(page, "III.3.1.1", "100");
  await typed(page, "III.3.1.2", "50");
  await typed(page, "III.3.1", "99,9", "99,9 %");
  await says(page, "cảnh báo chưa có lý do");
  await (await cell(page, "III.3.1")).focus();
  await panelSays(page, "Ô III.3.1 ");

  await page.click(`::-p-xpath(//tr[contains(@class,'why')]//button[contains(., 'Ghi lý do')])`);
  await page.waitForFunction(() => document.activeElement?.tagName === "TEXTAREA", WAIT);
  await page.keyboard.type("Gồm cả hồ sơ chuyển kỳ");
  await page.keyboard.down("Control");
  await page.keyboard.press("Enter");
  await page.keyboard.up("Control");
  await says(page, "Lý do: “Gồm cả hồ sơ chuyển kỳ” – Ma Thị Hạnh");

  const source = await page.waitForSelector('button[aria-label="Thêm: Nguồn số liệu"]', WAIT);
  await source.focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label") === "Nguồn số liệu", WAIT);
  await page.keyboard.type("Sổ theo dõi một cửa");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await panelSays(page, "Sổ theo dõi một cửa Ma Thị Hạnh");

  const field2 = await page.waitForSelector('textarea[aria-label="Viết trao đổi về ô này"]', WAIT);
  await field2.focus();
  await page.keyboard.type("Sao khác công thức?");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await panelSays(page, "Sao khác công thức?");
  await panelSays(page, "đang mở");
  assert.deepEqual(await violations(page), []);
  await shots(page, "beside");

  await field.serve();
  await sync(page);
  await badge(page, "Đã đồng bộ");
  const other = await field.page(await field.browser("toan"), field.url);
  await field.enrolled(other, "toan");
  await badge(other, "Đã đồng bộ");
  await openReport(other);
  await (await cell(other, "III.3.1")).focus();
  await panelSays(other, "Sao khác công thức?");
  await says(other, "Lý do: “Gồm cả hồ sơ chuyển kỳ” – Ma Thị Hạnh");
  await pressInPanel(other, "Đã giải quyết");
  await panelSays(other, "Hoàng Văn Toàn");
  await panelSays(other, "Mở lại");
  await sync(other);
  await sync(page);
  await (await cell(page, "III.3.1")).focus();
  await panelSays(page, "đánh dấu đã giải quyết");
  await pressInPanel(page, "Mở lại");
  await panelSays(page, "đang mở");
  assert.match(await panel(page), /mở lại trao đổi/);
  assert.deepEqual(field.complaints(), []);
});

test("a form in which nothing occurred is said so with one press, and taken back with one", async () => {
  const page = await field.page(await field.browser("mot"), field.url);
  await field.enrolled(page, "hanh");
  await badge(page, "Đã đồng bộ");
  await openReport(page, "Biểu mẫu 4", "IV.1.1");
  const first = await page.$eval("button.cell", (one) => one.dataset.code);
  await typed(page, first, "0", "0 %");
  await press(page, "Cả biểu không phát sinh");
  await says(page, "1 ô đã có người ghi: giữ nguyên");
  assert.deepEqual(await violations(page), []);
  await shots(page, "none");
  await page.click(".paste-sheet footer button.main");
  await page.waitForSelector("nav.tabs", WAIT);
  await cell(page, first);
  const codes = await page.$$eval("button.cell", (all) => all.map((one) => one.dataset.code));
  assert.ok(codes.length > 4);
  for (const code of codes.slice(0, 4)) await stands(page, code, code === first ? "0 %" : "không phát sinh");
  const tab = () => page.$eval('nav.tabs [aria-current="page"]', (one) => one.innerText);
  assert.doesNotMatch(await tab(), /không phát sinh/, "zero is a figure");
  // By key: nothing, nought, and that it did not occur are three things.
  await (await cell(page, first)).focus();
  await page.keyboard.down("Alt");
  await page.keyboard.press("0");
  await page.keyboard.up("Alt");
  await stands(page, first, "không phát sinh");
  await page.waitForFunction(() => /không phát sinh/.test(document.querySelector('nav.tabs [aria-current="page"]')?.innerText ?? ""), WAIT);
  await shots(page, "none-whole");
  await page.click('button[aria-label="Hoàn tác"]');
  await stands(page, first, "0 %");
  await page.click('button[aria-keyshortcuts="Control+Z"]');
  await stands(page, codes[1], "trống");
  await stands(page, first, "0 %");
  assert.deepEqual(field.complaints(), []);
});

test("a mouse may have compact rows, and the device remembers it", async () => {
  const browser = await field.browser("chuot");
  const page = await field.page(browser, field.url);
  await page.setViewport({ width: 1280, height: 800 });
  await field.enrolled(page, "hanh");
  await openReport(page);
  const height = () => page.$eval('[data-row="III.1.2"]', (row) => row.offsetHeight);
  const before = await height();
  await press(page, "Thu gọn dòng");
  await page.waitForFunction((than) => document.querySelector('[data-row="III.1.2"]').offsetHeight < than, WAIT, before);
  assert.ok((await height()) <= 30, `${await height()} px`);
  assert.deepEqual(await violations(page), []);
  await shot(page, "compact-1280");
  await page.reload();
  await signedIn(page);
  await openReport(page);
  assert.ok((await height()) <= 30);
  assert.deepEqual(field.complaints(), []);
});
