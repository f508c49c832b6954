// Every page of the app in a state worth looking at: for the gallery, and for what must hold on every page.

import { Field, OFFICERS, WAIT, badge, cell, openReport, signedIn, sync, typed } from "./field.mjs";

/** The sizes every page is looked at in. */
export const SIZES = [[1280, 800], [800, 1280], [360, 740], [1440, 900]];

/** A province in which there is something to see: figures, a conflict, a finding, somebody who is late. */
export async function furnished() {
  const field = await Field.start(OFFICERS);
  const [hanh, toan] = [await field.page(await field.browser("hanh")), await field.page(await field.browser("toan"))];
  await field.enrolled(hanh, "hanh");
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

/** Name and how to get there; each begins on a fresh tab of a browser that knows the officer. */
export const PAGES = [
  { name: "sign-in", go: async (page) => page.waitForSelector(".pin input:enabled", WAIT) },
  { name: "my-work", go: signedIn },
  {
    name: "entry",
    go: async (page) => {
      await signedIn(page);
      await openReport(page);
    },
  },
  {
    name: "entry-conflict",
    go: async (page) => {
      await signedIn(page);
      await openReport(page);
      await (await cell(page, "III.3.1.1")).focus();
      await page.waitForSelector(".side .rival", WAIT);
    },
  },
];

/** Says the language before the page is read. */
export async function speaking(page, language) {
  await page.evaluateOnNewDocument((kept) => localStorage.setItem("language", kept), language);
}
