// Two languages: the one that was chosen last is spoken, whichever words came later; figures are alike in both.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { COMMUNE, Field, OFFICERS, press, says, signedIn, TEMPLATE, WAIT } from "./field.mjs";

let field;

before(async () => {
  field = await Field.start([...OFFICERS, { name: "trang", display: "Phạm Thu Trang", role: "provincial-reviewer" }]);
});

after(() => field?.close());

test("who chooses English and at once Vietnamese again reads Vietnamese, now and later", async () => {
  const page = await field.page(await field.browser("anybody"));
  await says(page, "Ai đang dùng máy này?");
  await page.evaluate(() => {
    const [vietnamese, english] = document.querySelectorAll(".seg button");
    english.click();
    vietnamese.click();
  });
  const words = await page.waitForFunction(() => {
    const loaded = performance.getEntriesByType("resource").find(({ name }) => /web\.en-[^/]*\.js$/.test(name));
    return loaded?.name;
  }, { ...WAIT, polling: 100 });
  // The English words are there, and whoever waited for them has been told.
  await page.evaluate(async (address) => {
    await import(address);
    await new Promise((resolve) => setTimeout(resolve));
  }, await words.jsonValue());
  const language = () => page.evaluate(() => [document.documentElement.lang, localStorage.getItem("language")]);
  assert.deepEqual(await language(), ["vi", "vi"]);
  await press(page, "English");
  await says(page, "Who is using this device?");
  await page.reload();
  await says(page, "Who is using this device?");
  assert.deepEqual(await language(), ["en", "en"]);
  assert.deepEqual(field.complaints(), []);
});

test("figures are written alike in both languages: whoever types what they read gets the same number", async () => {
  const device = ["--device", join(field.folder, "by file")];
  const { code } = field.dongbo("enrolment", "new", "--person", "hanh", "--unit", COMMUNE, "--label", "máy tệp");
  field.program("dongbo", ...device, "enrol", "--server", field.url, "--code", code);
  const cells = field.file("cells.csv", "code,value\nIII.3.1.1,5500\n");
  field.program("dongbo", ...device, "fill", "--template", TEMPLATE, "--unit", COMMUNE, "--period", "2025", "--file", cells);
  field.program("dongbo", ...device, "sync");

  const status = await field.page(await field.browser("status"), `${field.url}/status`);
  const figure = () => status.$eval('[data-code="III.3.1.1"] .number', (cell) => cell.textContent);
  // The province's own line begins with the word that the page has said already.
  const banner = (words) => status.waitForFunction((wanted) => document.querySelector("#rehearsal").textContent === wanted, WAIT, words);
  await banner("Số liệu diễn tập");
  await status.waitForSelector('[data-code="III.3.1.1"]', WAIT);
  assert.match(await figure(), /^5\.500\b/);
  await status.click("#language");
  await banner("Rehearsal figures");
  assert.match(await figure(), /^5\.500\b/);

  const desk = await field.page(await field.browser("desk"));
  await field.enrolled(desk, "trang", null, ".desk .totals");
  await says(desk, "5.500");
  await desk.evaluate(() => localStorage.setItem("language", "en"));
  await desk.reload();
  await signedIn(desk, "", ".desk .totals");
  await says(desk, "Reports received");
  await says(desk, "5.500");
  assert.deepEqual(field.complaints(), []);
});
