// A browser profile is copied back from a backup: it notices, goes on as a new installation, and nothing that
// was typed on either copy is lost.

import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { after, before, test } from "node:test";
import { badge, cell, Field, openReport, says, shot, signedIn, stands, sync, typed } from "./field.mjs";

let field;

before(async () => {
  field = await Field.start();
});

after(() => field?.close());

test("an old copy of a profile goes on as a new installation", async () => {
  let chromium = await field.browser("tablet");
  let hanh = await field.page(chromium);
  await field.enrolled(hanh, "hanh");
  await openReport(hanh);
  await typed(hanh, "III.1.2", "1");
  await sync(hanh);
  await badge(hanh, "Đã đồng bộ");
  await chromium.close();
  cpSync(field.profile("tablet"), field.profile("backup"), { recursive: true });

  // The tablet goes on: two batches that the backup knows nothing of.
  chromium = await field.browser("tablet");
  hanh = await field.page(chromium);
  await signedIn(hanh);
  await openReport(hanh);
  for (const [code, value] of [["III.3.1.1", "11"], ["III.3.1.2", "12"]]) {
    await typed(hanh, code, value);
    await sync(hanh);
    await badge(hanh, "Đã đồng bộ");
  }
  await chromium.close();
  const before = field.dongbo("fingerprints", "--journal", field.province);

  // The backup takes its place, without a network at first.
  await field.killServer();
  hanh = await field.page(await field.browser("backup"), `${field.url}/`);
  await signedIn(hanh);
  await openReport(hanh);
  await typed(hanh, "III.3.2.1", "21");
  await typed(hanh, "III.3.1.1", "99");
  await badge(hanh, "Ngoại tuyến");
  await field.serve();
  await sync(hanh);
  await hanh.click("button.badge");
  await says(hanh, "Một máy vừa được phục hồi từ bản cũ");
  await shot(hanh, "new-installation");
  await hanh.click("dialog .head button");
  await badge(hanh, "Đã đồng bộ");
  await stands(hanh, "III.1.2", "1");
  await stands(hanh, "III.3.1.2", "12");
  await stands(hanh, "III.3.2.1", "21");
  const both = await (await cell(hanh, "III.3.1.1")).evaluate((element) => element.innerText);
  assert.deepEqual(both.match(/\d+/g).sort(), ["11", "99"], "both values of the cell that both copies filled");

  // Nothing that the node had is gone, and the second batch of one number is kept as evidence.
  const now = field.dongbo("fingerprints", "--journal", field.province);
  assert.deepEqual([before.parts, before.held], [3, 0]);
  // What was typed without a network is one batch or two, by when the tablet tried to reach the server between them.
  assert.equal(now.parts, 4);
  assert.ok(now.held === 1 || now.held === 2, `${now.held} held`);
  assert.deepEqual(field.dongbo("verify", "--journal", field.province).wrong, []);
  assert.deepEqual(field.complaints(), []);
});
