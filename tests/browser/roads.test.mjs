// The roads to the server: a link that is cut every two kilobytes, one that falls silent in the middle of an answer or
// from the start, something else that answers in its place, and a file on a stick.

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

/** Bytes of an answer that come before a link falls silent. */
const SILENT_AFTER_BYTES = 3_000;

/** A link on which connections stay open and nothing comes any more: with `silent` set, after so many bytes of the
    answer to an exchange. Counts exchanges, and the bytes of their answers. */
async function silentLink() {
  const link = { silent: null, exchanges: 0, answered: 0, url: "", close: () => undefined };
  const sockets = new Set();
  const server = createServer((near) => {
    const { hostname, port } = new URL(field.url);
    const far = connect(Number(port), hostname);
    let left = Infinity;
    let exchanges = false;
    const dead = (bytes) => link.silent === 0 || left < bytes.length;
    for (const [from, to] of [[near, far], [far, near]]) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on("data", (bytes) => {
        if (from === near && bytes.includes("POST /v1/sync")) {
          exchanges = true;
          link.exchanges += 1;
          if (link.silent !== null) left = link.silent;
        }
        const passed = from === near ? (link.silent === 0 ? 0 : bytes.length) : dead(bytes) ? Math.min(left, bytes.length) : bytes.length;
        if (from === far && exchanges) {
          left -= passed;
          link.answered += passed;
        }
        if (passed > 0) to.write(bytes.subarray(0, passed));
      });
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  link.url = `http://127.0.0.1:${server.address().port}`;
  link.close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return link;
}

/** As long as a line may be silent, and what follows. */
const SILENCE = { timeout: 60_000, polling: 100 };
const shows = (page, pattern, most = WAIT) =>
  page.waitForFunction((source) => new RegExp(source).test(document.body.innerText), { ...most, polling: 100 }, pattern);

test("a link that falls silent is given up after half a minute, what is left is told, and what came is not sent again", async () => {
  const [stalling, halfOpen] = [await silentLink(), await silentLink()];
  try {
    // In the middle of the first answer of a new tablet, which brings the whole catalogue.
    const stalled = async () => {
      const page = await field.page(await field.browser("stalled"), stalling.url);
      stalling.silent = SILENT_AFTER_BYTES;
      const enrolled = field.enrolled(page, "hanh", COMMUNE, "body");
      await shows(page, "Đang nhận – còn \\d+ KB");
      const left = () => page.evaluate(() => Number(/còn (\d+) KB/.exec(document.body.innerText)[1]));
      const before = await left();
      assert.ok(before > 10, `${before} KB left of a catalogue`);
      stalling.silent = null;
      await enrolled;
      await page.waitForSelector("ul.work button.row", SILENCE);
      await badge(page, "Đã đồng bộ");
      assert.ok(stalling.exchanges >= 2, "the silent connection was given up");
      // With the heads of its answers, and what the page asks for beside it.
      const whole = SILENT_AFTER_BYTES + before * 1_024;
      assert.ok(stalling.answered < whole * 1.25, `${stalling.answered} bytes for an answer of ${whole}`);
    };
    // Nothing at all: the other side is gone, and nobody has said so.
    const gone = async () => {
      const page = await field.page(await field.browser("half-open"), halfOpen.url);
      await field.enrolled(page, "toan");
      await openReport(page);
      await badge(page, "Đã đồng bộ");
      halfOpen.silent = 0;
      await typed(page, "III.1.3", "77");
      await page.click("button.badge");
      await (await page.waitForSelector("dialog .btn.main:enabled", WAIT)).click();
      await shows(page, "Đang gửi – còn");
      await shows(page, "Đường truyền mở nhưng không có gì tới trong 30 giây", SILENCE);
      await shot(page, "link-silent");
      await page.click("dialog .head button");
      await badge(page, "Ngoại tuyến – \\d+ thay đổi chờ gửi");
      halfOpen.silent = null;
      await sync(page);
      await badge(page, "Đã đồng bộ");
    };
    await Promise.all([stalled(), gone()]);
    assert.deepEqual(cells(["III.1.3"]), ["77"]);
  } finally {
    stalling.close();
    halfOpen.close();
  }
});

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
