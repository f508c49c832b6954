// A block copied from a spreadsheet: seen line by line before anything is written, written as one, taken back
// as one. What cannot be read is left out with its reason, and nothing of the report is overwritten unseen.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join } from "node:path";
import {
  cell, COMMUNE, Field, openReport, says, shot, stands, sync, TEMPLATE, typed, violations, WAIT,
} from "./field.mjs";

let field;

before(async () => {
  field = await Field.start();
});

after(() => field?.close());

/** Pastes a text into the cell in hand, as the browser does with what was copied elsewhere. */
const paste = (page, text) => page.evaluate((copied) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", copied);
  document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}, text);

const fates = (page) => page.$$eval(".paste-sheet tbody tr", (rows) =>
  rows.map((row) => row.cells[2].innerText.trim()));

/** Waits until the sheet offers to paste so many cells. */
const offers = (page, count) => says(page, `Dán ${count} ô`);

test("a block is previewed, pasted as one and taken back as one", async () => {
  const page = await field.page(await field.browser("hanh"), field.url);
  await field.enrolled(page, "hanh");
  await openReport(page);
  await typed(page, "III.1.2", "12");

  // One column, from the cell in hand on, in the order of the form.
  await (await cell(page, "III.1.1")).focus();
  await paste(page, "3\r\n15\r\n1,5\r\n");
  await offers(page, 2);
  assert.deepEqual(await fates(page), ["Ghi 3", "Thay cho 12 đang có", "Ô này chỉ nhận số nguyên."]);
  assert.deepEqual(await violations(page), []);
  await shot(page, "paste");
  await page.keyboard.press("Escape");
  await stands(page, "III.1.2", "12");
  await (await cell(page, "III.1.1")).focus();
  await paste(page, "3\r\n15\r\n1,5\r\n");
  await offers(page, 2);
  await page.keyboard.press("Enter");
  await stands(page, "III.1.1", "3");
  await stands(page, "III.1.2", "15");
  await stands(page, "III.1.3", "Trống");

  // One undo for all of it, after what was typed later was taken back.
  await typed(page, "III.1.1", "4");
  await page.click('button[aria-label="Hoàn tác"]');
  await stands(page, "III.1.1", "3");
  await page.click('button[aria-label="Hoàn tác 2 ô"]');
  await stands(page, "III.1.2", "12");
  await stands(page, "III.1.1", "trống");
  await typed(page, "III.1.1", "4");

  // The printed table with its numbers and labels, in another order: each line finds its row.
  await (await cell(page, "III.3.1.1")).focus();
  await paste(page, [
    "1.3.\tSố TTHC bãi bỏ, thay thế\tThủ tục\t7",
    "1.1.\tSố TTHC đã được phê duyệt phương án đơn giản hóa\tThủ tục\t9",
    "9.9.\tMột dòng không có trong biểu\tThủ tục\t5",
    "1.2.\tSố TTHC công bố mới\tThủ tục\t1.2345,6",
  ].join("\n"));
  await offers(page, 2);
  const read = await fates(page);
  assert.deepEqual(read.slice(0, 3), ["Ghi 7", "Thay cho 4 đang có", "Không rõ thuộc dòng nào"]);
  assert.notEqual(read[3], "", "a number that is none says why");
  await page.keyboard.press("Enter");
  await stands(page, "III.1.3", "7");
  await stands(page, "III.1.1", "9");
  await stands(page, "III.1.2", "12");

  // A colleague wrote another value meanwhile: a paste settles nothing that nobody decided.
  const colleague = (...words) => field.program("dongbo", "--device", join(field.folder, "colleague"), ...words);
  const { code } = field.dongbo("enrolment", "new", "--person", "toan", "--unit", COMMUNE, "--label", "máy tệp");
  colleague("enrol", "--server", field.url, "--code", code);
  const cells = field.file("cells.csv", "code,value\nIII.2.1,6\n");
  colleague("fill", "--template", TEMPLATE, "--unit", COMMUNE, "--period", "2025", "--file", cells);
  await typed(page, "III.2.1", "5");
  await sync(page);
  colleague("sync");
  await sync(page);
  await stands(page, "III.2.1", "Hạnh 5 Toàn 6");
  await (await cell(page, "III.2.1")).focus();
  await paste(page, "8\n9\n");
  await offers(page, 1);
  assert.deepEqual(await fates(page), ["Đang có giá trị khác nhau: chọn trước đã", "Ghi 9"]);
  for (const [width, height] of [[360, 740], [1280, 800]]) {
    await page.setViewport({ width, height });
    await shot(page, `paste-${width}`);
  }
  await page.setViewport({ width: 800, height: 1280 });
  await page.keyboard.press("Enter");
  await stands(page, "III.2.2", "9");
  await stands(page, "III.2.1", "Hạnh 5 Toàn 6");

  // One value is as if it was typed.
  await (await cell(page, "III.1.4.1")).focus();
  await paste(page, "44\n");
  await page.keyboard.press("Enter");
  await stands(page, "III.1.4.1", "44");
  assert.deepEqual(field.complaints(), []);
});
