// Two servers, one tablet: the province's and an area's edge. The app came from the province and goes over to the edge
// when a person says so, and by itself when the province is away; what only the edge has is told apart from what the
// province has; the browser's question about the local network is asked at a press, and its No is explained.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  badge, cell, button, COMMUNE, Field, openReport, press, says, shot, signedIn, stands, sync, typed, violations, WAIT,
} from "./field.mjs";

const AREA = "khu-vuc-dinh-hoa";
const EDGE = "Khu vực Định Hóa";
const WITH_EDGE = `Đã đồng bộ với ${EDGE}`;
const WITH_PROVINCE = "Đã đồng bộ \\d";
let field;
let edge;
let browser;
let page;

/** The sync page of the app, until `act` is done. */
async function onSheet(of, act) {
  await of.bringToFront();
  await of.click("button.badge");
  await of.waitForSelector("dialog .btn.main:enabled", WAIT);
  await act();
  await of.click("dialog .head button");
  await of.waitForSelector("dialog", { ...WAIT, hidden: true, polling: 100 });
}

async function state(of, code, words) {
  // Only rows in sight are drawn.
  await cell(of, code);
  const says = (row, wanted) => document.getElementById(`state-${row}`)?.textContent.trim() === wanted;
  await of.waitForFunction(says, { ...WAIT, polling: 100 }, code, words);
}
/** Goes over to a server, as a person does. */
const use = (of, name) => onSheet(of, () => press(of, `Dùng ${name}`));
/** Lets the edge exchange with the province now. */
const round = () => field.dongbo("node", "sync", "--url", edge.url);

/** Says what the browser answers when it is asked about the local network. */
async function answers(of, setting) {
  const session = await of.target().createCDPSession();
  for (const name of ["local-network", "loopback-network"]) {
    await session.send("Browser.setPermission", { permission: { name }, setting, origin: field.url });
  }
}

/** A browser to which the province is on the internet and the edge in the local network, as they are in the field. */
function apart(profile) {
  const of = (url, space) => `127.0.0.1:${new URL(url).port}=${space}`;
  return field.browser(profile, [`--ip-address-space-overrides=${of(field.url, "public")},${of(edge.url, "local")}`]);
}

before(async () => {
  field = await Field.start();
  browser = await field.browser("hanh");
  page = await field.page(browser);
  await field.enrolled(page, "hanh");
  await badge(page, WITH_PROVINCE);
});

after(() => field?.close());

test("an edge that is added later is offered, and may be reached once the app was loaded again", async () => {
  await onSheet(page, async () => {
    assert.equal(await page.$(button(`Dùng ${EDGE}`)), null, "one server: nothing to choose");
  });
  edge = await field.edge(AREA, EDGE);
  await sync(page);
  await onSheet(page, async () => {
    await says(page, "Chưa liên lạc lần nào");
    await says(page, "Tải lại ứng dụng thì dùng được nó");
    await shot(page, "nodes-reload");
    // Not before: the policy that this page came with does not know the edge.
    await press(page, `Dùng ${EDGE}`);
    await says(page, `Không tới được ${EDGE}, nên vẫn dùng máy chủ cũ.`);
  });
  await page.click("button.badge");
  await Promise.all([page.waitForNavigation(), press(page, "Tải lại ứng dụng")]);
  await signedIn(page);
  await use(page, EDGE);
  await badge(page, WITH_EDGE);
});

test("the province is away: the tablet goes on through the edge, and back, with nothing twice and nothing lost", async () => {
  await openReport(page);
  await use(page, "Máy chủ của tỉnh");
  await badge(page, WITH_PROVINCE);
  await typed(page, "III.1.1", "11");
  await state(page, "III.1.1", "Tỉnh đã nhận");

  await field.killServer();
  await typed(page, "III.1.2", "12");
  // Nobody has pressed anything.
  await badge(page, WITH_EDGE);
  await state(page, "III.1.2", "Khu vực đã nhận");
  await state(page, "III.1.1", "Tỉnh đã nhận");
  await onSheet(page, async () => {
    await says(page, `Máy này và máy chủ ${EDGE} có cùng một nội dung.`);
    await says(page, "1 thay đổi mới có ở máy chủ khu vực: tỉnh chưa xác nhận với máy này.");
    await says(page, "Lần thử gần nhất không tới được");
    assert.deepEqual(await violations(page), []);
    for (const [width, height] of [[360, 740], [800, 1280], [1280, 800]]) {
      await page.setViewport({ width, height });
      await shot(page, `nodes-${width}`);
    }
    await page.setViewport({ width: 800, height: 1280 });
  });
  // Loaded again it still knows where it is, with the province away, and what only the edge has.
  await page.reload();
  await signedIn(page);
  await openReport(page);
  await badge(page, WITH_EDGE);
  await state(page, "III.1.2", "Khu vực đã nhận");
  await typed(page, "III.1.3", "13");
  await badge(page, WITH_EDGE);

  // The edge is away as well, and the province back: everything goes there, once.
  await field.serve();
  assert.equal(round().in_step, true);
  await edge.kill();
  await typed(page, "III.3.1.1", "31");
  await badge(page, WITH_PROVINCE);
  for (const code of ["III.1.2", "III.1.3", "III.3.1.1"]) await state(page, code, "Tỉnh đã nhận");
  await edge.serve();
  assert.equal(round().in_step, true);
  await use(page, EDGE);
  await badge(page, WITH_EDGE);
  await state(page, "III.3.1.1", "Tỉnh đã nhận");
  assert.deepEqual(field.seenBy("toan", COMMUNE), { "III.1.1": "11", "III.1.2": "12", "III.1.3": "13", "III.3.1.1": "31" });
  // Neither has anything for the other any more.
  const last = round();
  assert.deepEqual([last.in_step, last.differences], [true, 0], JSON.stringify(last));
  await edge.kill();
  await field.killServer();
  const [up, down] = [field.province, edge.folder].map((folder) => field.program("dongbo", "verify", "--journal", folder));
  assert.deepEqual([up.wrong, down.wrong], [[], []]);
  assert.equal(up.fingerprint, down.fingerprint);
  // Four values, each sealed by itself.
  assert.deepEqual([up.parts, down.parts], [4, 4]);
  await field.serve();
  await edge.serve();
});

test("the browser asks about the local network at a press alone, and its No is explained", async () => {
  const guarded = await apart("guarded");
  const tablet = await field.page(guarded);
  await field.enrolled(tablet, "toan");
  await badge(tablet, WITH_PROVINCE);
  await answers(tablet, "denied");
  await onSheet(tablet, async () => {
    await press(tablet, `Dùng ${EDGE}`);
    await says(tablet, "Trình duyệt không cho ứng dụng tới các máy trong mạng nội bộ");
    await shot(tablet, "nodes-denied");
  });
  await badge(tablet, WITH_PROVINCE);
  // Not asked yet: the province is away and the edge is not tried, since nobody pressed anything.
  await answers(tablet, "prompt");
  await openReport(tablet);
  await field.killServer();
  await typed(tablet, "III.1.1", "14");
  await badge(tablet, "Ngoại tuyến – 1 thay đổi chờ gửi");
  await answers(tablet, "granted");
  await use(tablet, EDGE);
  await badge(tablet, WITH_EDGE);
  await stands(tablet, "III.1.1", "14");
  await state(tablet, "III.1.1", "Khu vực đã nhận");
  await field.serve();
  assert.deepEqual(field.complaints().filter((line) => !/local network|CORS|Content Security Policy|connect-src/i.test(line)), []);
});
