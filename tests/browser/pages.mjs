// Every page of the app in a state worth looking at: for the gallery, and for what must hold on every page.

import { Field, OFFICERS, WAIT, badge, cell, openReport, press, signedIn, sync, typed } from "./field.mjs";

const AREA = "khu-vuc-dinh-hoa";
const DESK = ".desk .totals";
const FIRST = "ul.work button.row";
/** The desks above the commune. */
const ABOVE = [
  { name: "thu", display: "Ma Thị Thu", role: "aggregator", unit: AREA, subtree: true },
  { name: "trang", display: "Phạm Thu Trang", role: "provincial-reviewer" },
];

/** The sizes every page is looked at in. */
export const SIZES = [[1280, 800], [800, 1280], [360, 740], [1440, 900]];

/** A province in which there is something to see: figures, a conflict, a finding, somebody who is late. */
export async function furnished() {
  const field = await Field.start([...OFFICERS, ...ABOVE]);
  const browser = await field.browser("shared");
  // One tablet of three people, the last of them the officer whose work is looked at.
  for (const [name, unit] of [["thu", AREA], ["trang", null]]) {
    await enrolAnother(field, browser, name, unit, DESK).then((page) => page.close());
  }
  const hanh = await enrolAnother(field, browser, "hanh", OFFICERS[0].unit, FIRST);
  const toan = await field.page(await field.browser("toan"));
  await field.enrolled(toan, "toan");
  await openReport(hanh);
  await openReport(toan);
  await typed(hanh, "III.3.1.1", "7.412");
  await typed(hanh, "III.3.1.2", "7.376");
  await typed(hanh, "III.1.2", "0");
  await typed(hanh, "III.3.1", "99,9", "99,9 %");
  await typed(toan, "III.3.1.1", "7.421");
  for (const page of [hanh, toan, hanh]) {
    await sync(page);
    await badge(page, "Đã đồng bộ");
  }
  return { field, hanh };
}

/** Makes a tablet somebody's, whether it is others' already or not. */
async function enrolAnother(field, browser, name, unit, first) {
  const page = await field.page(browser);
  const here = await page.waitForSelector("form.sheet input, label.person", WAIT);
  if (await here.evaluate((element) => element.matches("label"))) await press(page, "Ghi danh máy này");
  await field.enrolled(page, name, unit, first);
  return page;
}

/** In either language; a picture is of a page at rest. */
const atRest = (page) => badge(page, "Đã đồng bộ|Synchronised");

async function officer(page) {
  await signedIn(page, "Ma Thị Hạnh");
  await atRest(page);
}

async function desk(page, name) {
  await signedIn(page, name, DESK);
  await atRest(page);
}

/** Below the PIN of the sign-in page: what else may be done for a person. */
async function instead(page, at) {
  await (await page.waitForSelector(`.more button:nth-child(${at})`, WAIT)).click();
  await page.waitForSelector("section.sheet h3", WAIT);
}

/** Name and how to get there; each begins on a fresh tab of a browser that knows the officer. */
export const PAGES = [
  { name: "sign-in", go: async (page) => page.waitForSelector(".pin input:enabled", WAIT) },
  { name: "pin-change", go: (page) => instead(page, 2) },
  { name: "person-remove", go: (page) => instead(page, 3) },
  { name: "my-work", go: officer },
  {
    name: "entry",
    go: async (page) => {
      await officer(page);
      await openReport(page);
    },
  },
  {
    name: "entry-conflict",
    go: async (page) => {
      await officer(page);
      await openReport(page);
      await (await cell(page, "III.3.1.1")).focus();
      await page.waitForSelector(".side .rival", WAIT);
    },
  },
  {
    name: "conflict",
    go: async (page) => {
      await officer(page);
      await openReport(page);
      await (await cell(page, "III.3.1.1")).focus();
      await page.keyboard.down("Alt");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.up("Alt");
      await page.waitForSelector(".conflict-sheet .choice", WAIT);
    },
  },
  {
    name: "sync",
    go: async (page) => {
      await officer(page);
      await page.click("button.badge");
      await page.waitForSelector("dialog .btn.main:enabled", WAIT);
    },
  },
  { name: "area", go: (page) => desk(page, "Ma Thị Thu") },
  { name: "province", go: (page) => desk(page, "Phạm Thu Trang") },
  {
    name: "province-cell",
    go: async (page) => {
      await desk(page, "Phạm Thu Trang");
      await (await page.waitForSelector("::-p-xpath(//nav//button[contains(., '3')] | //*[@role='tab'][contains(., '3')])", WAIT)).click();
      await page.focus('button.figure[data-code="III.3.1.1"]');
      await page.keyboard.press("Enter");
      await page.waitForSelector("section.drill", WAIT);
    },
  },
];

/** Says the language before the page is read. */
export async function speaking(page, language) {
  await page.evaluateOnNewDocument((kept) => localStorage.setItem("language", kept), language);
}
