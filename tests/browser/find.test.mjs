// A row is found by what a person remembers of it: without tones, by its code, by first letters; in any
// section of the form, from the keyboard alone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Field, openReport, shot, stands, violations, WAIT } from "./field.mjs";

let field;

before(async () => {
  field = await Field.start();
});

after(() => field?.close());

const inHand = (page) => page.$eval("td.cur button.cell, td.cur input.cell", (cell) => cell.dataset.code ?? "");

test("a row is found without diacritics, by code and by abbreviation", async () => {
  const page = await field.page(await field.browser("hanh"), field.url);
  await field.enrolled(page, "hanh");
  await openReport(page);
  const find = async (asked, code) => {
    await page.focus(".find input");
    await page.keyboard.type(asked);
    await page.waitForFunction(() => document.querySelector(".find li.on"), WAIT);
    await page.keyboard.press("Enter");
    await page.waitForFunction((code) => document.querySelector("td.cur [data-code]")?.dataset.code === code, WAIT, code);
    assert.equal(await inHand(page), code);
    assert.equal(await page.$eval(".find input", (input) => input.value), "");
  };
  await find("phuong an don gian hoa", "III.1.1");
  await find("PHƯƠNG ÁN ĐƠN GIẢN HOÁ", "III.1.1");
  await find("III.3.1.2", "III.3.1.2");
  await find("padgh", "III.1.1");
  await find("cong bo moi", "III.1.2");
  // What is typed next goes into the cell that was found.
  await page.keyboard.type("12");
  await page.keyboard.press("Enter");
  await stands(page, "III.1.2", "12");
  // Another section of the form, by one arrow down or none.
  await page.focus(".find input");
  await page.keyboard.type("IV.2");
  await page.waitForFunction(() => document.querySelectorAll(".find li").length > 1, WAIT);
  assert.deepEqual(await violations(page), []);
  await shot(page, "find");
  const second = await page.$eval(".find li:nth-child(2) b", (code) => code.innerText);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForFunction((code) => document.querySelector("td.cur [data-code]")?.dataset.code === code, WAIT, second);
  // The words of an abbreviation find the rows that have the abbreviation.
  await page.focus(".find input");
  await page.keyboard.type("thu tuc hanh chinh");
  await page.waitForFunction(() => document.querySelector(".find li.on"), WAIT);
  const labels = await page.$$eval(".find li", (rows) => rows.map((row) => row.innerText));
  assert.ok(labels.some((label) => label.includes("TTHC")), labels.join("\n"));
  await page.setViewport({ width: 360, height: 740 });
  await shot(page, "find-360");
  await page.setViewport({ width: 800, height: 1280 });
  await page.keyboard.press("Escape");
  await page.$eval(".find input", (input) => input.select());
  // What is nowhere is said, and nothing is gone to.
  await page.focus(".find input");
  await page.keyboard.type("khong co dong nao");
  await page.waitForFunction(() => /Không thấy dòng nào/.test(document.querySelector(".find .none")?.innerText ?? ""), WAIT);
  await page.keyboard.press("Enter");
  assert.equal(await inHand(page), second);
  assert.deepEqual(field.complaints(), []);
});
