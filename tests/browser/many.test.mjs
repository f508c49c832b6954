// A tablet with many reports: of the list only what is near what is in sight is drawn, and all of it is reached.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { COMMUNE, Field, TEMPLATE, WAIT } from "./field.mjs";

const REPORTS = 80;
/** Rows that may be drawn at once: two runs and what is beside them. */
const DRAWN_MAX = 60;
/** Of years to come: those gone by stay at the server until somebody asks for them. */
const FIRST_YEAR = 2100;
let field;

before(async () => {
  field = await Field.start();
  const device = ["--device", join(field.folder, "many")];
  const { code } = field.dongbo("enrolment", "new", "--person", "toan", "--unit", COMMUNE, "--label", "máy nhiều");
  field.program("dongbo", ...device, "enrol", "--server", field.url, "--code", code);
  const cells = field.file("cells.csv", "code,value\nIII.3.1.1,100\n");
  for (let report = 0; report < REPORTS; report += 1) {
    const which = ["--template", TEMPLATE, "--unit", COMMUNE, "--period", String(FIRST_YEAR + report)];
    field.program("dongbo", ...device, "fill", ...which, "--file", cells);
  }
  field.program("dongbo", ...device, "sync");
});

after(() => field?.close());

test("of eighty reports those in sight are drawn; by wheel and by keyboard all are reached", async () => {
  const page = await field.page(await field.browser("hanh"));
  await field.enrolled(page, "hanh");
  const due = REPORTS + 1;
  await page.waitForFunction((count) => document.querySelector("[data-reports]")?.dataset.reports === String(count), WAIT, due);
  const periods = () => page.$$eval("ul.work button.row", (rows) => rows.map((row) => /· năm (\d{4})/.exec(row.innerText)[1]));
  const all = new Set(await periods());
  assert.ok(all.size < DRAWN_MAX, `${all.size} rows drawn at first`);
  // Down by wheel: no row is missing, none but those near are there.
  for (let last = ""; ; ) {
    await page.evaluate(() => scrollBy(0, innerHeight));
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(drawn)))));
    const now = await periods();
    assert.ok(now.length > 0 && now.length <= DRAWN_MAX, `${now.length} rows drawn`);
    for (const period of now) all.add(period);
    const at = await page.evaluate(() => String(scrollY));
    if (at === last) break;
    last = at;
  }
  assert.equal(all.size, due);
  // Up again, then by keyboard: the focus never meets a run that is not there.
  await page.evaluate(() => scrollTo(0, 0));
  await page.waitForFunction((first) => document.querySelector("ul.work button.row")?.innerText.includes(first), WAIT, "2025");
  await page.focus("ul.work button.row");
  const met = new Set();
  for (let pressed = 0; pressed < due; pressed += 1) {
    met.add(await page.evaluate(() => /· năm (\d{4})/.exec(document.activeElement.innerText)?.[1] ?? document.activeElement.innerText));
    await page.keyboard.press("Tab");
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  }
  assert.equal(met.size, due, `${[...met]}`);
  assert.deepEqual(field.complaints(), []);
});
