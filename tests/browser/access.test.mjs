// What must hold on every page: no violation that axe-core finds, in both languages, by day and in sunlight.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { shot } from "./field.mjs";
import { PAGES, SIZES, furnished, speaking } from "./pages.mjs";

const modules = createRequire(join(import.meta.dirname, "../../clients/web/package.json"));
const axe = readFileSync(modules.resolve("axe-core/axe.min.js"), "utf8");
let field;
let browser;

before(async () => {
  const made = await furnished();
  field = made.field;
  browser = made.hanh.browser();
  await made.hanh.close();
});

after(async () => field?.close());

/** Rules of WCAG 2.2 AA and axe-core's own good practice. */
async function violations(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`);
}

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
