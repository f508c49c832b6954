// What was typed is taken back by keyboard and by finger, without a network, after the app was closed and after it
// was sent; what a colleague typed over it stays, and the page says so.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join } from "node:path";
import {
  badge, cell, COMMUNE, Field, killedBrowser, openReport, says, shot, signedIn, stands, sync, TEMPLATE, typed, violations, WAIT,
} from "./field.mjs";

let field;

before(async () => {
  field = await Field.start();
});

after(() => field?.close());

const undo = 'button[aria-keyshortcuts="Control+Z"]';
const redo = 'button[aria-keyshortcuts="Control+Y"]';

async function keys(page, key) {
  await page.keyboard.down("Control");
  await page.keyboard.press(key);
  await page.keyboard.up("Control");
}

test("what was typed is taken back, also after the app was killed and after it was sent", async () => {
  const browser = await field.browser("hanh");
  const page = await field.page(browser, field.url);
  await field.enrolled(page, "hanh");
  await openReport(page);
  await page.waitForSelector(`${undo}:disabled`, WAIT);
  await field.killServer();
  await typed(page, "III.1.1", "5");
  await typed(page, "III.1.1", "6");
  await typed(page, "III.1.2", "7");

  // Three keys as fast as they come are three steps.
  await (await cell(page, "III.1.3")).focus();
  for (let time = 0; time < 3; time += 1) await keys(page, "z");
  await stands(page, "III.1.2", "trống");
  await stands(page, "III.1.1", "trống");
  await page.waitForSelector(`${undo}:disabled`, WAIT);
  for (let time = 0; time < 2; time += 1) await keys(page, "y");
  await stands(page, "III.1.1", "6");
  // The keyboard goes where something changed.
  await page.waitForFunction(() => document.activeElement?.dataset.code === "III.1.1", WAIT);
  await page.click(redo);
  await stands(page, "III.1.2", "7");
  assert.deepEqual(await violations(page), []);

  // Inside a field the field takes back what is typed there, and nothing else.
  await (await cell(page, "III.1.2")).focus();
  await page.keyboard.type("12");
  await keys(page, "z");
  await page.keyboard.press("Escape");
  await stands(page, "III.1.2", "7");

  await killedBrowser(browser);
  const again = await field.page(await field.browser("hanh"), field.url);
  await signedIn(again);
  await openReport(again);
  await stands(again, "III.1.2", "7");
  await field.serve();
  await sync(again);
  await badge(again, "Đã đồng bộ");
  await again.click(undo);
  await stands(again, "III.1.2", "trống");
  await again.click(redo);
  await stands(again, "III.1.2", "7");
  await sync(again);

  // A colleague writes over it: that is not taken back.
  const colleague = (...words) => field.program("dongbo", "--device", join(field.folder, "colleague"), ...words);
  const { code } = field.dongbo("enrolment", "new", "--person", "toan", "--unit", COMMUNE, "--label", "máy tệp");
  colleague("enrol", "--server", field.url, "--code", code);
  colleague("sync");
  const cells = field.file("cells.csv", "code,value\nIII.1.2,9\n");
  colleague("fill", "--template", TEMPLATE, "--unit", COMMUNE, "--period", "2025", "--file", cells);
  colleague("sync");
  await sync(again);
  await stands(again, "III.1.2", "9");
  await again.click(undo);
  await says(again, "1 ô giữ nguyên: sau đó đã có người khác ghi");
  await stands(again, "III.1.2", "9");
  assert.deepEqual(await violations(again), []);
  for (const [width, height] of [[1280, 800], [800, 1280], [360, 740]]) {
    await again.setViewport({ width, height });
    await shot(again, `undo-${width}`);
  }
  await again.setViewport({ width: 800, height: 1280 });
  await again.click(undo);
  await stands(again, "III.1.1", "5");
  assert.deepEqual(field.complaints(), []);
});
