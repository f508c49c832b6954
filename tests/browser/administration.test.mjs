// The administrator's page outlives its session's tokens: nothing is asked twice, and nothing is lost.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ADMINISTRATOR, Field, press, says, WAIT } from "./field.mjs";

const REFRESH = "/v1/session/refresh";

let field;

after(() => field?.close());

const typedInto = async (page, label, text) =>
  (await page.waitForSelector(`::-p-xpath(//label[contains(., '${label}')]//input)`, WAIT)).type(text);

async function added(page, display, name) {
  await press(page, "Thêm người");
  await typedInto(page, "Họ và tên", display);
  await typedInto(page, "Tên đăng nhập", name);
  await press(page, "Thêm người này");
  await page.waitForSelector(`section.person-page[aria-label='${display}']`, WAIT);
}

test("a token that is over is exchanged once, by the page's clock or by the server's word", async () => {
  field = await Field.start();
  let over = false;
  let renewed = 0;
  let refused = 0;
  const front = await field.front(() => undefined, ({ url, headers }) => {
    if (url === REFRESH) {
      renewed += 1;
      over = false;
    }
    if (!over || !headers.authorization) return undefined;
    refused += 1;
    return { status: 401, body: { code: "token-expired" } };
  });
  const page = await field.page(await field.browser("administrator"), `${front}/#administration`);
  await typedInto(page, "Tên đăng nhập", field.administrator);
  await typedInto(page, "Mật khẩu", ADMINISTRATOR);
  await press(page, "Đăng nhập");
  await says(page, "Ma Thị Hạnh");
  assert.equal(renewed, 0, "a young token is not exchanged");

  // The computer slept: the server refuses what the page takes for good.
  over = true;
  await added(page, "Lý Văn Sơn", "son");
  assert.deepEqual([refused, renewed], [1, 1]);

  // A quarter of an hour by the page's clock: exchanged before anything is refused.
  over = true;
  await page.evaluate(() => {
    const real = performance.now.bind(performance);
    performance.now = () => real() + 15 * 60_000;
  });
  await added(page, "Nông Thị Mai", "mai");
  assert.deepEqual([refused, renewed], [1, 2]);

  // Each was added once.
  field.dongbo("sync");
  const names = field.dongbo("list", "people").items.map(({ name }) => name);
  assert.deepEqual(["son", "mai"].map((name) => names.filter((one) => one === name).length), [1, 1]);
  assert.deepEqual(field.complaints(), []);
});
