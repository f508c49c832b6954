// Two languages: the one that was chosen last is spoken, whichever words came later.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Field, press, says, WAIT } from "./field.mjs";

let field;

after(() => field?.close());

test("who chooses English and at once Vietnamese again reads Vietnamese, now and later", async () => {
  field = await Field.start();
  const page = await field.page(await field.browser("anybody"));
  await says(page, "Ai đang dùng máy này?");
  await page.evaluate(() => {
    const [vietnamese, english] = document.querySelectorAll(".seg button");
    english.click();
    vietnamese.click();
  });
  const words = await page.waitForFunction(() => {
    const loaded = performance.getEntriesByType("resource").find(({ name }) => /web\.en-[^/]*\.js$/.test(name));
    return loaded?.name;
  }, { ...WAIT, polling: 100 });
  // The English words are there, and whoever waited for them has been told.
  await page.evaluate(async (address) => {
    await import(address);
    await new Promise((resolve) => setTimeout(resolve));
  }, await words.jsonValue());
  const language = () => page.evaluate(() => [document.documentElement.lang, localStorage.getItem("language")]);
  assert.deepEqual(await language(), ["vi", "vi"]);
  await press(page, "English");
  await says(page, "Who is using this device?");
  await page.reload();
  await says(page, "Who is using this device?");
  assert.deepEqual(await language(), ["en", "en"]);
  assert.deepEqual(field.complaints(), []);
});
