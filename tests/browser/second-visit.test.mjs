// A whole visit without a server: a tablet that was enrolled once starts, works, is killed, works on, and is
// heard of only when the server is back.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  badge, cell, crashed, Field, handedOver, openReport, press, says, shot, signedIn, stands, sync, typed, WAIT,
} from "./field.mjs";

let field;

before(async () => {
  field = await Field.start();
});

after(() => field?.close());

test("a second visit, offline from first to last: nothing is lost, and all of it arrives in the end", async () => {
  await firstVisit();
  await field.killServer();
  const browser = await field.browser("hanh");
  let tablet = await visit(browser);
  await says(tablet, "Không có mạng: vẫn đăng nhập và làm việc được.");
  await signedIn(tablet);
  await badge(tablet, "Ngoại tuyến – không có gì chờ gửi");
  await openReport(tablet);
  await stands(tablet, "III.1.2", "12");

  // By keyboard: typed, corrected, and what follows from it follows at once.
  await typed(tablet, "III.3.1.1", "1.893");
  await typed(tablet, "III.3.1.2", "1.800");
  await stands(tablet, "III.3.1", "95,09 %");
  await typed(tablet, "III.3.1.2", "1.886");
  await stands(tablet, "III.3.1", "99,63 %");

  // By finger: a figure of two decimals, one that the formula contradicts, and its correction.
  await tapped(tablet, "III.3.2", "99,65", "99,65 %");
  await tapped(tablet, "III.3.1", "99,9", "99,9 %");
  await tablet.waitForSelector("::-p-xpath(//tr[contains(@class, 'why')][contains(., '99,63')])", WAIT);
  await tapped(tablet, "III.3.1", "99,63", "99,63 %");
  await tablet.waitForSelector("::-p-xpath(//tr[contains(@class, 'why')][contains(., '99,63')])", { ...WAIT, hidden: true });
  await shot(tablet, "second-visit");
  await tapped(tablet, "III.3.3.1", "7", "7");

  // The tab is killed: what stood there stands there again, and the badge says what waits.
  const typedHere = { "III.3.1.1": "1.893", "III.3.1.2": "1.886", "III.3.2": "99,65 %", "III.3.3.1": "7" };
  await crashed(tablet);
  tablet = await visit(browser);
  await says(tablet, "thay đổi chờ gửi");
  await signedIn(tablet);
  await openReport(tablet);
  for (const [code, value] of Object.entries(typedHere)) await stands(tablet, code, value);
  await badge(tablet, "^Ngoại tuyến – [1-9]\\d* thay đổi chờ gửi \\((< )?[1-9]\\d* KB\\)$");
  await tapped(tablet, "III.1.2", "13", "13");

  // Locked, and opened again in the other language.
  await tablet.click("header button.icon");
  await press(tablet, "Đổi người");
  await press(tablet, "English");
  await says(tablet, "No network");
  await signedIn(tablet);
  await badge(tablet, "^Offline – [1-9]\\d* changes to send \\((< )?[1-9]\\d* KB\\)$");

  // The recovery file holds all of it.
  await tablet.click("button.badge");
  const text = await handedOver(tablet, () => press(tablet, "Save the recovery file"));
  const file = join(field.folder, "recovery.json");
  writeFileSync(file, text);
  assert.deepEqual(field.dongbo("verify", "--export", file).wrong, []);
  await tablet.click("dialog .head button");

  // The server is back: everything is there, and only now it says so.
  await field.serve();
  await sync(tablet);
  await badge(tablet, "^Synchronised");
  assert.deepEqual(field.seenBy("toan"), {
    "III.1.2": "13", "III.3.1": "99.63", "III.3.1.1": "1893", "III.3.1.2": "1886", "III.3.2": "99.65", "III.3.3.1": "7",
  });
  // The file says nothing that did not arrive.
  assert.deepEqual(field.dongbo("replay", "--export", file).refused, []);
  assert.deepEqual(field.complaints(), []);
});

/** Enrolled, one figure typed and sent, and closed in peace. */
async function firstVisit() {
  const browser = await field.browser("hanh");
  const tablet = await field.page(browser);
  await field.enrolled(tablet, "hanh");
  await badge(tablet, "Đã đồng bộ");
  await openReport(tablet);
  await typed(tablet, "III.1.2", "12");
  await sync(tablet);
  await badge(tablet, "Đã đồng bộ");
  await tablet.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  await browser.close();
}

/** A tab on a screen that is touched. */
const visit = (browser) =>
  field.page(browser, field.url, (fresh) => fresh.setViewport({ width: 800, height: 1280, hasTouch: true }));

/** Types into a cell that a finger opened. */
async function tapped(of, code, keys, expected) {
  await (await cell(of, code)).tap();
  const input = await of.waitForSelector("input.cell", WAIT);
  await input.evaluate((element) => element.select());
  await of.keyboard.type(keys);
  await of.keyboard.press("Enter");
  await stands(of, code, expected);
}
