// The core panics at a figure of a colleague: the worker comes back without it, says so, and goes on; the
// next version of the app reads it. The core with the planted panic is built by `cargo xtask test` alone.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  badge, COMMUNE, Field, OFFICERS, openReport, press, says, shot, signedIn, stands, sync, TEMPLATE, typed,
} from "./field.mjs";

const planted = join(import.meta.dirname, "../../target/planted/tablet_bg.wasm");
let field;

before(async () => {
  field = await Field.start([...OFFICERS, { ...OFFICERS[0], name: "binh", display: "Lý Văn Bình" }]);
});

after(() => field?.close());

/** A colleague with the command line, who fills cells and sends them. */
function colleague(name) {
  const device = join(field.folder, name);
  const dongbo = (...words) => field.program("dongbo", "--device", device, ...words);
  const { code } = field.dongbo("enrolment", "new", "--person", name, "--unit", COMMUNE, "--label", `máy ${name}`);
  dongbo("enrol", "--server", field.url, "--code", code);
  dongbo("sync");
  return (cells) => {
    field.program("dongbo", "--device", device, "fill", "--template", TEMPLATE, "--unit", COMMUNE, "--period", "2025",
      "--file", field.file(`${name}.json`, JSON.stringify(cells)));
    dongbo("sync");
  };
}

test("a panic while an answer is taken: one batch is left out, nothing else is lost", async () => {
  assert.ok(existsSync(planted), "target/planted: `cargo xtask test` builds it");
  let poisoned = true;
  const front = await field.front((path, body) => {
    if (poisoned && /tablet_bg.*\.wasm$/.test(path)) return readFileSync(planted);
    if (path === "/service-worker.js" && !poisoned) return Buffer.from(body.toString().replace(/app-[0-9a-f]{16}/, "app-healed"));
    return undefined;
  });
  const toan = colleague("toan");
  const binh = colleague("binh");
  const tablet = await field.page(await field.browser("hanh"), front);
  await field.enrolled(tablet, "hanh");
  await badge(tablet, "Đã đồng bộ");
  await openReport(tablet);
  toan({ "III.1.2": "5" });
  await sync(tablet);
  await stands(tablet, "III.1.2", "5");

  toan({ "III.1.3": "404.404.404" });
  toan({ "III.1.1": "7" });
  binh({ "III.3.2.1": "33" });
  await typed(tablet, "III.3.1.1", "9");
  await tablet.click("button.badge");
  await press(tablet, "Đồng bộ ngay");
  await says(tablet, "để nó ra ngoài");
  await shot(tablet, "left-out");
  await tablet.click("dialog .head button");
  await badge(tablet, "1 lượt gửi chưa đọc được");
  await stands(tablet, "III.3.2.1", "33");
  await stands(tablet, "III.3.1.1", "9");
  // Work goes on: typed, sent, received.
  await typed(tablet, "III.3.1.2", "8");
  await sync(tablet);
  // A colleague who has it builds on it: that waits with it.
  binh({ "III.3.2.2": "34" });
  await sync(tablet);
  const figures = async () => JSON.stringify((await (await fetch(`${field.url}/v1/roll-ups?template=${TEMPLATE}&period=2025`)).json()).figures);
  assert.match(await figures(), /"8"/);

  // The mark outlives the browser's tab.
  await tablet.reload();
  await signedIn(tablet);
  await badge(tablet, "1 lượt gửi chưa đọc được");

  // A version that can take it: everything is read again, nothing is missing.
  poisoned = false;
  await tablet.evaluate(() => navigator.serviceWorker.getRegistration().then((found) => found.update()).then(() => true));
  await says(tablet, "Có bản mới: dùng ngay");
  await otherVersion(tablet);
  await press(tablet, "Có bản mới: dùng ngay");
  await signedIn(tablet);
  await badge(tablet, "Đã đồng bộ");
  await openReport(tablet);
  await stands(tablet, "III.1.3", "404.404.404");
  for (const [code, expected] of [["III.1.1", "7"], ["III.3.1.2", "8"], ["III.3.2.1", "33"], ["III.3.2.2", "34"]]) {
    await stands(tablet, code, expected);
  }
  assert.deepEqual(field.complaints(), []);
});

/** The pages are the same in both builds: the mark is made to be of a version before. */
const otherVersion = (of) =>
  of.evaluate(async () => {
    const done = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
    const database = await done(indexedDB.open("dongbo"));
    const store = database.transaction("marks", "readwrite").objectStore("marks");
    const [key] = await done(store.getAllKeys());
    await done(store.put({ ...(await done(store.get(key))), version: "before" }, key));
    database.close();
  });
