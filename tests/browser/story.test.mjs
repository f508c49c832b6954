// Two officers of one commune in real Chromium: offline, reloaded, killed in the middle, back again.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  badge, cell, Field, killedBrowser, openReport, press, says, shot, signedIn, stands, sync, TEMPLATE, typed, WAIT,
} from "./field.mjs";

let field;

before(async () => {
  field = await Field.start();
});

after(() => field?.close());

test("two officers, offline and back: nothing is lost, and the cells they disagree on are settled", async () => {
  let hanhs = await field.browser("hanh");
  let hanh = await field.page(hanhs);
  await shot(hanh, "sign-in");
  await field.enrolled(hanh, "hanh");
  await badge(hanh, "Đã đồng bộ");
  await shot(hanh, "my-work");
  const toan = await field.page(await field.browser("toan"));
  await field.enrolled(toan, "toan");
  await hanh.waitForFunction(() => navigator.serviceWorker.controller !== null || navigator.serviceWorker.ready.then(() => true), WAIT);

  // The server is killed: the page opens again, and work goes on.
  await field.killServer();
  await hanh.reload();
  await signedIn(hanh);
  await openReport(hanh);
  await typed(hanh, "III.3.1.1", "7.412");
  await typed(hanh, "III.3.1.2", "7.376");
  const ratio = await hanh.$eval('button.cell[data-code="III.3.1"]', (element) => element.innerText.trim());
  assert.match(ratio, /^99,51\s%$/, "the ratio is proposed at once");
  await badge(hanh, "Ngoại tuyến – \\d+ thay đổi");
  await shot(hanh, "entry-offline");

  // An ambiguous number is asked about, nothing is guessed.
  await (await cell(hanh, "III.3.2.1")).focus();
  await hanh.keyboard.type("99.68");
  await hanh.keyboard.press("Enter");
  await hanh.waitForSelector("tr.why.error [role=alert]", WAIT);
  await hanh.keyboard.press("Escape");

  // The browser is killed in the middle of it.
  await killedBrowser(hanhs);
  hanhs = await field.browser("hanh");
  hanh = await field.page(hanhs);
  await signedIn(hanh);
  await openReport(hanh);
  await stands(hanh, "III.3.1.1", "7.412");
  await stands(hanh, "III.3.1.2", "7.376");

  // A colleague, offline too: another cell, and other values for the same two.
  await openReport(toan);
  await typed(toan, "III.3.1.1", "7.421");
  await typed(toan, "III.3.1.2", "7.380");
  await typed(toan, "III.1.2", "12");

  // Both come back.
  await field.serve();
  await sync(hanh);
  await badge(hanh, "Đã đồng bộ");
  await sync(toan);
  await badge(toan, "Đã đồng bộ");
  await sync(hanh);
  await stands(hanh, "III.1.2", "12");
  await stands(hanh, "III.3.1.1", "Hạnh 7.412 Toàn 7.421");
  await stands(toan, "III.3.1.1", "Hạnh 7.412 Toàn 7.421");
  await (await cell(hanh, "III.3.1.1")).focus();
  await hanh.waitForSelector(".side .rival", WAIT);
  await shot(hanh, "conflict");
  await press(hanh, "Chọn 7.421");
  await (await hanh.waitForSelector(".conflict-sheet textarea", WAIT)).type("Đối chiếu sổ một cửa");
  await hanh.click(".conflict-sheet footer .main");
  await stands(hanh, "III.3.1.1", "7.421");

  // The other one by a third value, typed on the sheet.
  await stands(hanh, "III.3.1.2", "Hạnh 7.376 Toàn 7.380");
  await stands(toan, "III.3.1.2", "Hạnh 7.376 Toàn 7.380");
  await (await cell(hanh, "III.3.1.2")).focus();
  await hanh.keyboard.down("Alt");
  await hanh.keyboard.press("ArrowDown");
  await hanh.keyboard.up("Alt");
  await hanh.waitForSelector(".conflict-sheet .choice", WAIT);
  await hanh.keyboard.type("7.378");
  await says(hanh, "Đọc là 7.378");
  await (await hanh.waitForSelector(".conflict-sheet textarea", WAIT)).type("Đếm lại hồ sơ giấy");
  await shot(hanh, "third-value");
  await hanh.keyboard.down("Control");
  await hanh.keyboard.press("Enter");
  await hanh.keyboard.up("Control");
  await stands(hanh, "III.3.1.2", "7.378");
  await stands(hanh, "III.3.1", "99,42 %");
  await sync(hanh);
  await badge(hanh, "Đã đồng bộ");
  await sync(toan);
  await stands(toan, "III.3.1.1", "7.421");
  await stands(toan, "III.3.1.2", "7.378");
  await stands(toan, "III.3.1", "99,42 %");
  await shot(toan, "settled");

  // What stands at the province is what the officers see.
  const answer = await fetch(`${field.url}/v1/roll-ups?template=${TEMPLATE}&period=2025`);
  const rows = JSON.stringify(await answer.json());
  assert.match(rows, /7421/);
  assert.match(rows, /7378/);
  assert.deepEqual(field.complaints(), []);
});

test("the app is this server's alone, under a strict policy, small on the wire", async () => {
  const index = await fetch(field.url);
  const policy = index.headers.get("content-security-policy");
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval(?!')| \*|https?:/);
  const html = await index.text();
  const names = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((found) => found[1]);
  let bytes = html.length;
  for (const name of names) {
    const file = await fetch(field.url + name, { headers: { "accept-encoding": "br" } });
    assert.equal(file.status, 200, name);
    bytes += Number(file.headers.get("content-length"));
  }
  assert.ok(bytes <= 60 * 1024, `the sign-in page is ${bytes} bytes`);
});
