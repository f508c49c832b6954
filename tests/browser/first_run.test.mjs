// A new server becomes a province without a terminal: the page, the steps, and a first tablet.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, test } from "node:test";
import { badge, COMMUNE, Field, press, shot, violations, WAIT } from "./field.mjs";

const modules = createRequire(join(import.meta.dirname, "../../clients/web/package.json"));
const { encode } = await import(modules.resolve("uqr"));

const NAME = "quan.tri";
const PASSWORD = "mot cau dai de nho";
const VIEWS = [[360, 740], [800, 1280], [1280, 800], [1440, 900]];

const field = new Field();
after(() => field.close());

/** Looks at a page in both languages and every size: nothing against it, nothing wider; keeps pictures. */
async function pictures(page, name) {
  for (const language of ["vi", "en"]) {
    for (const [width, height] of VIEWS) {
      await page.setViewport({ width, height });
      await shot(page, `${name}-${language}-${width}x${height}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${name} at ${width} px: ${wide} px too wide`);
    }
    assert.deepEqual(await violations(page), [], `${name}, ${language}`);
    await page.click(".head .btn.plain[lang]");
  }
}

/** Types into the field with this label, in place of what stands there. */
async function fill(page, label, text) {
  const input = await page.waitForSelector(`::-p-xpath(//label[contains(., '${label}')]//input)`, WAIT);
  await input.click({ count: 3 });
  await page.keyboard.press("Backspace");
  await input.type(text);
  return input;
}

/** The squares of a QR code that says this. */
function picture(text) {
  const { data } = encode(text, { ecc: "M", border: 4 });
  return data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
}

const choose = async (page, label) =>
  (await page.waitForSelector(`::-p-xpath(//label[contains(., '${label}')]/input)`, WAIT)).click();
const heading = (page, text) => page.waitForSelector(`::-p-xpath(//h2[contains(., '${text}')])`, WAIT);
const problem = (page) => page.$eval("[role=alert]", (element) => element.innerText);

test("an empty folder becomes a province with an officer's tablet, whatever is interrupted", async () => {
  await field.begin("127.0.0.1:0");
  const code = await field.said(/"code":"([^"]+)"/);
  const chromium = await field.browser("administrator");
  let page = await field.page(chromium);
  await heading(page, "Mã quản trị");
  await pictures(page, "first-run-1-code");
  await fill(page, "Mã do máy chủ in ra", "0000-0000-0000");
  await press(page, "Tiếp tục");
  await fill(page, "Tên tỉnh", "Tỉnh Thái Nguyên");
  await choose(page, "tỉnh diễn tập");
  await pictures(page, "first-run-2-province");

  // The server is killed and the tab closed: the same code, and the page goes on where it was.
  await field.killServer();
  await page.close();
  await field.begin();
  assert.equal(await field.said(/"code":"([^"]+)"/), code);
  page = await field.page(chromium);
  await heading(page, "Tỉnh nào");
  await press(page, "Tiếp tục");
  await fill(page, "Họ và tên", "Trần Thị Quản");
  await fill(page, "Tên đăng nhập", NAME);
  await fill(page, "Mật khẩu", PASSWORD);
  await fill(page, "Nhập lại mật khẩu", "khac han");
  await press(page, "Lập Tỉnh Thái Nguyên");
  await page.waitForSelector("[role=alert]", WAIT);
  assert.equal(await problem(page), "Hai mật khẩu không giống nhau.");
  await fill(page, "Nhập lại mật khẩu", PASSWORD);
  await pictures(page, "first-run-3-administrator");

  // A wrong code founds nothing and leads back to where it is typed.
  await press(page, "Lập Tỉnh Thái Nguyên");
  await heading(page, "Mã quản trị");
  await page.waitForSelector("[role=alert]", WAIT);
  assert.equal(await problem(page), "Mã ghi danh không đúng.");
  await fill(page, "Mã do máy chủ in ra", code.toLowerCase().replaceAll("-", " "));
  await press(page, "Tiếp tục");
  await press(page, "Tiếp tục");
  await press(page, "Lập Tỉnh Thái Nguyên");

  // The province is there. The tab is closed: the address alone leads back to the next step.
  await heading(page, "Nhập danh sách đơn vị");
  await choose(page, "từ 01/7/2025");
  await pictures(page, "first-run-4-units");
  await choose(page, "Tệp của tôi");
  await page.waitForSelector("input[type=file]", WAIT);
  await pictures(page, "first-run-4-own-file");
  await page.close();
  page = await field.page(chromium);
  await signedIn(page);
  await heading(page, "Nhập danh sách đơn vị");
  await choose(page, "từ 01/7/2025");
  await press(page, "Nhập đơn vị");

  await heading(page, "Biểu mẫu đầu tiên");
  await choose(page, "Biểu mẫu 1 - Biểu mẫu 7");
  await fill(page, "Kỳ báo cáo", "2025");
  await pictures(page, "first-run-5-form");
  await press(page, "Nhập biểu mẫu");

  await heading(page, "Ai làm việc đầu tiên");
  await fill(page, "Họ và tên", "Ma Thị Hạnh");
  await fill(page, "Tên đăng nhập", "hanh");
  await (await fill(page, "Đơn vị", COMMUNE)).press("Tab");
  await pictures(page, "first-run-6-people");
  await press(page, "Thêm người này");

  // The server is killed between two steps: the page says so, and goes on when it is back.
  await heading(page, "Ghi danh máy đầu tiên");
  await field.killServer();
  await press(page, "Tạo mã ghi danh");
  await page.waitForSelector("[role=alert]", WAIT);
  assert.equal(await problem(page), "Không tới được máy chủ. Chưa có gì thay đổi.");
  await field.serve();
  await press(page, "Tạo mã ghi danh");
  const shown = await (await page.waitForSelector(".code", WAIT)).evaluate((element) => element.innerText.trim());
  const drawn = await (await page.waitForSelector("svg.qr path", WAIT)).evaluate((path) => path.getAttribute("d"));
  assert.equal(drawn, picture(`${field.url}/#code=${shown}`));
  await pictures(page, "first-run-7-devices");

  // The officer's tablet opens what the picture says.
  const tablet = await field.page(await field.browser("tablet"), `${field.url}/#code=${shown}`);
  await field.enrolledBy(tablet, shown);
  assert.equal(new URL(tablet.url()).hash, "", "the code is out of the address");
  await badge(tablet, "Đã đồng bộ");
  const work = await tablet.$eval("ul.work", (element) => element.innerText);
  assert.match(work, /Xã Định Hoá/);

  // The administrator's page has seen it by itself; setting up is over.
  await page.waitForFunction(() => !document.querySelector(".steps"), WAIT);
  await page.waitForSelector("::-p-xpath(//li[contains(., 'Đang dùng')])", WAIT);
  await pictures(page, "administration");
  await press(page, "Ngừng máy này");
  await press(page, "Ngừng máy");
  await page.waitForSelector("::-p-xpath(//li[contains(., 'Đã ngừng')])", WAIT);
  assert.deepEqual(field.complaints(), []);

  async function signedIn(page) {
    await heading(page, "Người quản trị đăng nhập");
    await fill(page, "Tên đăng nhập", NAME);
    await fill(page, "Mật khẩu", PASSWORD);
    await press(page, "Đăng nhập");
  }
});
