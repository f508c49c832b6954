// A limit of what may travel in a day: set on the page behind the badge, kept, counted, and told in words; numbers go
// first, what is over waits and is sent anyway when somebody says so.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { badge, Field, openReport, press, says, shot, signedIn, sync, typed, violations, WAIT } from "./field.mjs";

/** The smallest limit there is, KB. */
const LEAST_KB = 20;
let field;
let page;

before(async () => {
  field = await Field.start();
  page = await field.page(await field.browser("hanh"));
  await field.enrolled(page, "hanh");
  await badge(page, "Đã đồng bộ");
});

after(() => field?.close());

async function open() {
  await page.bringToFront();
  await page.click("button.badge");
  await page.waitForSelector("dialog .btn.main:enabled", WAIT);
}

async function close() {
  await page.click("dialog .head button");
  await page.waitForSelector("dialog", { ...WAIT, hidden: true, polling: 100 });
}

/** What the page says was used today, KB. */
const used = () => page.evaluate(() => {
  const [, said] = /Hôm nay đã dùng ([\d.,]+|< 1) KB/.exec(document.body.innerText) ?? [];
  return said === undefined ? null : said === "< 1" ? 0 : Number(said.replaceAll(".", "").replace(",", "."));
});

async function limit(kilobytes) {
  await page.click("#day-limit", { count: 3 });
  await page.keyboard.type(String(kilobytes));
  await press(page, "Đặt hạn mức");
}

test("a limit is set, kept, and what travels is counted, before and after a start", async () => {
  await open();
  await says(page, "Không có hạn mức: gửi và nhận hết những gì có.");
  await limit(1);
  await page.waitForFunction(() => document.querySelector("#day-limit:invalid") !== null, WAIT);
  await limit(LEAST_KB);
  await says(page, "Hôm nay đã dùng");
  await close();
  await openReport(page);
  await typed(page, "III.1.1", "11");
  await sync(page);
  await badge(page, "Đã đồng bộ");
  await open();
  const first = await used();
  assert.ok(first > 1 && first < 8, `${first} KB for one figure`);
  await close();
  // Loaded again the count goes on.
  await page.reload();
  await signedIn(page);
  await badge(page, "Đã đồng bộ");
  await open();
  assert.ok((await used()) >= first, `${await used()} KB after ${first} KB`);
  await close();
});

test("what is over waits and says so, and goes when somebody says so", async () => {
  await openReport(page);
  for (let at = 0; at < 25; at += 1) {
    await typed(page, "III.1.2", String(100 + at));
    await sync(page);
    await open();
    // The limit may be met to the byte, with nothing left to wait: then the next one does.
    const waits = await page.evaluate(() => document.body.innerText.includes("Còn 1 thay đổi chờ"));
    await close();
    if (waits) break;
  }
  await badge(page, "Hết hạn mức hôm nay – 1 thay đổi chờ gửi");
  await open();
  await says(page, "Còn 1 thay đổi chờ: hạn mức hôm nay không đủ.");
  assert.ok((await used()) <= LEAST_KB + 1, `${await used()} KB of ${LEAST_KB}`);
  assert.deepEqual(await violations(page), []);
  for (const [width, height] of [[360, 740], [800, 1280], [1280, 800]]) {
    await page.setViewport({ width, height });
    await page.evaluate(() => document.querySelector("#day-limit").scrollIntoView({ block: "center" }));
    await shot(page, `budget-${width}`);
  }
  await page.setViewport({ width: 800, height: 1280 });
  await press(page, "Vẫn gửi hết lần này");
  await badge(page, "Đã đồng bộ");
  assert.ok((await used()) > LEAST_KB - 3, "sent anyway is counted all the same");
  // Once: what is typed after it waits again.
  await close();
  await typed(page, "III.1.3", "7");
  await sync(page);
  await badge(page, "Hết hạn mức hôm nay – 1 thay đổi chờ gửi");
  await open();
  await press(page, "Bỏ hạn mức");
  await badge(page, "Đã đồng bộ");
  await says(page, "Không có hạn mức: gửi và nhận hết những gì có.");
  await close();
});
