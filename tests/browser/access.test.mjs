// What must hold on every page: no violation that axe-core finds, in both languages, by day and in sunlight.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { shot, violations } from "./field.mjs";
import { PAGES, SIZES, furnished, speaking } from "./pages.mjs";

let field;
let browser;

before(async () => {
  const made = await furnished();
  field = made.field;
  browser = made.hanh.browser();
  await made.hanh.close();
});

after(async () => field?.close());

for (const language of ["vi", "en"]) {
  for (const { name, go } of PAGES) {
    test(`${name} (${language}) has no violation, and nothing wider than its page`, async () => {
      const page = await field.page(browser, field.url, (fresh) => speaking(fresh, language));
      try {
        await go(page);
        for (const [width, height] of SIZES) {
          await page.setViewport({ width, height });
          await shot(page, `${name}-${language}-${width}x${height}`);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          assert.ok(wide <= 0, `${width} px: ${wide} px too wide`);
        }
        assert.deepEqual(await violations(page), []);
        assert.equal(await page.evaluate(() => document.documentElement.lang), language);
      } finally {
        await page.close();
      }
    });
  }
}
