// The desks: an area and the province have their pages open while a commune reports; what they see
// changes by itself, opens down to the cell, and is still there when the server is killed.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  badge, cell, Field, openReport, OFFICERS, press, shot, signedIn, stands, sync, typed, WAIT,
} from "./field.mjs";
import { changesOnDesk } from "./changes-on-desk.mjs";

/** What is asked of a page that may lie behind another and draw nothing. */
const LOOK = { ...WAIT, polling: 100 };
const AREA = "khu-vuc-dinh-hoa";
const CODE = "III.3.1.1";
/** Changes that are timed. */
const TIMED = 20;
/** What is asked for now and then is not asked for so often. */
const NO_POLL_MS = 5_000;
const PEOPLE = [
  ...OFFICERS,
  { name: "thu", display: "Ma Thị Thu", role: "aggregator", unit: AREA, subtree: true },
  { name: "trang", display: "Phạm Thu Trang", role: "provincial-reviewer" },
  // Follows an area and the province, and fills reports of their own commune.
  { name: "dung", display: "Lý Văn Dũng", role: "officer", unit: "05542" },
];

let field;
let hanh, area, province;

before(async () => {
  field = await Field.start(PEOPLE);
  const add = ["person", "add", "--name", "dung", "--display", "Lý Văn Dũng", "--role", "aggregator"];
  field.dongbo(...add, "--unit", AREA, "--subtree");
  field.dongbo(...add);
  hanh = await field.page(await field.browser("hanh"));
  await field.enrolled(hanh, "hanh");
  area = await field.page(await field.browser("area"));
  await area.setViewport({ width: 1280, height: 800 });
  await field.enrolled(area, "thu", AREA, ".desk .totals");
  province = await field.page(await field.browser("province"));
  await province.setViewport({ width: 1440, height: 900 });
  await field.enrolled(province, "trang", null, ".desk .totals");
});

after(() => field?.close());

/** Waits until the desk says that it is live, or as of when. */
const says = (of, pattern) => shows(of, ".as-of", pattern);
const words = (of, selector) => of.$eval(selector, (element) => element.innerText.replace(/\s+/g, " ").trim());
/** Waits until an element says what the pattern wants. */
async function shows(of, selector, pattern) {
  const look = (at, source) => new RegExp(source).test(document.querySelector(at)?.innerText.replace(/\s+/g, " ").trim() ?? "");
  await of.waitForFunction(look, LOOK, selector, pattern).catch(async () => {
    assert.match(await words(of, selector), new RegExp(pattern));
  });
}
const covered = (of, text) => shows(of, "[data-coverage]", `^${text}$`);
/** Waits until the desk has kept what it shows: a page that is loaded again has nothing else. */
async function kept(of) {
  const time = (await words(of, ".as-of")).match(/\d\d:\d\d:\d\d/)[0];
  const look = async (shown) => {
    const asked = (request) => new Promise((done, failed) => {
      request.onsuccess = () => done(request.result);
      request.onerror = () => failed(request.error);
    });
    const database = await asked(indexedDB.open("dongbo-desk"));
    const answers = await asked(database.transaction("answers").objectStore("answers").getAll());
    database.close();
    return answers.some(({ at }) => new Date(at * 1000).toTimeString().startsWith(shown));
  };
  await of.waitForFunction(look, LOOK, time);
}
/** Waits until the desk says that everything below it opens without a link, with its last change. */
const readAhead = (of) => of.waitForFunction(() => {
  const { ahead, position } = document.querySelector("[data-ahead]")?.dataset ?? {};
  return ahead !== undefined && Number(ahead) >= Number(position);
}, LOOK);
/** Presses a button of what is opened. */
const opened = async (of, words) =>
  (await of.waitForSelector(`::-p-xpath(//section[contains(@class, 'drill')]//button[contains(., '${words}')])`, WAIT)).click();
/** Opens the figure by keyboard. */
async function openFigure(of) {
  await of.bringToFront();
  await of.focus(figure);
  await of.keyboard.press("Enter");
}
const figure = `button.figure[data-code="${CODE}"]`;

test("an officer's change is on both desks without a reload, and opens down to the cell", async () => {
  for (const desk of [area, province]) await says(desk, "^Trực tiếp \\d\\d:\\d\\d:\\d\\d$");
  await covered(area, "0/8");
  await covered(province, "0/92");
  for (const desk of [area, province]) {
    await press(desk, "Biểu mẫu 3");
    await shows(desk, figure, "^Mở .*– Tạm tính: mới có 0/");
    // A page that was loaded again would not know this any more.
    await desk.evaluate(() => (window.sameLoad = true));
  }
  await shot(province, "province-empty");
  await openReport(hanh);
  await typed(hanh, CODE, "7.412");
  await sync(hanh);
  for (const [desk, due] of [[area, 8], [province, 92]]) {
    await covered(desk, `1/${due}`);
    await shows(desk, figure, `7\\.412 Tạm tính: mới có 1/${due} xã$`);
    assert.equal(await desk.evaluate(() => window.sameLoad), true, "not loaded again");
  }

  // The total opens: province, area, commune, and the cell with its author, times and version.
  await openFigure(province);
  await opened(province, "Khu vực Định Hóa");
  await opened(province, "Xã Định Hoá");
  await shows(province, ".rival-line", "^7\\.412 Người nhập Ma Thị Hạnh Máy Máy tính bảng Nhập lúc .* Nhận lúc .* Thay đổi [0-9a-f]{12}$");
  await shows(province, ".drill", "Phiên bản [0-9a-f]{8}, biểu mẫu bản 1");
  await shot(province, "province-cell");

  // A colleague types something else: the total is a range, in words.
  const toan = await field.page(await field.browser("toan"));
  await field.enrolled(toan, "toan");
  await field.killServer();
  await openReport(toan);
  await typed(toan, CODE, "7.421");
  await openReportAgain(hanh);
  await typed(hanh, CODE, "7.413");
  await field.serve();
  await sync(toan);
  await sync(hanh);
  await shows(province, figure, "7\\.413 đến 7\\.421 Tạm tính: 1 xã tranh chấp$");
  await shows(area, figure, "7\\.413 đến 7\\.421 Tạm tính: 1 xã tranh chấp$");
  await shows(province, ".drill", "7\\.413.*7\\.421.*Tranh chấp: đơn vị chưa chọn giá trị nào");
  await shot(province, "province-conflict");
  await shot(area, "area-conflict");

  // Settled on the sheet with the keyboard alone: both desks have one figure again.
  await stands(hanh, CODE, "Hạnh 7.413 Toàn 7.421");
  await (await cell(hanh, CODE)).focus();
  await hanh.keyboard.down("Alt");
  await hanh.keyboard.press("ArrowDown");
  await hanh.keyboard.up("Alt");
  await hanh.waitForSelector(".conflict-sheet .choice", WAIT);
  await hanh.keyboard.press("b");
  await shows(hanh, ".conflict-sheet footer .main", "^Chọn B: 7\\.421$");
  await confirm(hanh);
  await shows(hanh, ".conflict-sheet footer", "Hãy ghi lý do chọn");
  await hanh.keyboard.type("Đối chiếu sổ một cửa");
  await shows(hanh, ".conflict-sheet .tbl", "Khu vực Định Hóa: .* chưa biết chưa biết \\+8");
  await shot(hanh, "conflict-sheet");
  await confirm(hanh);
  await stands(hanh, CODE, "7.421");
  await sync(hanh);
  await shows(province, figure, "7\\.421 Tạm tính: mới có 1/92 xã$");
  assert.deepEqual(field.complaints(), []);
});

async function confirm(of) {
  await of.keyboard.down("Control");
  await of.keyboard.press("Enter");
  await of.keyboard.up("Control");
}

/** After the server came back the page is where it was. */
const openReportAgain = (of) => cell(of, CODE);

test("an accepted change is on the province's page at once", async () => {
  const took = await changesOnDesk(field, { officer: hanh, desk: province, code: CODE, count: TIMED, desks: 2 });
  // Whatever else this machine does meanwhile, no poll is that quick; the bound is the business of `bounds.mjs`.
  assert.equal(took.length, TIMED);
  assert.ok(took.at(-1) <= NO_POLL_MS, `${took}`);
});

test("with the server killed the desks still read and say as of when; then they are live again", async () => {
  const shown = await province.$eval(figure, (element) => element.innerText);
  await readAhead(area);
  await field.killServer();
  for (const desk of [area, province]) await says(desk, "^Số liệu lúc \\d\\d:\\d\\d:\\d\\d, ngoại tuyến$");
  assert.equal(await province.$eval(figure, (element) => element.innerText), shown, "what was there stays");
  await kept(province);
  await shot(province, "province-offline");
  // Loaded again without a server: the last figures, and what was opened before.
  await province.reload();
  await signedIn(province, "", ".desk .totals");
  await says(province, "^Số liệu lúc .*, ngoại tuyến$");
  await press(province, "Biểu mẫu 3");
  assert.equal(await province.$eval(figure, (element) => element.innerText), shown);
  await openFigure(province);
  await opened(province, "Khu vực Định Hóa");
  await opened(province, "Xã Định Hoá");
  await shows(province, ".rival-line", "Ma Thị Hạnh");
  await shows(province, ".drill", "Số liệu lúc .*, ngoại tuyến");
  // The area was read ahead as a whole: what nobody opened with a link opens as well, as of when.
  await area.reload();
  await signedIn(area, "", ".desk .totals");
  for (const [code, expected] of [["III.3.1.2", "^Mở .* –"], [CODE, "119"]]) {
    await press(area, "Biểu mẫu 3");
    await shows(area, `button.figure[data-code="${code}"]`, expected);
    await area.focus(`button.figure[data-code="${code}"]`);
    await area.keyboard.press("Enter");
    await shows(area, ".drill .parts", "Xã Bình Thành.*Xã Định Hoá");
    await shows(area, ".drill", "Số liệu lúc .*, ngoại tuyến");
  }
  await opened(area, "Xã Định Hoá");
  await shows(area, ".rival-line", "Ma Thị Hạnh");
  await opened(area, "Khu vực Định Hóa");
  await opened(area, "Xã Bình Thành");
  await shows(area, ".drill", "Đơn vị này chưa gửi báo cáo");
  await shot(area, "area-offline-opened");
  await province.$eval(figure, (element) => (element.sameRow = true));
  await field.serve();
  for (const desk of [area, province]) await says(desk, "^Trực tiếp");
  assert.equal(await province.$eval(figure, (element) => element.sameRow), true, "all was said again, and no row is another");
  await typed(hanh, CODE, "55");
  await sync(hanh);
  for (const desk of [area, province]) await covered(desk, desk === area ? "1/8" : "1/92");
  await shows(province, figure, "Mở .* 55 Tạm tính");
  assert.deepEqual(field.complaints(), []);
});

test("a wall screen stays open and live when nobody touches it; what is a person's own asks for their PIN", async () => {
  const wall = await field.page(await field.browser("wall"));
  await wall.setViewport({ width: 1440, height: 900 });
  await field.enrolled(wall, "dung", "05542", "ul.work");
  const untouched = () => wall.evaluate((since) => {
    window.realNow ??= Date.now;
    Date.now = () => window.realNow() + since;
    document.dispatchEvent(new Event("visibilitychange"));
  }, 5 * 60_000);
  await press(wall, "Khu vực Định Hóa");
  await covered(wall, "[01]/8");
  await press(wall, "Màn hình treo tường");
  await wall.waitForSelector('button[aria-pressed="true"]::-p-text(Màn hình treo tường)', WAIT);
  await untouched();
  await shows(wall, ".head", "Chỉ xem");
  assert.equal(await wall.$("button.badge"), null, "nothing is sent or handed over from here");
  assert.equal(await wall.$(`::-p-xpath(//nav//button[contains(., 'Việc của tôi')])`), null, "nothing is filled from here");
  await shot(wall, "wall-screen");
  // It goes on to show what comes, in every place that may be read.
  await press(wall, "Toàn tỉnh");
  await press(wall, "Biểu mẫu 3");
  await typed(hanh, CODE, "66");
  await sync(hanh);
  await shows(wall, figure, "Mở .* 66 Tạm tính");
  await untouched();
  await shows(wall, ".head", "Chỉ xem");
  await press(wall, "Nhập mã PIN để làm việc");
  await signedIn(wall, "", "ul.work");
  // Nobody has said anything about a wall now: it shuts.
  await press(wall, "Khu vực Định Hóa");
  await covered(wall, "[01]/8");
  await wall.evaluate(() => { Date.now = window.realNow; });
  await wall.evaluate(() => document.dispatchEvent(new PointerEvent("pointerdown")));
  await untouched();
  await wall.waitForSelector(".pin input", WAIT);
  assert.deepEqual(field.complaints(), []);
});

test("who has several places changes between them", async () => {
  const dung = await field.page(await field.browser("dung"));
  await field.enrolled(dung, "dung", "05542", "ul.work");
  // Whatever was reported by then: how many owe a report says which place it is.
  await press(dung, "Khu vực Định Hóa");
  await covered(dung, "[01]/8");
  await press(dung, "Toàn tỉnh");
  await covered(dung, "[01]/92");
  await press(dung, "Việc của tôi");
  await dung.waitForSelector("ul.work button.row", WAIT);
  assert.deepEqual(field.complaints(), []);
});
