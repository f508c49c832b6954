// The officer's work by keyboard alone, and by finger alone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Field, PIN, WAIT, badge, cell, openReport, shot, signedIn, stands, sync, text } from "./field.mjs";

let field;
let browser;

before(async () => {
  field = await Field.start();
  browser = await field.browser("hanh");
});

after(async () => field?.close());

/** What the keyboard is on, as a screen reader would name it. */
const held = (page) =>
  page.evaluate(() => {
    const { activeElement: on } = document;
    if (!on || on === document.body) return { name: "", code: "" };
    const code = on.dataset.code ?? "";
    return { name: `${code} ${on.getAttribute("aria-label") ?? on.innerText}`.trim(), code };
  });

/** Presses Tab until the keyboard is on something with this name. */
async function tabTo(page, pattern, most = 60) {
  const met = [];
  for (let pressed = 0; pressed < most; pressed += 1) {
    const { name } = await held(page);
    if (pattern.test(name)) return;
    met.push(name);
    await page.keyboard.press("Tab");
  }
  assert.fail(`no ${pattern} among ${JSON.stringify(met)}`);
}

test("by keyboard alone: enrol, open, fill, correct, empty, leave", async () => {
  const { code } = field.dongbo("enrolment", "new", "--person", "hanh", "--unit", "05569", "--label", "bàn phím");
  const page = await field.page(browser);
  await page.waitForSelector("form input", WAIT);
  await page.evaluate(() => document.body.focus());
  for (let pressed = 0; pressed < 20; pressed += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement === document.querySelector("form input"))) break;
  }
  await page.keyboard.type(code);
  await page.keyboard.press("Enter");
  // The PIN twice: the keyboard is where the digits go.
  for (const words of [/^Chọn mã PIN/, /^Nhập lại mã PIN/]) {
    await page.waitForFunction((source) => new RegExp(source).test(document.activeElement?.getAttribute("aria-label") ?? ""), WAIT, words.source);
    await page.keyboard.type(PIN);
    await page.keyboard.press("Enter");
  }
  await page.waitForSelector("ul.work button.row", WAIT);
  await tabTo(page, /Xã Định Hoá/);
  await page.keyboard.press("Enter");
  await page.waitForSelector("table.grid", WAIT);
  await tabTo(page, /Biểu mẫu 3/);
  await page.keyboard.press("Enter");
  await cell(page, "III.3.1.1");
  await page.waitForFunction(() => document.querySelector("table.grid caption, .formhead h2")?.innerText.includes("3"), WAIT);
  await tabTo(page, /^III\./);
  // The first cell of the section; down to the one that is wanted, however far.
  for (let pressed = 0; (await held(page)).code !== "III.3.1.1"; pressed += 1) {
    assert.ok(pressed < 60, "the arrows reach every cell");
    const { code: from } = await held(page);
    await page.keyboard.press("ArrowDown");
    await page.waitForFunction((code) => document.activeElement?.dataset?.code !== code, WAIT, from);
  }
  await page.keyboard.type("7.412");
  await page.keyboard.press("Enter");
  await stands(page, "III.3.1.1", "7.412");
  await page.waitForFunction(() => document.activeElement?.dataset?.code === "III.3.1.2", WAIT);
  await page.keyboard.type("12");
  await page.keyboard.press("Escape");
  assert.equal((await held(page)).code, "III.3.1.2", "Escape keeps the keyboard on the cell");
  await page.keyboard.type("7.300");
  await page.keyboard.press("Enter");
  await stands(page, "III.3.1.2", "7.300");
  // Back up with Shift+Enter, and into what stands there with F2.
  await page.keyboard.down("Shift");
  await page.keyboard.press("Enter");
  await page.keyboard.up("Shift");
  await page.waitForFunction(() => document.activeElement?.dataset?.code === "III.3.1.2", WAIT);
  await page.keyboard.press("F2");
  await page.waitForSelector("input.cell", WAIT);
  await page.keyboard.press("Backspace");
  await page.keyboard.type("9");
  await page.keyboard.press("Enter");
  await stands(page, "III.3.1.2", "7.309");
  // A value is taken back by saying that the cell is empty.
  await page.keyboard.down("Shift");
  await page.keyboard.press("Enter");
  await page.keyboard.up("Shift");
  await page.waitForFunction(() => document.activeElement?.dataset?.code === "III.3.1.2", WAIT);
  await page.keyboard.press("Delete");
  await page.waitForSelector("input.cell", WAIT);
  await page.keyboard.press("Enter");
  await stands(page, "III.3.1.2", "trống");
  await page.keyboard.press("End");
  await page.waitForFunction(() => /^III\./.test(document.activeElement?.dataset?.code ?? "") && document.activeElement.dataset.code !== "III.3.1.2", WAIT);
  await shot(page, "keyboard");
  await tabTo(page, /Về Việc của tôi/, 120);
  await page.keyboard.press("Enter");
  await page.waitForSelector("ul.work button.row", WAIT);
  await page.close();
});

test("keys that come faster than the disk fall into the cells they were meant for", async () => {
  const page = await field.page(browser);
  await signedIn(page);
  await openReport(page);
  await (await cell(page, "III.2.1")).focus();
  await page.keyboard.type("11\n12\n13\n");
  await stands(page, "III.2.1", "11");
  await stands(page, "III.2.2", "12");
  await stands(page, "III.2.3", "13");
  // What cannot be taken does not take the keyboard away from who has typed on; it stays, with its reason.
  await (await cell(page, "III.3.1.1")).focus();
  await page.keyboard.type("99.68\n5");
  await page.waitForSelector('[id="refused-III.3.1.1"]', WAIT);
  assert.equal(await page.$eval("input.cell", (element) => element.value), "5");
  assert.match(await text(page, "III.3.1.1"), /99\.68/);
  await page.keyboard.press("Escape");
  await page.close();
});

test("by finger alone: open, fill, say that it did not occur; nothing to press is smaller than a finger", async () => {
  const page = await field.page(browser, field.url, (fresh) =>
    fresh.setViewport({ width: 360, height: 740, hasTouch: true, isMobile: true }));
  const tap = async (selector) => (await page.waitForSelector(selector, WAIT)).tap();
  await tap("label.person");
  for (const digit of PIN) await tap(`::-p-xpath(//button[normalize-space() = '${digit}'])`);
  await tap("::-p-xpath(//button[contains(., 'Mở máy')])");
  await page.waitForSelector("ul.work button.row", WAIT);
  await fingers(page);
  await tap("ul.work button.row");
  await page.waitForSelector("table.grid", WAIT);
  // A tab of which only the edge is in sight comes into sight as a whole.
  const edge = await page.$$eval("nav.tabs button", (all) => {
    all[0].parentElement.scrollLeft = 60;
    const { left, top, height } = all.find((one) => one.getBoundingClientRect().right > innerWidth).getBoundingClientRect();
    return { x: (left + innerWidth) / 2, y: top + height / 2, seen: innerWidth - left };
  });
  assert.ok(edge.seen > 4, "there is an edge to press");
  await page.touchscreen.tap(edge.x, edge.y);
  const whole = () => {
    const { left, right } = document.querySelector("nav.tabs .on").getBoundingClientRect();
    return left >= 0 && right <= innerWidth && left > innerWidth / 6;
  };
  await page.waitForFunction(whole, WAIT);
  await tap("::-p-xpath(//nav//button[contains(., 'Biểu mẫu 3')])");
  await (await cell(page, "III.1.2")).tap();
  const input = await page.waitForSelector("input.cell", WAIT);
  assert.equal(await input.evaluate((element) => element.inputMode), "decimal");
  await page.keyboard.type("1.893");
  await page.keyboard.press("Enter");
  await stands(page, "III.1.2", "1.893");
  await fingers(page);
  await (await cell(page, "III.1.3")).tap();
  await tap("::-p-xpath(//footer//button[contains(., 'Không phát sinh')])");
  await stands(page, "III.1.3", "không phát sinh");
  // Touched and left, it is what it was.
  await (await cell(page, "III.1.3")).tap();
  await page.waitForSelector("input.cell", WAIT);
  await (await cell(page, "III.1.2")).tap();
  await page.waitForFunction(() => document.querySelector("input.cell")?.value === "1.893", WAIT);
  await page.keyboard.press("Escape");
  await sync(page);
  await stands(page, "III.1.3", "không phát sinh");
  await badge(page, "Đã đồng bộ");
  await shot(page, "touch");
  await page.close();
});

/** Everything that can be pressed is at least 44 px both ways, in sight or not. */
async function fingers(page) {
  const small = await page.$$eval("button, input, select, a[href], summary", (all) =>
    all
      .map((one) => ({ name: one.getAttribute("aria-label") ?? one.innerText, box: one.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0 && (box.width < 44 || box.height < 43.5))
      .map(({ name, box }) => `${name}: ${Math.round(box.width)}×${Math.round(box.height)}`));
  assert.deepEqual(small, []);
}
