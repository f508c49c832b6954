// Two officers of one commune in real Chromium: offline, reloaded, killed in the middle, back again.
// Needs the built programs (`cargo build --workspace --bins` after `cargo xtask web`) and Chromium.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

const root = join(import.meta.dirname, "../..");
const puppeteer = createRequire(join(root, "clients/web/package.json"))("puppeteer-core");
const programs = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug");
const folder = mkdtempSync(join(tmpdir(), "dongbo-browser-"));
const province = join(folder, "province");
const shots = process.env.DONGBO_SHOTS;
const COMMUNE = "05569";
const TEMPLATE = "bao-cao-cchc-2022";
const WAIT = { timeout: 30_000 };

let server;
let url;
let chromium = [];

function dongbo(...words) {
  const device = ["--device", join(folder, "administrator"), "--json"];
  return JSON.parse(execFileSync(join(programs, "dongbo"), [...device, ...words], { encoding: "utf8" }));
}

/** Starts the server at an address and waits until it listens. */
async function serve(listen) {
  const words = ["--json", "serve", "--listen", listen, "--folder", province];
  const child = spawn(join(programs, "dongbo-server"), words, { stdio: ["ignore", "ignore", "pipe"] });
  const address = await new Promise((resolve, reject) => {
    let seen = "";
    child.stderr.on("data", (piece) => {
      seen += piece;
      const found = /"listen":"([^"]+)"/.exec(seen);
      if (found) resolve(found[1]);
    });
    child.on("exit", (code) => reject(new Error(`the server ended with ${code}: ${seen}`)));
  });
  return { child, address };
}

async function killed(child) {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

async function browser(profile) {
  const opened = await puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? execFileSync("which", ["chromium"], { encoding: "utf8" }).trim(),
    userDataDir: join(folder, profile),
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
    defaultViewport: { width: 800, height: 1280 },
  });
  chromium.push(opened);
  return opened;
}

async function page(of) {
  const opened = await of.newPage();
  opened.on("pageerror", (error) => errors.push(String(error)));
  opened.on("console", (line) => line.type() === "error" && errors.push(line.text()));
  await opened.goto(url);
  return opened;
}

/** What pages complained about, but for a server that is not there. */
const errors = [];
const complaints = () => errors.filter((line) => !/ERR_CONNECTION_REFUSED|ERR_INTERNET_DISCONNECTED|Failed to load resource/.test(line));

const button = (text) => `::-p-xpath(//button[contains(., '${text}')])`;

async function shot(of, name) {
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  await of.screenshot({ path: join(shots, `${name}.png`) });
}

async function enrolled(of, name) {
  const { code } = dongbo("enrolment", "new", "--person", name, "--unit", COMMUNE, "--label", `máy ${name}`);
  const input = await of.waitForSelector("form input", WAIT);
  await input.type(code);
  await of.click("form button");
  await of.waitForSelector("ul.work button.row", WAIT);
}

async function openReport(of) {
  await of.click("ul.work button.row");
  await of.waitForSelector("table.grid", WAIT);
  await (await of.waitForSelector(button("Biểu mẫu 3"), WAIT)).click();
  await cell(of, "III.3.1.1");
}

const cell = (of, code) => of.waitForSelector(`button.cell[data-code="${code}"]`, WAIT);
const text = async (of, code) => (await cell(of, code)).evaluate((element) => element.innerText.trim());

/** Types into a cell by keyboard and waits until it stands there. */
async function typed(of, code, keys, expected) {
  await (await cell(of, code)).focus();
  await of.keyboard.type(keys);
  await of.keyboard.press("Enter");
  await stands(of, code, expected ?? keys);
}

async function stands(of, code, expected) {
  const shown = (selector, wanted) =>
    document.querySelector(selector)?.innerText.replace(/\s+/g, " ").trim() === wanted;
  await of.waitForFunction(shown, WAIT, `button.cell[data-code="${code}"]`, expected).catch(async () => {
    assert.equal(await text(of, code), expected, `cell ${code}`);
  });
}

const badge = (of, pattern) =>
  of.waitForFunction((source) => new RegExp(source).test(document.querySelector(".badge")?.innerText ?? ""), WAIT, pattern);
const sync = (of) => of.click("button.badge");

before(async () => {
  const init = ["--json", "init", "--province", "Tỉnh Thái Nguyên", "--rehearsal", "Diễn tập", "--folder", province];
  const { code } = JSON.parse(execFileSync(join(programs, "dongbo-server"), init, { encoding: "utf8" }));
  const started = await serve("127.0.0.1:0");
  server = started.child;
  url = `http://${started.address}`;
  dongbo("enrol", "--server", url, "--code", code, "--password", "mat khau quan tri 2025");
  dongbo("org", "import", "thai-nguyen-2025");
  dongbo("template", "import", TEMPLATE);
  dongbo("duty", "add", "--template", TEMPLATE, "--period", "2025", "--due", "2025-12-15");
  for (const [name, display] of [["hanh", "Ma Thị Hạnh"], ["toan", "Hoàng Văn Toàn"]]) {
    dongbo("person", "add", "--name", name, "--display", display, "--role", "officer", "--unit", COMMUNE);
  }
});

after(async () => {
  await Promise.all(chromium.map((one) => one.close().catch(() => undefined)));
  if (server) await killed(server);
  rmSync(folder, { recursive: true, force: true });
});

test("two officers, offline and back: nothing is lost, and the cell they disagree on is settled", async () => {
  let hanhs = await browser("hanh");
  let hanh = await page(hanhs);
  await shot(hanh, "sign-in");
  await enrolled(hanh, "hanh");
  await badge(hanh, "Đã đồng bộ");
  await shot(hanh, "my-work");
  const toan = await page(await browser("toan"));
  await enrolled(toan, "toan");
  await hanh.waitForFunction(() => navigator.serviceWorker.controller !== null || navigator.serviceWorker.ready.then(() => true), WAIT);

  // The server is killed: the page opens again, and work goes on.
  await killed(server);
  await hanh.reload();
  await (await hanh.waitForSelector("button.person", WAIT)).click();
  await hanh.waitForSelector("ul.work button.row", WAIT);
  await openReport(hanh);
  await typed(hanh, "III.3.1.1", "7.412");
  await typed(hanh, "III.3.1.2", "7.376");
  const ratio = await hanh.$eval('button.cell[data-code="III.3.1"]', (element) => element.innerText.trim());
  assert.match(ratio, /^99,51\s%$/, "the ratio is proposed at once");
  await badge(hanh, "Ngoại tuyến – \\d+ thay đổi");
  await shot(hanh, "entry-offline");

  // An ambiguous number is asked about, nothing is guessed.
  await (await cell(hanh, "III.3.2.1")).focus();
  await hanh.keyboard.type("99.68");
  await hanh.keyboard.press("Enter");
  await hanh.waitForSelector("tr.why.error [role=alert]", WAIT);
  await hanh.keyboard.press("Escape");

  // The browser is killed in the middle of it.
  hanhs.process().kill("SIGKILL");
  await new Promise((resolve) => hanhs.once("disconnected", resolve));
  hanhs = await browser("hanh");
  hanh = await page(hanhs);
  await (await hanh.waitForSelector("button.person", WAIT)).click();
  await hanh.waitForSelector("ul.work button.row", WAIT);
  await openReport(hanh);
  await stands(hanh, "III.3.1.1", "7.412");
  await stands(hanh, "III.3.1.2", "7.376");

  // A colleague, offline too: another cell, and another value for the same one.
  await openReport(toan);
  await typed(toan, "III.3.1.1", "7.421");
  await typed(toan, "III.1.2", "12");

  // Both come back.
  ({ child: server } = await serve(new URL(url).host));
  await sync(hanh);
  await badge(hanh, "Đã đồng bộ");
  await sync(toan);
  await badge(toan, "Đã đồng bộ");
  await sync(hanh);
  await stands(hanh, "III.1.2", "12");
  await stands(hanh, "III.3.1.1", "Hạnh 7.412 Toàn 7.421");
  await stands(toan, "III.3.1.1", "Hạnh 7.412 Toàn 7.421");
  await (await cell(hanh, "III.3.1.1")).focus();
  await hanh.waitForSelector(".side .rival", WAIT);
  await shot(hanh, "conflict");
  await (await hanh.waitForSelector(button("Chọn 7.421"), WAIT)).click();
  await stands(hanh, "III.3.1.1", "7.421");
  await sync(hanh);
  await badge(hanh, "Đã đồng bộ");
  await sync(toan);
  await stands(toan, "III.3.1.1", "7.421");
  await shot(toan, "settled");

  // What stands at the province is what the officers see.
  const answer = await fetch(`${url}/v1/roll-ups?template=${TEMPLATE}&period=2025`);
  const rows = JSON.stringify(await answer.json());
  assert.match(rows, /7421/);
  assert.deepEqual(complaints(), []);
});

test("the app is this server's alone, under a strict policy, small on the wire", async () => {
  const index = await fetch(url);
  const policy = index.headers.get("content-security-policy");
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval(?!')| \*|https?:/);
  const html = await index.text();
  const names = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((found) => found[1]);
  let bytes = html.length;
  for (const name of names) {
    const file = await fetch(url + name, { headers: { "accept-encoding": "br" } });
    assert.equal(file.status, 200, name);
    bytes += Number(file.headers.get("content-length"));
  }
  assert.ok(bytes <= 60 * 1024, `the sign-in page is ${bytes} bytes`);
});
