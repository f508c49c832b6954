// What must hold on every page: no violation that axe-core finds, in both languages, by day and in sunlight.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { shot, violations, WAIT } from "./field.mjs";
import { PAGES, SIZES, furnished, speaking } from "./pages.mjs";

let field;
let browser;

/** Whatever the size of the screen, the foot leaves it to the page, and the form that is shown has its tab in sight;
    beside a table stands what was opened from it. */
function inPlace() {
  const box = (selector) => document.querySelector(selector)?.getBoundingClientRect();
  const always = [...document.querySelectorAll("footer.line")].find((one) => getComputedStyle(one).position === "sticky" || one.closest(".entry"));
  const [foot, tab, drill] = [always?.getBoundingClientRect(), box(".entry nav.tabs .on"), box("section.drill")];
  return (!foot || foot.height <= innerHeight / 5)
    && (!tab || (tab.left >= 0 && tab.right <= innerWidth))
    && (!drill || (drill.top < innerHeight / 2 + 80 && drill.bottom > innerHeight / 4));
}

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
          await page.waitForFunction(inPlace, WAIT);
        }
        assert.deepEqual(await violations(page), []);
        assert.equal(await page.evaluate(() => document.documentElement.lang), language);
      } finally {
        await page.close();
      }
    });
  }
}
