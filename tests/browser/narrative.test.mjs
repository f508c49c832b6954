// The words of a report, by keyboard: written without a network, kept over a kill, merged with a colleague's, and a
// quoted figure that follows its cell.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { badge, button, Field, killedBrowser, openReport, says, shot, signedIn, sync, typed, violations, WAIT } from "./field.mjs";
import { SIZES, speaking } from "./pages.mjs";

let field;

before(async () => {
  field = await Field.start();
});

after(() => field?.close());

const TITLE = "2. Cải cách thủ tục hành chính";
const CODE = "III.3.1.1";

/** A button of the part itself. */
const within = (words) => `::-p-xpath(.//button[contains(., "${words}")])`;

const part = (page, title = TITLE) => page.waitForSelector(`section.part:has(textarea[aria-label$="${title}"])`, WAIT);
const text = async (page, title = TITLE) => (await part(page, title)).$eval("textarea", (field) => field.value);

async function openWords(page, tab = "Thuyết minh") {
  const open = await page.waitForSelector(button(tab), WAIT);
  await open.focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector("main.narrative textarea", WAIT);
}

async function toEnd(page, title = TITLE) {
  const area = await (await part(page, title)).$("textarea");
  await area.focus();
  await page.keyboard.down("Control");
  await page.keyboard.press("End");
  await page.keyboard.up("Control");
}

async function written(page, title = TITLE) {
  await page.waitForFunction(
    (wanted) => {
      const area = document.querySelector(`textarea[aria-label$="${wanted}"]`);
      return area?.closest("section.part")?.querySelector(`#${CSS.escape(area.getAttribute("aria-describedby"))}`)?.textContent.trim() === "Đã lưu trên máy này";
    },
    WAIT,
    title,
  );
}

const holds = (page, words, title = TITLE) =>
  page.waitForFunction((wanted, within) => document.querySelector(`textarea[aria-label$="${within}"]`)?.value.includes(wanted), WAIT, words, title);

async function pictures(page, name) {
  for (const [width, height] of SIZES) {
    await page.setViewport({ width, height });
    await page.$eval(`textarea[aria-label$="${TITLE}"]`, (area) => area.closest("section").scrollIntoView());
    await shot(page, `${name}-${width}x${height}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${name}: ${wide} px too wide at ${width}`);
  }
  assert.deepEqual(await violations(page), []);
}

test("words are written without a network, quote figures, merge with a colleague's and are lost nowhere", async () => {
  const browser = await field.browser("hanh");
  let page = await field.page(browser, field.url);
  await field.enrolled(page, "hanh");
  await openReport(page);
  await field.killServer();
  await typed(page, CODE, "1.893");
  await openWords(page);
  await toEnd(page);
  await page.keyboard.type("Cả xã nhận");
  await written(page);

  // A figure is found by what is remembered of it, and comes with its code.
  const insert = await (await part(page)).waitForSelector(within("Chèn số liệu"), WAIT);
  await insert.focus();
  await page.keyboard.press("Enter");
  const search = await (await part(page)).waitForSelector("input[type=search]", WAIT);
  await search.focus();
  await page.keyboard.type(CODE);
  await page.waitForSelector("#found-rows li.on", WAIT);
  await page.keyboard.press("Enter");
  await holds(page, `Cả xã nhận 1.893 [${CODE}]`);
  await page.keyboard.type(" hồ sơ.");
  await written(page);
  await says(page, "1 số liệu dẫn đều khớp với biểu.");

  // The browser dies: what was said to be saved is there.
  await killedBrowser(browser);
  page = await field.page(await field.browser("hanh"), field.url);
  await signedIn(page);
  await openReport(page);
  await openWords(page);
  assert.equal(await text(page), `Cả xã nhận 1.893 [${CODE}] hồ sơ.`);

  // The cell changes, and the words say so until somebody takes the figure over.
  await (await page.waitForSelector(button("Biểu mẫu 3"), WAIT)).click();
  await typed(page, CODE, "1.900");
  await openWords(page);
  await says(page, `viết 1.893, ô ${CODE} nay là 1.900`);
  await pictures(page, "narrative-vi");
  const renew = await (await part(page)).waitForSelector(within("Cập nhật số theo biểu"), WAIT);
  await renew.focus();
  await page.keyboard.press("Enter");
  await holds(page, `Cả xã nhận 1.900 [${CODE}] hồ sơ.`);
  await field.serve();
  await sync(page);
  await badge(page, "Đã đồng bộ");

  // A colleague writes before and behind while this person types on: both stand.
  const other = await field.page(await field.browser("toan"), field.url);
  await field.enrolled(other, "toan");
  await speaking(other, "en");
  await other.reload();
  await signedIn(other);
  await openReport(other);
  await openWords(other, "Narrative");
  await holds(other, "1.900");
  await pictures(other, "narrative-en");
  await toEnd(other);
  await other.keyboard.type(" Không có hồ sơ quá hạn.");
  await other.keyboard.down("Control");
  await other.keyboard.press("Home");
  await other.keyboard.up("Control");
  await other.keyboard.type("Năm 2025: ");
  await toEnd(page);
  await page.keyboard.type(" Tăng so với năm trước.");
  await written(page);
  for (let time = 0; time < 2; time += 1) {
    await sync(other);
    await sync(page);
  }
  for (const one of [page, other]) {
    for (const words of ["Năm 2025: ", "Không có hồ sơ quá hạn.", "Tăng so với năm trước."]) await holds(one, words);
  }
  assert.equal(await text(page), await text(other));

  // What is said about a part travels as well.
  const details = await (await part(page)).$("summary");
  await details.focus();
  await page.keyboard.press("Enter");
  const comment = await (await part(page)).waitForSelector(".comments textarea", WAIT);
  await comment.focus();
  await page.keyboard.type("Cần nêu rõ nguyên nhân");
  await page.keyboard.down("Control");
  await page.keyboard.press("Enter");
  await page.keyboard.up("Control");
  await says(page, "Trao đổi (1)");
  await sync(page);
  await sync(other);
  await says(other, "Comments (1)");
});
