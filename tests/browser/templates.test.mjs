// Forms are made in the app: written by keyboard and by touch, imported from a workbook, tried, published, retired. All but
// the last two without a link and without anybody signed in; what is written survives the page.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ADMINISTRATOR, button, Field, press, says, shot, stands, typed, violations, WAIT } from "./field.mjs";
import { workbook } from "./workbook.mjs";

const SIZES = [[1280, 800], [800, 1280], [360, 740]];
const LINES = [
  ["BÁO CÁO THỬ NGHIỆM NĂM 2026"],
  [],
  ["STT", "Chỉ tiêu", "Đơn vị tính", "Số liệu"],
  ["1", "Tổng số hồ sơ đã tiếp nhận", "Hồ sơ"],
  ["1.1", "Trực tuyến", "Hồ sơ"],
  ["1.2", "Trực tiếp", "Hồ sơ"],
  ["2", "Hình thức thực hiện", "Trực tuyến = 0 Phát phiếu = 1 Kết hợp = 2"],
  ["3", "Ghi chú của đơn vị", ""],
];
let field;
let page;

before(async () => {
  field = await Field.start();
  page = await field.page(await field.browser("administrator"), `${field.url}/#administration`);
  await put("Tên đăng nhập", field.administrator);
  await put("Mật khẩu", ADMINISTRATOR);
  await page.keyboard.press("Enter");
  // A link of the administrator's page leads here.
  await (await page.waitForSelector("nav.views a[href='#templates']", WAIT)).focus();
  await shot(page, "administration-views");
  await page.keyboard.press("Enter");
  await page.waitForSelector(button("Biểu mẫu mới"), WAIT);
  // Nobody has to be signed in.
  await page.reload();
  await page.waitForSelector(button("Biểu mẫu mới"), WAIT);
  // Kept for the days without a link.
  await page.waitForFunction(async () => {
    for (const name of await caches.keys()) {
      const kept = await (await caches.open(name)).keys();
      if (kept.some(({ url }) => /forms_bg-.*\.wasm$/.test(url))) return true;
    }
    return false;
  }, { ...WAIT, polling: 200 });
});

after(() => field?.close());

/** The field with this label: what stands in brackets behind it need not be said. */
const labelled = (label) => `::-p-xpath(//label[normalize-space(text()[1])='${label}' or starts-with(normalize-space(text()[1]), '${label} (')]//*[self::input or self::textarea or self::select])`;

async function put(label, text) {
  const found = await page.waitForSelector(labelled(label), WAIT);
  await found.focus();
  await page.keyboard.down("Control");
  await page.keyboard.press("a");
  await page.keyboard.up("Control");
  await page.keyboard.type(text);
}

const saved = () => page.waitForFunction(() => /Đã lưu trên máy/.test(document.querySelector(".line .saved")?.innerText ?? ""), WAIT);
const rows = () => page.$$eval(".form-row", (all) => all.map((row) => row.innerText.replace(/\s+/g, " ").trim()));

async function pictured(name) {
  for (const [width, height] of SIZES) {
    await page.setViewport({ width, height });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${name}: ${wide} px on a page of ${width}`);
    await shot(page, `${name}-${width}`);
  }
  await page.setViewport({ width: 800, height: 1280 });
  assert.deepEqual(await violations(page), [], name);
}

/** What is chosen into the field of files. */
async function chosen(name, bytes) {
  const path = join(field.folder, name);
  writeFileSync(path, bytes);
  await (await page.waitForSelector("input[type=file]", WAIT)).uploadFile(path);
}

test("a form is written by keyboard alone, offline, and is there when the page comes back", async () => {
  await page.setOfflineMode(true);
  await (await page.waitForSelector(button("Biểu mẫu mới"), WAIT)).focus();
  await page.keyboard.press("Enter");
  // Every fault is named, and leads to its place.
  await says(page, "Biểu mẫu chưa có tên.");
  await (await page.waitForSelector(button("Biểu mẫu chưa có tên."), WAIT)).focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector(".about")?.open && document.activeElement?.tagName === "SUMMARY", WAIT);
  await page.keyboard.press("Tab");
  await page.keyboard.type("Biểu thử của tỉnh");
  await (await page.waitForSelector(button("Phần chưa có tên."), WAIT)).focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => [...document.querySelectorAll(".about")].every(({ open }) => open), WAIT);
  await put("Tên phần", "Tiếp nhận hồ sơ");
  // Enter opens a row, Escape closes it, Insert adds one below.
  await (await page.waitForSelector(".form-row", WAIT)).focus();
  await page.keyboard.press("Enter");
  await put("Chỉ tiêu", "Tổng số hồ sơ");
  await put("Đơn vị tính", "Hồ sơ");
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.activeElement?.classList.contains("form-row"), WAIT);
  for (const [code, label] of [["1.1", "Trực tuyến"], ["1.2", "Trực tiếp"]]) {
    await page.keyboard.press("Insert");
    await page.waitForFunction(() => document.activeElement?.tagName === "TEXTAREA", WAIT);
    await page.keyboard.type(label);
    await put("Mã", code);
    await put("Là một phần của", "1");
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => document.activeElement?.classList.contains("form-row"), WAIT);
  }
  assert.deepEqual((await rows()).map((row) => row.split(" ")[0]), ["1", "1.1", "1.2"]);
  // Alt and an arrow move it; Delete removes it; Ctrl+Z brings it back.
  await page.keyboard.down("Alt");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.up("Alt");
  await page.waitForFunction(() => document.activeElement?.dataset.at === "1", WAIT);
  assert.deepEqual((await rows()).map((row) => row.split(" ")[0]), ["1", "1.2", "1.1"]);
  await page.keyboard.press("Delete");
  await page.waitForFunction(() => document.querySelectorAll(".form-row").length === 2, WAIT);
  await page.keyboard.down("Control");
  await page.keyboard.press("z");
  await page.keyboard.press("z");
  await page.keyboard.up("Control");
  await page.waitForFunction(() => document.querySelectorAll(".form-row").length === 3, WAIT);
  assert.deepEqual((await rows()).map((row) => row.split(" ")[0]), ["1", "1.1", "1.2"]);
  // The sum of its parts, and a code that is changed is followed by whatever refers to it.
  await (await page.waitForSelector(".form-row[data-at='0']", WAIT)).focus();
  await page.keyboard.press("Enter");
  await (await page.waitForSelector(button("Công thức: tổng các dòng con"), WAIT)).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await (await page.waitForSelector(".form-row[data-at='2']", WAIT)).focus();
  await page.keyboard.press("Enter");
  await put("Mã", "1.9");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Escape");
  await saved();
  await page.waitForFunction(() => document.querySelector(".fault-list") === null, WAIT);
  await page.reload();
  await press(page, "Mở");
  await page.waitForSelector(".form-row[data-at='0']", WAIT);
  assert.deepEqual((await rows()).map((row) => row.split(" ")[0]), ["1", "1.1", "1.9"]);
  await page.click(".form-row[data-at='0']");
  const formula = await page.waitForSelector(labelled("Công thức"), WAIT);
  assert.equal(await formula.evaluate((input) => input.value), "[1.1] + [1.9]");
  await pictured("form-editor");
});

test("what is wrong is said at its row, and such a form is neither tried nor published", async () => {
  await put("Công thức", "[1.1] + [1.7]");
  await says(page, "Công thức nhắc đến “1.7” nhưng không có dòng nào mang mã đó.");
  assert.ok(await page.$eval(".form-editor .head .btn.main", (one) => one.disabled));
  const wrong = await page.$eval("[aria-invalid=true]", (one) => document.getElementById(one.getAttribute("aria-describedby"))?.innerText);
  assert.match(wrong, /1\.7/);
  await shot(page, "form-editor-fault");
  await put("Công thức", "[1.1] + [1.9]");
  await page.waitForFunction(() => document.querySelector(".fault-list") === null, WAIT);
});

test("it is tried as the officer will see it, and nothing of that is kept", async () => {
  await press(page, "Thử");
  await says(page, "Những gì nhập ở đây không được lưu");
  await typed(page, "1.1", "5");
  await typed(page, "1.9", "7");
  await stands(page, "1", "12");
  await pictured("form-trial");
  await page.click(".line .btn");
  await page.waitForSelector(".form-editor", WAIT);
});

test("published with a note by an administrator, and only with a link; then a second version, and retired", async () => {
  await press(page, "Ban hành");
  await says(page, "Chỉ người quản trị ban hành được");
  await put("Tên đăng nhập", field.administrator);
  await put("Mật khẩu", ADMINISTRATOR);
  await page.keyboard.press("Enter");
  await says(page, "Không tới được máy chủ.");
  await page.setOfflineMode(false);
  await page.keyboard.press("Enter");
  await put("Ghi chú khi ban hành", "Lần đầu");
  await pictured("form-publish");
  await press(page, "Ban hành phiên bản 1");
  await says(page, "Đã ban hành “Biểu thử của tỉnh”, phiên bản 1.");
  // A second version: the difference is shown before anything is published.
  const again = `::-p-xpath(//article[contains(., 'Biểu thử của tỉnh')]//button[contains(., 'Sửa thành bản thảo')])`;
  await (await page.waitForSelector(again, WAIT)).click();
  await page.waitForSelector(".form-row[data-at='2']", WAIT);
  await page.click(".form-row[data-at='2']");
  await put("Đơn vị tính", "Lượt");
  await saved();
  await press(page, "Ban hành");
  await page.waitForSelector(".differences tbody tr", WAIT);
  const told = await page.$$eval(".differences tbody td", (cells) => cells.map((cell) => cell.innerText.trim()));
  assert.equal(told[0], "Đơn vị tính");
  await put("Ghi chú khi ban hành", "Sửa đơn vị tính");
  await press(page, "Ban hành phiên bản 2");
  await says(page, "phiên bản 2.");
  field.dongbo("sync");
  const known = field.dongbo("list", "templates").items.filter(({ id }) => id === "bieu-thu-cua-tinh");
  assert.equal(known.length, 2, JSON.stringify(known));
  const retire = `::-p-xpath(//article[contains(., 'Biểu thử của tỉnh')]//button[contains(., 'Ngừng dùng')])`;
  await (await page.waitForSelector(retire, WAIT)).click();
  await put("Lý do ngừng dùng", "Theo thông tư mới");
  await page.keyboard.press("Enter");
  await says(page, "Đã ngừng dùng: Theo thông tư mới");
  await pictured("forms");
});

test("a workbook is read on the device, every line is told, and a person takes it as a draft", async () => {
  await page.setOfflineMode(true);
  await page.reload();
  await press(page, "Nhập từ Excel");
  await chosen("bieu-thu.xlsx", workbook("Biểu 1", LINES));
  await says(page, "Hãy xem từng dòng.");
  const became = await page.$$eval(".import-lines tbody tr", (all) => all.map((row) => row.cells[0].innerText + " " + row.cells[1].innerText.split(" ")[0]));
  assert.deepEqual(became.map((line) => line.split(" ").slice(0, 2).join(" ")).length, 7, became.join("\n"));
  await pictured("form-import");
  await press(page, "Không thành dòng");
  const left = await page.$$eval(".import-lines tbody tr", (all) => all.map((row) => row.cells[2].innerText));
  assert.deepEqual(left, ["Tiêu đề hoặc lời dẫn ngoài bảng.", "Dòng tiêu đề cột."]);
  await press(page, "Lấy làm bản thảo");
  await page.waitForSelector(".form-row", WAIT);
  assert.equal((await rows()).length, 5);
  // By touch: a row is opened, one is added, moved, removed.
  await saved();
  await page.setViewport({ width: 360, height: 740, hasTouch: true, isMobile: true });
  // Whoever has hands that touch gets the page anew.
  await press(page, "Mở");
  await (await page.waitForSelector(".form-row[data-at='4']", WAIT)).tap();
  await (await page.waitForSelector(button("Thêm dòng dưới"), WAIT)).tap();
  await page.waitForFunction(() => document.querySelectorAll(".form-row").length === 6, WAIT);
  const small = await page.$$eval(".form-editor button, .form-editor summary, .form-editor .check", (all) =>
    all.map((one) => [one.innerText, one.getBoundingClientRect().height]).filter(([, height]) => height > 0 && height < 43.5));
  assert.deepEqual(small, [], "whatever is touched is 44 px high");
  await (await page.waitForSelector(button("Chuyển lên"), WAIT)).tap();
  await page.waitForFunction(() => document.querySelector(".form-rows > li.open .form-row")?.dataset.at === "4", WAIT);
  await (await page.waitForSelector(button("Bỏ dòng"), WAIT)).tap();
  await page.waitForFunction(() => document.querySelectorAll(".form-row").length === 5, WAIT);
  await saved();
  await (await page.waitForSelector("button[aria-label='Về danh sách biểu mẫu']", WAIT)).tap();
  await says(page, "Bản thảo trên máy này");
  await page.setViewport({ width: 800, height: 1280 });
});

test("a workbook that is none, or no form, is refused by name with sheet, row and column", async () => {
  await press(page, "Nhập từ Excel");
  const cases = [
    ["khong-phai.xlsx", Buffer.from("STT;Chỉ tiêu"), "Tệp không phải bảng tính .xlsx."],
    ["mat-khau.xlsx", Buffer.concat([Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]), Buffer.from("EncryptedPackage", "utf16le")]), "Bảng tính có mật khẩu."],
    ["khong-tieu-de.xlsx", workbook("Trang 1", [["chỉ có chữ"], ["và chữ"]]), "không nhận ra dòng tiêu đề cột"],
    ["trung-ma.xlsx", workbook("Biểu 1", [...LINES.slice(0, 5), ["1.1", "Trực tiếp", "Hồ sơ"]]), "mã 1.1 đã có ở"],
    ["vong.xlsx", workbook("Biểu 1", [...LINES.slice(0, 3), ["1", "A (1 = 2 + 3)", "Hồ sơ"], ["2", "B (2 = 1 + 3)", "Hồ sơ"], ["3", "C", "Hồ sơ"]]), "Biểu 1"],
    ["thieu-dong.xlsx", workbook("Biểu 1", [...LINES.slice(0, 3), ["1", "A (1 = 2 + 9)", "Hồ sơ"], ["2", "B", "Hồ sơ"]]), "Biểu 1"],
  ];
  for (const [name, bytes, words] of cases) {
    await chosen(name, bytes);
    await page.waitForFunction((wanted) => document.querySelector(".problem")?.innerText.includes(wanted), WAIT, words).catch(async () => {
      assert.equal(await page.$eval("main", (main) => main.innerText), words, name);
    });
    assert.ok(await page.$eval(".line .btn.main", (one) => one.disabled), `${name}: nothing is taken of it`);
  }
  const problem = await page.$eval(".problem", (one) => one.innerText);
  assert.match(problem, /Biểu 1!?.*\d/, problem);
  await shot(page, "form-import-refused");
  await page.setOfflineMode(false);
  assert.deepEqual(field.complaints(), []);
});

test("the same in English", async () => {
  await press(page, "Thôi");
  await page.click(".head button[lang=en]");
  await says(page, "Drafts on this device");
  await pictured("forms-en");
  await press(page, "Open");
  await page.waitForSelector(".form-row", WAIT);
  await page.click(".form-row");
  await pictured("form-editor-en");
  await page.click("button[aria-label='Back to the list of forms']");
  await press(page, "Import from Excel");
  await chosen("form.xlsx", workbook("Biểu 1", LINES));
  await says(page, "Look through every line.");
  await pictured("form-import-en");
});
