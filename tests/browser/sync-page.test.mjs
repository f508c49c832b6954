// The page behind the badge: what waits, the recovery file, and a new version that is offered.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  badge, cell, Field, handedOver, openReport, press, says, shot, signedIn, stands, sync, typed, WAIT,
} from "./field.mjs";

let field;

before(async () => {
  field = await Field.start();
});

after(() => field?.close());

const open = async (of) => {
  await of.click("button.badge");
  await of.waitForSelector("dialog .btn.main", WAIT);
};

test("what waits is told by report with its cost; the file of it makes the same province again", async () => {
  const tablet = await field.page(await field.browser("hanh"));
  await field.enrolled(tablet, "hanh");
  await badge(tablet, "Đã đồng bộ");
  await open(tablet);
  await says(tablet, "Không có gì chờ gửi.");
  await tablet.click("dialog .head button");
  await openReport(tablet);
  await typed(tablet, "III.1.2", "12");
  await sync(tablet);
  await badge(tablet, "Đã đồng bộ");
  await field.killServer();
  await typed(tablet, "III.3.1.1", "7.412");
  await typed(tablet, "III.3.1.2", "7.376");
  await badge(tablet, "Ngoại tuyến");
  await open(tablet);
  await says(tablet, "2 thay đổi chờ gửi");
  await says(tablet, "Xã Định Hoá · năm 2025");
  await says(tablet, "Gửi hết tốn khoảng");
  await says(tablet, "Không tới được máy chủ. Mọi thứ đã nhập vẫn an toàn trên máy.");
  for (const [width, height] of [[800, 1280], [1280, 800]]) {
    await tablet.setViewport({ width, height });
    await shot(tablet, `sync-page-vi-${width}`);
  }
  await tablet.setViewport({ width: 800, height: 1280 });

  // A draft goes into the file too.
  await tablet.click("dialog .head button");
  await typed(tablet, "III.3.2.1", "88");
  await open(tablet);
  const text = await handedOver(tablet, () => press(tablet, "Lưu tệp phục hồi"));
  const file = join(field.folder, "recovery.json");
  writeFileSync(file, text);
  const verified = field.dongbo("verify", "--export", file);
  assert.deepEqual([verified.wrong, verified.parts], [[], 3]);

  // An empty server with the same catalogue, given the file alone.
  const other = join(field.folder, "other");
  field.program("dongbo-server", "init", "--folder", other, "--catalogue-of", field.province);
  await field.serve("127.0.0.1:0", other);
  const replayed = field.dongbo("replay", "--export", file, "--server", field.url);
  assert.deepEqual([replayed.accepted, replayed.refused, replayed.held], [3, [], {}]);
  await field.killServer();

  // The province gets the same by the ordinary road; nothing is told apart.
  await field.serve(new URL(tablet.url()).host);
  await tablet.click("dialog .btn.main");
  await badge(tablet, "Đã đồng bộ");
  const ours = field.dongbo("fingerprints", "--journal", field.province);
  const theirs = field.dongbo("fingerprints", "--journal", other);
  assert.equal(ours.fingerprint, theirs.fingerprint);
  assert.equal(ours.fingerprint, verified.fingerprint);
  assert.deepEqual(ours.partitions, theirs.partitions);
  assert.equal(ours.parts, 3);
  await says(tablet, "Không có gì chờ gửi.");
  await shot(tablet, "sync-page-done");
  assert.deepEqual(field.complaints(), []);
});

test("a new version is offered, never forced, and nothing typed is lost on the way", async () => {
  let version = 1;
  const front = await field.front((path, body) =>
    path === "/service-worker.js" ? Buffer.from(body.toString().replace(/app-[0-9a-f]{16}/, `app-version-${version}`)) : undefined);
  const chromium = await field.browser("toan");
  const tablet = await field.page(chromium, front);
  await field.enrolled(tablet, "toan");
  await tablet.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  await tablet.waitForFunction(() => navigator.serviceWorker.controller !== null, { ...WAIT, polling: 100 });
  const other = await field.page(chromium, front);
  await signedIn(other);
  await openReport(other);
  await tablet.bringToFront();
  await openReport(tablet);
  await (await cell(tablet, "III.3.1.2")).focus();
  await tablet.keyboard.type("77");
  version = 2;
  await tablet.evaluate(() => navigator.serviceWorker.getRegistration().then((found) => found.update()).then(() => true));
  await says(tablet, "Có bản mới: dùng ngay");
  await shot(tablet, "update-offered");
  assert.equal(await tablet.$eval("input.cell", (input) => input.value), "77", "the edit goes on");
  await tablet.evaluate(() => (window.sameDocument = true));
  await other.evaluate(() => (window.sameDocument = true));
  await press(tablet, "Có bản mới: dùng ngay");
  await tablet.waitForFunction(() => window.sameDocument === undefined && document.querySelector(".pin input"), { ...WAIT, polling: 100 });
  await signedIn(tablet);
  await openReport(tablet);
  await stands(tablet, "III.3.1.2", "77");
  // The other tab was asked nothing and goes on.
  assert.equal(await other.evaluate(() => window.sameDocument), true);
  await other.bringToFront();
  await typed(other, "III.3.2.1", "78");
  assert.deepEqual(field.complaints(), []);
});
