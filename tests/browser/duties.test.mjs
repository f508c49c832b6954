// Who owes what by when, made by an administrator from the keyboard: previewed, signed, put off for one unit; the
// unit's tablet says so.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ADMINISTRATOR, button, COMMUNE, Field, press, says, shot, violations, WAIT } from "./field.mjs";
import { SIZES, speaking } from "./pages.mjs";

let field;

after(() => field?.close());

const named = (page, label, what = "*[self::input or self::select or self::textarea]") =>
  page.waitForSelector(`::-p-xpath(//label[contains(., '${label}')]//${what})`, WAIT);

async function typedInto(page, label, text) {
  const input = await named(page, label);
  await input.focus();
  await page.keyboard.down("Control");
  await page.keyboard.press("a");
  await page.keyboard.up("Control");
  await page.keyboard.type(text);
}

async function chosen(page, label, value) {
  await (await named(page, label, "select")).select(value);
}

/** Presses a button from the keyboard. */
async function keyed(page, words) {
  const found = await page.waitForSelector(button(words), WAIT);
  await found.focus();
  await page.keyboard.press("Enter");
}

async function pictures(page, name) {
  for (const [width, height] of SIZES) {
    await page.setViewport({ width, height });
    await shot(page, `${name}-${width}x${height}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${name}: ${wide} px too wide at ${width}`);
  }
  assert.deepEqual(await violations(page), []);
}

async function administration(language) {
  const page = await field.page(await field.browser(`administrator-${language}`), `${field.url}/#administration`, (fresh) =>
    speaking(fresh, language));
  const [name, password, open] = language === "vi" ? ["Tên đăng nhập", "Mật khẩu", "Đăng nhập"] : ["Sign-in name", "Password", "Sign in"];
  await typedInto(page, name, field.administrator);
  await typedInto(page, password, ADMINISTRATOR);
  await keyed(page, open);
  return page;
}

test("a duty of every month is previewed, made, put off for one unit, and ended", async () => {
  field = await Field.start();
  const page = await administration("vi");
  await keyed(page, "Nghĩa vụ báo cáo");
  await keyed(page, "Giao báo cáo");
  await chosen(page, "Kỳ báo cáo", "month");
  await typedInto(page, "Năm", "2031");
  await keyed(page, "Xem trước");
  await says(page, "Chưa có lịch nghỉ lễ năm 2031");
  await typedInto(page, "Năm", "2026");
  await (await named(page, "Chốt số liệu ngày 14", "input")).focus();
  await page.keyboard.press("Space");
  await keyed(page, "Xem trước");
  await page.waitForSelector("table.dates tbody tr:nth-child(12)", WAIT);
  const lines = await page.$$eval("table.dates tbody tr", (rows) => rows.map((row) => row.innerText.replace(/\s+/g, " ").trim()));
  assert.equal(lines.length, 12);
  // 14 February 2026 is a Saturday, and Tết closes offices from the 16th to the 20th.
  assert.match(lines[1], /^tháng 2\/2026 \(từ 15\/01\/2026 đến 14\/02\/2026\) 25\/02\/2026 \d+ mới$/);
  await pictures(page, "duties-new-vi");
  await keyed(page, "Giao 12 báo cáo");
  await page.waitForFunction(() => document.querySelectorAll(".people-list .person-row").length === 13, WAIT);

  await keyed(page, "tháng 2/2026");
  const [unit] = await page.$$eval("datalist option", (options, code) =>
    options.map((option) => option.value).filter((value) => value.includes(code)), COMMUNE);
  await typedInto(page, "Đơn vị", unit);
  await typedInto(page, "Lý do", "Lũ quét, mất điện");
  await page.$eval("input[type=date]", (input) => {
    input.value = "2026-03-10";
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await keyed(page, "Ghi cho đơn vị này");
  await says(page, "lùi hạn đến 10/03/2026");
  await says(page, "1 đơn vị làm khác");
  await pictures(page, "duty-vi");

  // The unit's tablet says its own day, and why.
  const officer = await field.page(await field.browser("hanh"), field.url);
  await field.enrolled(officer, "hanh");
  await says(officer, "10/03/2026");
  await says(officer, "Lũ quét, mất điện");
  await pictures(officer, "my-work-put-off-vi");
  // Thirteen reports: what is late and what is still to come can be looked at alone.
  const shown = () => officer.$$eval("ul.work button.row", (rows) => rows.length);
  const counts = await officer.$$eval(".kinds button", (all) => all.map((one) => Number(/\d+/.exec(one.innerText)[0])));
  assert.equal(counts[0], 13);
  assert.equal(counts.slice(1).reduce((sum, count) => sum + count, 0), 13, `each is late or to come: ${counts}`);
  await keyed(officer, "Quá hạn (");
  await officer.waitForFunction((late) => document.querySelector("[data-reports]").querySelectorAll("button.row").length <= late, {}, counts[1]);
  assert.ok((await shown()) > 0);
  const late = await officer.$$eval("ul.work button.row", (rows) => rows.every((row) => row.innerText.includes("Quá hạn")));
  assert.ok(late, "nothing else is shown");
  await keyed(officer, "Tất cả (");

  await keyed(page, "Bỏ");
  await says(page, "Mọi đơn vị nộp theo hạn chung");
  await press(page, "Thôi giao báo cáo này");
  await press(page, "Thôi giao");
  await page.waitForFunction(() => document.querySelectorAll(".people-list .person-row").length === 12, WAIT);
  assert.deepEqual(field.complaints().filter((line) => !line.includes("422")), []);
});

test("holidays are entered, previewed and counted, in English too", async () => {
  const page = await administration("en");
  await keyed(page, "Holidays");
  await typedInto(page, "One day or one stretch a line", "2031-01-01 closed");
  await keyed(page, "Preview");
  await says(page, "Nothing was written");
  await typedInto(page, "One day or one stretch a line", "2031-01-01 off New Year's Day");
  await keyed(page, "Preview");
  await keyed(page, "Write 1 days");
  await says(page, "The holidays are written");
  await pictures(page, "holidays-en");
  await keyed(page, "Reporting duties");
  await keyed(page, "New duty");
  await chosen(page, "Period", "year");
  await typedInto(page, "Year", "2030");
  await keyed(page, "Preview");
  await says(page, "06/01/2031");
  await pictures(page, "duties-new-en");
});
