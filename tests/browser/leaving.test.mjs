// A person of a shared tablet changes their PIN, and leaves the tablet: theirs goes, and nobody else's.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  badge, dump, Field, handedOver, OFFICERS, openReport, PIN, press, says, shot, signedIn, stands, typed, typedPin, violations, WAIT,
} from "./field.mjs";

const AREA = "khu-vuc-dinh-hoa";
const DESK = ".desk .totals";
const ABOVE = { name: "thu", display: "Ma Thị Thu", role: "aggregator", unit: AREA, subtree: true };
const NEXT = "314159";

let field;
let browser;
let tablet;

before(async () => {
  field = await Field.start([...OFFICERS, ABOVE]);
  browser = await field.browser("shared");
  tablet = await field.page(browser);
  await field.enrolled(tablet, "hanh");
  await openReport(tablet);
  await typed(tablet, "III.3.1.1", "7.412");
  await badge(tablet, "Đã đồng bộ");
  await leave(tablet);
  await press(tablet, "Ghi danh máy này");
  await field.enrolled(tablet, "toan");
  await badge(tablet, "Đã đồng bộ");
  await press(tablet, "Đổi người");
  await press(tablet, "Ghi danh máy này");
  await field.enrolled(tablet, "thu", AREA, DESK);
  // The desk keeps what it was told a moment later.
  const kept = () => new Promise((resolve) => {
    indexedDB.open("dongbo-desk").onsuccess = ({ target: { result } }) => {
      result.transaction("answers").objectStore("answers").count().onsuccess = (event) => resolve(event.target.result > 0);
      result.close();
    };
  });
  await tablet.waitForFunction(kept, { ...WAIT, polling: 100 });
  await press(tablet, "Đổi người");
  await tablet.waitForSelector(".pin input", WAIT);
});

after(() => field?.close());

async function leave(of) {
  await of.click("header button.icon");
  await press(of, "Đổi người");
  await of.waitForSelector(".pin input", WAIT);
}

const chosen = async (of, display) =>
  (await of.waitForSelector(`::-p-xpath(//label[contains(., '${display}')]//input[@type='radio'])`, WAIT)).click();

/** What a dump holds of a person: each store's rows under their key. */
const of = (all, keyId) =>
  Object.fromEntries(Object.entries(all).map(([store, rows]) => [store, rows.filter(([key]) => [key].flat()[0] === keyId)]));
const keyOf = (all, name) => all.people.find(([, person]) => person.name === name)[0];

/** Asks for another PIN on the sign-in page. */
async function changed(page, present, next, again = next) {
  await says(page, "Mã PIN đang dùng");
  await typedPin(page, present);
  await says(page, "Chọn mã PIN");
  await typedPin(page, next);
  await says(page, "Nhập lại mã PIN");
  await typedPin(page, again);
}

test("a PIN is changed: the same work opens with the new one alone, and a wrong old one counts as a try", async () => {
  await chosen(tablet, "Ma Thị Hạnh");
  const before = await dump(tablet);
  const hanh = keyOf(before, "hanh");
  await press(tablet, "Đổi mã PIN");
  await changed(tablet, "111222", NEXT);
  await says(tablet, "Mã PIN không đúng.");
  const refused = of(await dump(tablet), hanh).people[0][1];
  assert.equal(refused.lock, of(before, hanh).people[0][1].lock, "nothing was shut anew");
  assert.equal(refused.wrong.count, 1, "the try is counted");
  await changed(tablet, PIN, NEXT, "271828");
  await says(tablet, "Hai lần nhập không giống nhau");
  await typedPin(tablet, "123456");
  await says(tablet, "quá dễ đoán");
  await typedPin(tablet, NEXT);
  await says(tablet, "Nhập lại mã PIN");
  await typedPin(tablet, NEXT);
  await says(tablet, "Đã đổi mã PIN của Ma Thị Hạnh.");

  const after = await dump(tablet);
  const [, person] = of(after, hanh).people[0];
  assert.notEqual(person.lock, refused.lock);
  assert.equal(person.wrong, undefined, "a right PIN ends the count");
  assert.deepEqual(after.truth, before.truth, "nothing that is kept was touched");
  for (const name of ["toan", "thu"]) assert.deepEqual(of(after, keyOf(after, name)), of(before, keyOf(before, name)));

  await tablet.reload();
  await chosen(tablet, "Ma Thị Hạnh");
  await typedPin(tablet, PIN);
  await says(tablet, "Mã PIN không đúng.");
  await typedPin(tablet, NEXT);
  await openReport(tablet);
  await stands(tablet, "III.3.1.1", "7.412");
  await leave(tablet);
});

test("who has sent everything is removed at once, with all of theirs and nothing of others", async () => {
  const before = await dump(tablet);
  const desks = await dump(tablet, "dongbo-desk");
  assert.ok(desks.answers.some(([[name]]) => name === "thu"), "the desk kept something");
  for (const [name, display] of [["toan", "Hoàng Văn Toàn"], ["thu", "Ma Thị Thu"]]) {
    assert.ok(of(before, keyOf(before, name)).truth.length > 0);
    await chosen(tablet, display);
    await press(tablet, "Xóa khỏi máy này");
    await press(tablet, `Xóa ${display}`);
    await says(tablet, `Đã xóa ${display} khỏi máy này.`);
  }
  const after = await dump(tablet);
  for (const name of ["toan", "thu"]) {
    assert.ok(!JSON.stringify(after).includes(keyOf(before, name)), `nothing of ${name}`);
  }
  const hanh = keyOf(before, "hanh");
  assert.deepEqual(of(after, hanh), of(before, hanh));
  assert.deepEqual((await dump(tablet, "dongbo-desk")).answers.filter(([[name]]) => name === "thu"), []);
});

test("nobody is removed while they work in another tab, nor with changes that came meanwhile", async () => {
  const other = await field.page(browser);
  await other.bringToFront();
  await chosen(other, "Ma Thị Hạnh");
  await typedPin(other, NEXT);
  await openReport(other);
  await tablet.bringToFront();
  await tablet.reload();
  await press(tablet, "Xóa khỏi máy này");
  await press(tablet, "Xóa Ma Thị Hạnh");
  await says(tablet, "đang mở máy ở một thẻ khác");

  await field.killServer();
  await other.bringToFront();
  await typed(other, "III.3.1.2", "7.376");
  await leave(other);
  await other.close();
  await tablet.bringToFront();
  const hanh = of(await dump(tablet), keyOf(await dump(tablet), "hanh"));
  assert.deepEqual([hanh.about[0][1].unsent, hanh.outgoing.length], [1, 1]);
  await press(tablet, "Xóa Ma Thị Hạnh");
  await says(tablet, "Vừa có thêm thay đổi chưa gửi.");
  assert.deepEqual(of(await dump(tablet), keyOf(await dump(tablet), "hanh")), hanh, "nothing was removed");
});

test("who has something unsent is removed after the file of it was saved and it was said again", async () => {
  await says(tablet, "1 thay đổi chưa gửi sẽ mất khỏi máy này.");
  const shut = () => tablet.$eval("section.sheet .btn.main", (main) => main.disabled);
  assert.equal(await shut(), true, "not without the file");
  const text = await handedOver(tablet, () => press(tablet, "Lưu tệp phục hồi"));
  await says(tablet, "Tôi đã giữ tệp ấy.");
  assert.equal(await shut(), true, "not without a word");
  assert.deepEqual(await violations(tablet), []);
  for (const [width, height] of [[360, 740], [800, 1280], [1280, 800]]) {
    await tablet.setViewport({ width, height });
    await shot(tablet, `remove-unsent-${width}`);
  }
  await tablet.click(".sure input");
  await press(tablet, "Xóa Ma Thị Hạnh");
  await says(tablet, "Máy này chưa được ghi danh cho ai.");
  const empty = await dump(tablet);
  for (const store of ["people", "truth", "outgoing", "about", "marks"]) assert.deepEqual(empty[store], [], store);

  const file = join(field.folder, "recovery.json");
  writeFileSync(file, text);
  await field.serve();
  assert.deepEqual(field.dongbo("replay", "--export", file).refused, []);
  assert.equal(field.seenBy("toan")["III.3.1.2"], "7376");
  // The tablet is as good as new.
  await field.enrolled(tablet, "hanh");
  await openReport(tablet);
  await stands(tablet, "III.3.1.2", "7.376");
  assert.deepEqual(field.complaints(), []);
});
