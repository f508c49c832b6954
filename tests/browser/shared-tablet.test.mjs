// One tablet, several people: each behind their own PIN, nothing of anybody readable without it.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  badge, cell, COMMUNE, dump, Field, handedOver, openReport, press, says, shot, signedIn, stands, sync, TEMPLATE, typed, typedPin, WAIT,
} from "./field.mjs";

let field;
/** The browser of the shared tablet, through two tests. */
let shared;

before(async () => {
  field = await Field.start();
});

after(() => field?.close());

const leave = (of) => press(of, "Đổi người");

/** A UTF-8 text as the dump shows it. */
const bytes = (text) => Buffer.from(text).toString("latin1");

/** From the next load on what the page asks of its worker is held back until it lets go. */
async function heldWorker(of) {
  await of.evaluateOnNewDocument(() => {
    const post = Worker.prototype.postMessage;
    const held = [];
    Worker.prototype.postMessage = function (...message) {
      held.push(() => post.apply(this, message));
    };
    globalThis.letWorkerGo = () => {
      Worker.prototype.postMessage = post;
      for (const send of held) send();
    };
  });
}

async function everyShape(of, name) {
  for (const [width, height] of [[800, 1280], [1280, 800]]) {
    await of.setViewport({ width, height });
    for (const [language, words] of [["en", "English"], ["vi", "Tiếng Việt"]]) {
      await press(of, words);
      await shot(of, `${name}-${language}-${width}`);
    }
  }
  await of.setViewport({ width: 800, height: 1280 });
}

test("two people on one tablet: drafts apart, counts alone before sign-in, nothing readable at rest", async () => {
  shared = await field.browser("shared");
  const tablet = await field.page(shared);
  await field.enrolled(tablet, "hanh");
  await badge(tablet, "Đã đồng bộ");
  await openReport(tablet);
  await field.killServer();
  await typed(tablet, "III.3.1.1", "7.412");
  // A draft, not sealed yet, shows nowhere in the database.
  const drafted = await dump(tablet);
  assert.ok(!JSON.stringify(drafted).includes(TEMPLATE), "not which report");
  assert.ok(!JSON.stringify(drafted.truth).includes(bytes("Hạnh")), "no catalogue");
  await tablet.click('header button.icon');
  await leave(tablet);

  // Left: it is sealed, the count is told, and only what is to leave can be read.
  await says(tablet, "thay đổi chờ gửi");
  await says(tablet, "Không có mạng");
  await everyShape(tablet, "sign-in-one");
  const kept = await dump(tablet);
  assert.ok(!JSON.stringify(kept.truth).includes(TEMPLATE), "what is kept is sealed");
  assert.ok(JSON.stringify(kept.outgoing).includes(TEMPLATE), "what waits was signed to leave; the search finds it");
  assert.equal(kept.outgoing.length, 1);
  for (const [, person] of kept.people) assert.deepEqual([person.seed, typeof person.lock], [undefined, "string"]);

  // A colleague enrols on the same tablet and sees neither draft nor figure.
  await field.serve();
  await press(tablet, "Ghi danh máy này");
  await shot(tablet, "enrol");
  await field.enrolled(tablet, "toan");
  await badge(tablet, "Đã đồng bộ");
  await openReport(tablet);
  const empty = await cell(tablet, "III.3.1.1");
  assert.notEqual((await empty.evaluate((element) => element.innerText)).trim(), "7.412");
  await typed(tablet, "III.1.2", "12");
  await tablet.click('header button.icon');
  await leave(tablet);
  await everyShape(tablet, "sign-in-two");

  // The first comes back, finds their work, sends it.
  await signedIn(tablet, "Ma Thị Hạnh");
  await openReport(tablet);
  await stands(tablet, "III.3.1.1", "7.412");
  await sync(tablet);
  await badge(tablet, "Đã đồng bộ");
  assert.deepEqual((await dump(tablet)).outgoing.filter(([key]) => key[0] === kept.outgoing[0][0][0]), []);
  await tablet.click('header button.icon');

  // Nobody touches it: it shuts by itself.
  await tablet.evaluate(() => {
    const real = Date.now;
    Date.now = () => real() + 5 * 60_000;
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await tablet.waitForSelector(".pin input", WAIT);
  assert.deepEqual(field.complaints(), []);
});

test("a wrong PIN is said, and the wait after three stays through a reload", async () => {
  const tablet = await field.page(shared);
  for (let wrong = 0; wrong < 3; wrong += 1) {
    await typedPin(tablet, "111222");
    await says(tablet, "Mã PIN không đúng.");
    if (wrong < 2) await tablet.reload();
  }
  await says(tablet, "còn phải đợi");
  await everyShape(tablet, "pin-wait");
  await tablet.reload();
  await says(tablet, "còn phải đợi");
  assert.equal(await tablet.$(".pin input:enabled"), null, "no try is taken");
  await typedPin(tablet);
  await tablet.waitForSelector("ul.work button.row", WAIT);
  await leave(tablet);
  await typedPin(tablet, "111222");
  await says(tablet, "Mã PIN không đúng.");
  assert.ok(!(await tablet.evaluate(() => document.body.innerText)).includes("còn phải đợi"), "a right PIN ends the count");
});

test("who forgets the PIN loses nothing that was sealed", async () => {
  const tablet = await field.page(await field.browser("forgetful"));
  await field.enrolled(tablet, "hanh");
  await badge(tablet, "Đã đồng bộ");
  await openReport(tablet);
  await field.killServer();
  await typed(tablet, "III.3.2.1", "1.234");
  await tablet.click('header button.icon');
  await leave(tablet);
  await press(tablet, "Quên mã PIN");
  await says(tablet, "thay đổi chưa gửi đã được ký");
  await everyShape(tablet, "pin-forgotten");
  const text = await handedOver(tablet, () => press(tablet, "Lưu tệp phục hồi"));
  const file = join(field.folder, "recovery.json");
  writeFileSync(file, text);
  await field.serve();
  const replayed = field.dongbo("replay", "--export", file);
  assert.deepEqual([replayed.accepted, replayed.refused], [1, []]);
  const answer = await fetch(`${field.url}/v1/roll-ups?template=${TEMPLATE}&period=2025`);
  assert.match(JSON.stringify(await answer.json()), /1234/);
});

test("a device of before there were PINs asks for one and seals what it keeps", async () => {
  const { code } = field.dongbo("enrolment", "new", "--person", "toan", "--unit", COMMUNE, "--label", "máy cũ");
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const seed = privateKey.export({ type: "pkcs8", format: "der" }).subarray(-32);
  const public_key = publicKey.export({ type: "spki", format: "der" }).subarray(-32).toString("hex");
  const redeemed = await fetch(`${field.url}/v1/enrolments/redeem`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ code, public_key, label: "máy cũ" }),
  });
  const { key_id, name, display, province, province_name } = await redeemed.json();
  const tablet = await (await field.browser("old")).newPage();
  await tablet.goto(`${field.url}/health`);
  const installation = [1, 2, 3, 4, 5, 6, 7, 8];
  await tablet.evaluate(async (person, seed, installation) => {
    const opening = indexedDB.open("dongbo", 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore("people", { keyPath: "keyId" });
      opening.result.createObjectStore("truth");
    };
    await new Promise((resolve) => (opening.onsuccess = resolve));
    const writing = opening.result.transaction(["people", "truth"], "readwrite");
    const own = new Uint8Array(installation);
    writing.objectStore("people").put({ ...person, seed: new Uint8Array(seed), installation: own });
    writing.objectStore("truth").put(own, [person.keyId, new Uint8Array([0x20])]);
    await new Promise((resolve) => (writing.oncomplete = resolve));
    opening.result.close();
  }, { keyId: key_id, name, display, province, provinceName: province_name }, [...seed], installation);
  await tablet.goto(field.url);
  await says(tablet, "Chọn mã PIN");
  await everyShape(tablet, "pin-choose");
  await typedPin(tablet, "123456");
  await says(tablet, "quá dễ đoán");
  await typedPin(tablet);
  await says(tablet, "Nhập lại mã PIN");
  await typedPin(tablet);
  await tablet.waitForSelector("ul.work button.row", WAIT);
  await badge(tablet, "Đã đồng bộ");
  const kept = await dump(tablet);
  const [[, person]] = kept.people;
  assert.deepEqual([person.seed, typeof person.lock], [undefined, "string"]);
  const all = JSON.stringify(kept);
  assert.ok(!all.includes(JSON.stringify(seed.toString("latin1")).slice(1, -1)), "the key is nowhere in clear");
  assert.ok(kept.truth.length > 50 && kept.truth.every(([key]) => key[1].length === 16), "every row is sealed");
  await openReport(tablet);
  await typed(tablet, "III.3.1.2", "9");
  // From now on the PIN is asked for, not a new one, also before the worker can say so.
  await heldWorker(tablet);
  await tablet.reload();
  await typedPin(tablet);
  assert.ok(!(await tablet.evaluate(() => document.body.innerText)).includes("Chọn mã PIN"), "the PIN is not chosen again");
  await tablet.evaluate(() => globalThis.letWorkerGo());
  await tablet.waitForSelector("ul.work button.row", WAIT);
  await openReport(tablet);
  await stands(tablet, "III.3.1.2", "9");
});

test("what is pressed before the worker has spoken stays when it speaks", async () => {
  const tablet = await field.page(await field.browser("early"));
  await field.enrolled(tablet, "hanh");
  await heldWorker(tablet);
  await tablet.reload();
  await press(tablet, "Ghi danh máy này");
  await tablet.evaluate(() => globalThis.letWorkerGo());
  await says(tablet, "Đã gửi hết");
  await says(tablet, "Mã ghi danh");
});

test("the worker that turns a PIN into a key is gone with its twenty megabytes once the lock is open", async () => {
  const browser = await field.browser("pin-worker");
  const tablet = await field.page(browser);
  const session = await browser.target().createCDPSession();
  /** Workers of locks that are alive. */
  const alive = async () => {
    const { targetInfos } = await session.send("Target.getTargets", { filter: [{}] });
    return targetInfos.filter(({ url }) => url.includes("pin.worker")).length;
  };
  await field.enrolled(tablet, "toan");
  await leave(tablet);
  await tablet.reload();
  // One is there before a PIN is typed: what is counted can be seen.
  await tablet.waitForSelector(".pin input:enabled", WAIT);
  for (const until = Date.now() + WAIT.timeout; (await alive()) !== 1; ) assert.ok(Date.now() < until, "no worker of a lock");
  await signedIn(tablet, "Hoàng Văn Toàn");
  for (const until = Date.now() + WAIT.timeout; (await alive()) !== 0; ) assert.ok(Date.now() < until, "the worker of the lock lives on");
});
