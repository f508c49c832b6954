// An officer's day in Firefox: enrolled, offline, reloaded, killed, opened again, back.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  badge, Field, FIREFOX, killedBrowser, openReport, shot, signedIn, stands, sync, typed,
} from "./field.mjs";

let field;

after(() => field?.close());

const skip = FIREFOX ? false : "Firefox is not installed: apt-get install firefox-esr, or name one in FIREFOX";

test("Firefox: what was typed offline outlives a kill and reaches the province", { skip }, async () => {
  field = await Field.start();
  let firefox = await field.firefox("firefox");
  let tablet = await field.page(firefox);
  // The browser asks whether it may keep the data; nobody answers, and nothing waits for that.
  await field.enrolled(tablet, "hanh");
  await badge(tablet, "Đã đồng bộ");
  await openReport(tablet);
  await typed(tablet, "III.1.2", "12");
  await sync(tablet);
  await badge(tablet, "Đã đồng bộ");
  await tablet.evaluate(() => navigator.serviceWorker.ready.then(() => true));

  await field.killServer();
  await tablet.reload();
  await signedIn(tablet);
  await openReport(tablet);
  await stands(tablet, "III.1.2", "12");
  await typed(tablet, "III.3.1.1", "1.893");
  await typed(tablet, "III.3.1.2", "1.886");
  await stands(tablet, "III.3.1", "99,63 %");
  await typed(tablet, "III.3.2", "99,65", "99,65 %");
  await badge(tablet, "Ngoại tuyến – \\d+ thay đổi");
  await shot(tablet, "firefox-offline");

  await killedBrowser(firefox);
  firefox = await field.firefox("firefox");
  tablet = await field.page(firefox);
  await signedIn(tablet);
  await openReport(tablet);
  const kept = { "III.1.2": "12", "III.3.1.1": "1.893", "III.3.1.2": "1.886", "III.3.2": "99,65 %" };
  for (const [code, value] of Object.entries(kept)) await stands(tablet, code, value);

  await field.serve();
  await sync(tablet);
  await badge(tablet, "Đã đồng bộ");
  assert.deepEqual(field.seenBy("toan"), { "III.1.2": "12", "III.3.1.1": "1893", "III.3.1.2": "1886", "III.3.2": "99.65" });
  assert.deepEqual(field.complaints(), []);
});
