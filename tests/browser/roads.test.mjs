// The roads to the server: a link that is cut every two kilobytes, something else that answers in its place, a line
// on which nothing comes, and a file on a stick.

import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { badge, COMMUNE, Field, openReport, press, says, shot, stands, sync, TEMPLATE, typed, WAIT } from "./field.mjs";

/** Bytes both ways after which a connection is cut. */
const CUT_BYTES = 2_048;
const CODES = ["III.1.1", "III.1.2", "III.1.3", "III.3.1.1", "III.3.1.2", "III.3.2.1"];
let field;

before(async () => {
  field = await Field.start();
});

after(() => field?.close());

/** A link that is in order until `cutting` is set: then no connection brings more than so many bytes. */
async function cuttingLink() {
  const link = { cutting: false, cuts: 0, url: "", close: () => undefined };
  const sockets = new Set();
  const server = createServer((near) => {
    const { hostname, port } = new URL(field.url);
    const far = connect(Number(port), hostname);
    let left = CUT_BYTES;
    for (const [from, to] of [[near, far], [far, near]]) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        // What was on its way before a cut arrives.
        to.end();
      });
      from.on("data", (bytes) => {
        if (!link.cutting) return to.write(bytes);
        to.write(bytes.subarray(0, left));
        left -= bytes.length;
        if (left > 0) return;
        link.cuts += 1;
        near.end();
        far.end();
        from.pause();
        setTimeout(() => [near, far].forEach((socket) => socket.destroy()), 20);
      });
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  link.url = `http://127.0.0.1:${server.address().port}`;
  link.close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  link.forget = () => sockets.forEach((socket) => socket.destroy());
  return link;
}

/** What the province has in these cells, as a colleague sees it. */
function cells(codes) {
  const device = ["--device", join(field.folder, "colleague")];
  if (!existsSync(device[1])) {
    const { code } = field.dongbo("enrolment", "new", "--person", "toan", "--unit", COMMUNE, "--label", "máy xem");
    field.program("dongbo", ...device, "enrol", "--server", field.url, "--code", code);
  }
  field.program("dongbo", ...device, "sync");
  const asked = ["--template", TEMPLATE, "--unit", COMMUNE, "--period", "2025", "--filled"];
  const { rows } = field.program("dongbo", ...device, "show", ...asked);
  return codes.map((code) => rows.find((row) => row.code === code)?.values.map(({ value }) => value).join(" | "));
}

test("an exchange goes on over a link that is cut every two kilobytes", async () => {
  const link = await cuttingLink();
  try {
    const page = await field.page(await field.browser("cut"), link.url);
    await field.enrolled(page, "hanh");
    await badge(page, "Đã đồng bộ");
    await openReport(page);
    await field.killServer();
    for (const [at, code] of CODES.entries()) {
      await typed(page, code, String(7_000 + at), `7.00${at}`);
      // Each by itself is sealed: more to send than one connection brings.
      await page.waitForFunction((row) => document.getElementById(`state-${row}`)?.textContent.trim() === "Chờ gửi", WAIT, code);
    }
    link.cutting = true;
    link.forget();
    await field.serve();
    await sync(page);
    await badge(page, "Đã đồng bộ");
    assert.ok(link.cuts >= 2, `cut ${link.cuts} times`);
    assert.deepEqual(cells(CODES), CODES.map((_, at) => String(7_000 + at)));
  } finally {
    link.close();
  }
});

test("what stands between the tablet and the server is told in words, and nothing typed is lost", async () => {
  let between = null;
  const front = await field.front((path) => (between === "rewriting" && path === "/v1/sync" ? Buffer.from("\x05 another answer") : undefined),
    ({ url }) => (between === "portal" && url.startsWith("/v1/") ? { status: 200, type: "text/html", body: "<h1>Wi-Fi</h1>" } : undefined));
  const page = await field.page(await field.browser("between"), front);
  await field.enrolled(page, "hanh");
  await openReport(page);
  await badge(page, "Đã đồng bộ");
  const told = async (kind, value, words) => {
    between = kind;
    await typed(page, "III.1.1", value);
    await page.click("button.badge");
    await (await page.waitForSelector("dialog .btn.main:enabled", WAIT)).click();
    await says(page, words);
    await shot(page, `link-${kind}`);
    await page.click("dialog .head button");
    await badge(page, "Ngoại tuyến");
  };
  await told("portal", "21", "Có thứ khác trả lời thay máy chủ");
  await told("rewriting", "22", "Câu trả lời bị thay đổi trên đường truyền");
  between = null;
  await sync(page);
  await badge(page, "Đã đồng bộ");
  assert.deepEqual(cells(["III.1.1"]), ["22"]);
});

test("work goes to the province as a file and its receipt comes back as one", async () => {
  let away = false;
  const front = await field.front(() => undefined, () => (away ? { status: 502, type: "text/plain", body: "" } : undefined));
  const page = await field.page(await field.browser("file"), front);
  await field.enrolled(page, "hanh");
  await openReport(page);
  await badge(page, "Đã đồng bộ");
  away = true;
  await typed(page, "III.1.2", "31");
  await badge(page, "Ngoại tuyến");
  await page.click("button.badge");
  await page.waitForSelector("dialog .btn.main", WAIT);
  await page.evaluate(() => {
    const real = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
      window.bundle = blob.arrayBuffer().then((bytes) => Array.from(new Uint8Array(bytes)));
      return real(blob);
    };
  });
  await press(page, "Ghi tệp để mang đi");
  await says(page, "vẫn chờ ở đây cho đến khi có biên nhận");
  await shot(page, "send-by-file");
  const stick = join(field.folder, "gui.dongbo");
  writeFileSync(stick, Buffer.from(await page.evaluate(() => window.bundle)));
  // Its number was durable before: a second file has another.
  const number = (file) => field.program("dongbo", "bundle", "inspect", file).number;
  assert.equal(number(stick), 1);
  await page.evaluate(() => (window.bundle = undefined));
  await press(page, "Ghi tệp để mang đi");
  await page.waitForFunction(() => window.bundle !== undefined, WAIT);
  const second = join(field.folder, "gui-2.dongbo");
  writeFileSync(second, Buffer.from(await page.evaluate(() => window.bundle)));
  assert.equal(number(second), 2);
  await page.click("dialog .head button");

  // A colleague carries it, and brings the answer.
  const courier = ["--device", join(field.folder, "courier")];
  const { code } = field.dongbo("enrolment", "new", "--person", "toan", "--unit", "05569", "--label", "máy có mạng");
  field.program("dongbo", ...courier, "enrol", "--server", field.url, "--code", code);
  const back = join(field.folder, "tra-loi.dongbo");
  field.program("dongbo", ...courier, "bundle", "read", stick, "--server", field.url, "--answer", back);
  assert.deepEqual(cells(["III.1.2"]), ["31"]);
  await page.click("button.badge");
  const input = await page.waitForSelector('dialog input[type="file"]', WAIT);
  await input.uploadFile(back);
  await says(page, "máy chủ xác nhận đã nhận 1 phần của máy này");
  await says(page, "Không có gì chờ gửi.");
  await page.click("dialog .head button");
  await badge(page, "Ngoại tuyến – không có gì chờ gửi");
  await page.waitForFunction(() => document.getElementById("state-III.1.2")?.textContent.trim() === "Tỉnh đã nhận", WAIT);
  // What is no such file, or was changed on the way, is refused in words.
  await page.click("button.badge");
  const wrong = await page.waitForSelector('dialog input[type="file"]', WAIT);
  await wrong.uploadFile(field.file("other.dongbo", "xin chào"));
  await says(page, "Tệp này không phải tệp gửi của Đồng Bộ.");
  await page.click("dialog .head button");
  away = false;
  await sync(page);
  await badge(page, "Đã đồng bộ");
  await stands(page, "III.1.2", "31");
});
