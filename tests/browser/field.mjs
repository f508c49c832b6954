// What every browser story needs: a province with its server, people, browsers with profiles, and hands.
// Needs the built programs (`cargo build --workspace --bins` after `cargo xtask web`) and Chromium.

import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const puppeteer = createRequire(join(root, "clients/web/package.json"))("puppeteer-core");
const programs = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), process.env.DONGBO_PROFILE ?? "debug");
const shots = process.env.DONGBO_SHOTS;
const modules = createRequire(join(root, "clients/web/package.json"));
const axe = readFileSync(modules.resolve("axe-core/axe.min.js"), "utf8");

const CHROMIUM = process.env.CHROMIUM ?? whichever("chromium", "chromium-browser");
/** Where Firefox is, if it is installed. */
export const FIREFOX = process.env.FIREFOX ?? whichever("firefox-esr", "firefox");
export const COMMUNE = "05569";
export const TEMPLATE = "bao-cao-cchc-2022";
export const ADMINISTRATOR = "mat khau quan tri 2025";
/** The pages that a desktop browser prepares for its own address line: they keep a small machine busy for a
    second after each start, and no tablet has them. */
const NO_POPUPS = "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup";
/** What the first page of an officer shows. */
const FIRST = "ul.work button.row";
export const WAIT = { timeout: 30_000 };
/** The same for what is asked of a page, which may lie behind another and draw nothing. */
const LOOK = { ...WAIT, polling: 100 };
/** The officers of the commune that `Field.start` makes, unless it is given others. */
export const OFFICERS = [["hanh", "Ma Thị Hạnh"], ["toan", "Hoàng Văn Toàn"]].map(([name, display]) => ({
  name, display, role: "officer", unit: COMMUNE,
}));

/** A province in a temporary folder, its server, and the browsers that came to it. */
export class Field {
  folder = mkdtempSync(join(tmpdir(), "dongbo-browser-"));
  province = join(this.folder, "province");
  url = "";
  /** The name that signs in with the password `ADMINISTRATOR`. */
  administrator = "";
  #server;
  /** Processes of other servers. */
  #others = [];
  #browsers = [];
  #fronts = [];
  /** What pages complained about. */
  #errors = [];
  /** What the server logged. */
  log = [];

  static async start(people = OFFICERS) {
    const field = new Field();
    try {
      await field.#found(people);
      return field;
    } catch (error) {
      await field.close();
      throw error;
    }
  }

  /** Founds the province. */
  async #found(people) {
    const init = ["init", "--province", "Tỉnh Thái Nguyên", "--rehearsal", "Diễn tập", "--folder", this.province];
    const { code } = this.program("dongbo-server", ...init);
    await this.serve("127.0.0.1:0");
    this.administrator = this.dongbo("enrol", "--server", this.url, "--code", code, "--password", ADMINISTRATOR).name;
    this.dongbo("org", "import", "thai-nguyen-2025");
    this.dongbo("template", "import", TEMPLATE);
    this.dongbo("duty", "add", "--template", TEMPLATE, "--period", "2025", "--due", "2025-12-15");
    for (const { name, display, role, unit, subtree } of people) {
      const place = [...(unit ? ["--unit", unit] : []), ...(subtree ? ["--subtree"] : [])];
      this.dongbo("person", "add", "--name", name, "--display", display, "--role", role, ...place);
    }
  }

  /** Runs one of our programs and reads the JSON it says. */
  program(name, ...words) {
    return JSON.parse(execFileSync(join(programs, name), ["--json", ...words], { encoding: "utf8" }));
  }

  /** The administrator's tool. */
  dongbo(...words) {
    return this.program("dongbo", "--device", join(this.folder, "administrator"), ...words);
  }

  /** Starts the server, at the address it had or at a new one, and waits until it listens. */
  async serve(listen = new URL(this.url).host, province = this.province) {
    await this.begin(listen, province);
  }

  /** The same, where there need not be a province yet. */
  async begin(listen = new URL(this.url).host, province = this.province) {
    const { child, address } = await started(listen, province, (line) => this.log.push(line));
    this.#server = child;
    this.url = `http://${address}`;
    // It listens before it has opened its store.
    const starting = async () => (await (await fetch(`${this.url}/ready`)).json()).code === "not-ready";
    while (await starting()) await new Promise(setImmediate);
  }

  /** An area's edge below the province: a second server, with its own folder and address. */
  async edge(unit, label) {
    const url = `http://127.0.0.1:${await freePort()}`;
    const folder = join(this.folder, `edge ${unit}`);
    const { code } = this.dongbo("node", "add", "--unit", unit, "--label", label, "--address", url);
    this.program("dongbo-server", "init", "--folder", folder, "--upstream", this.url, "--code", code);
    const edge = { url, folder, child: null };
    edge.serve = async () => {
      // It goes upward when it is asked to, and at no other time.
      const { child } = await started(new URL(url).host, folder, (line) => this.log.push(line), ["--upstream-every", "3600"]);
      edge.child = child;
      this.#others.push(child);
      while ((await (await fetch(`${url}/ready`)).json()).code === "not-ready") await new Promise(setImmediate);
    };
    edge.kill = () => killed(edge.child);
    await edge.serve();
    return edge;
  }

  /** What the server prints that is like this. */
  async said(pattern) {
    let seen = "";
    for await (const piece of this.#server.stdout.iterator({ destroyOnReturn: false })) {
      seen += piece;
      const found = pattern.exec(seen);
      if (found) return found[1];
    }
    throw new Error(`the server said only: ${seen}`);
  }

  /** `kill -9`. */
  async killServer() {
    await killed(this.#server);
  }

  /** A browser with the profile of this name, which outlives it. */
  async browser(profile, more = []) {
    const opened = await puppeteer.launch({
      executablePath: CHROMIUM ?? assert.fail("install chromium"),
      userDataDir: this.profile(profile),
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", NO_POPUPS, ...more],
      defaultViewport: { width: 800, height: 1280 },
    });
    this.#browsers.push(opened);
    return opened;
  }

  /** The same in Firefox. */
  async firefox(profile) {
    const opened = await puppeteer.launch({
      browser: "firefox",
      executablePath: FIREFOX,
      userDataDir: this.profile(profile),
      defaultViewport: { width: 800, height: 1280 },
    });
    this.#browsers.push(opened);
    return opened;
  }

  /** The address of a server in front of ours: what `change` gives for a path goes out instead, and what
      `instead` gives for a request never reaches ours. */
  async front(change, instead = () => undefined) {
    const front = createServer((ask, answer) => {
      const said = instead(ask);
      const { type = "application/json" } = said ?? {};
      const text = typeof said?.body === "string" ? said.body : JSON.stringify(said?.body);
      if (said) answer.writeHead(said.status, { "content-type": type }).end(text);
      else void passed(this.url, change, ask, answer);
    });
    front.on("upgrade", (ask, socket, head) => passedOn(this.url, ask, socket, head));
    this.#fronts.push(front);
    await new Promise((listening) => front.listen(0, "127.0.0.1", listening));
    return `http://127.0.0.1:${front.address().port}`;
  }

  /** A file with this text; its path. */
  file(name, text) {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** The folder of a profile. */
  profile(name) {
    return join(this.folder, name);
  }

  /** A tab on the app; `prepare` is done to it before it goes there. */
  async page(of, url = this.url, prepare = async () => undefined) {
    const opened = await of.newPage();
    await prepare(opened);
    opened.on("pageerror", (error) => this.#errors.push(String(error)));
    opened.on("console", (line) => line.type() === "error" && this.#errors.push(line.text()));
    // A tab behind another one types as well; Firefox knows no such thing.
    if (!/firefox/i.test(await of.version())) {
      const session = await opened.createCDPSession();
      await session.send("Emulation.setFocusEmulationEnabled", { enabled: true });
    }
    await opened.goto(url);
    return opened;
  }

  /** What pages complained about, but for a server that is not there. */
  complaints() {
    const expected = /ERR_CONNECTION_REFUSED|ERR_INTERNET_DISCONNECTED|Failed to load resource/;
    return this.#errors.filter((line) => !expected.test(line));
  }

  /** Makes this device a person's, on its sign-in page, up to their first page. */
  async enrolled(of, name, unit = COMMUNE, first = FIRST) {
    const place = unit ? ["--unit", unit] : [];
    const { code } = this.dongbo("enrolment", "new", "--person", name, ...place, "--label", `máy ${name}`);
    await (await of.waitForSelector("form.sheet input", WAIT)).type(code);
    await this.enrolledBy(of, code, first);
  }

  /** The same from where the code stands in its field. */
  async enrolledBy(of, code, first = FIRST) {
    await of.waitForFunction((wanted) => document.querySelector("form.sheet input")?.value === wanted, LOOK, code);
    await of.click("form.sheet button.main");
    for (const words of ["Tiếp tục", "Đặt mã PIN"]) {
      await of.waitForSelector(button(words), WAIT);
      await typedPin(of);
    }
    await of.waitForSelector(first, WAIT);
  }

  /** What stands in the cells of the commune's report for a colleague who comes to the server with `dongbo`. */
  seenBy(name, unit = COMMUNE) {
    const device = join(this.folder, `dongbo ${name}`);
    const { code } = this.dongbo("enrolment", "new", "--person", name, "--unit", unit, "--label", `dongbo ${name}`);
    const dongbo = (...words) => this.program("dongbo", "--device", device, ...words);
    dongbo("enrol", "--server", this.url, "--code", code);
    dongbo("sync");
    const { rows } = dongbo("show", "--template", TEMPLATE, "--unit", unit, "--period", "2025", "--filled");
    const typed = rows.filter(({ values }) => values.length > 0);
    return Object.fromEntries(typed.map(({ code, values }) => [code, values.map(({ value }) => value).join(" | ")]));
  }

  async close() {
    await Promise.all(this.#browsers.map((one) => one.close().catch(() => undefined)));
    for (const front of this.#fronts) {
      front.close();
      front.closeAllConnections();
    }
    for (const child of [this.#server, ...this.#others]) if (child) await killed(child);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The first of these programs that is installed. */
function whichever(...names) {
  for (const name of names) {
    const found = spawnSync("which", [name], { encoding: "utf8" }).stdout.trim();
    if (found) return found;
  }
  return undefined;
}

/** A port that nobody listens on. */
async function freePort() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

async function started(listen, province, log, more = []) {
  const words = ["--json", "serve", "--listen", listen, "--folder", province, ...more];
  const child = spawn(join(programs, "dongbo-server"), words, { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.setEncoding("utf8");
  const address = await new Promise((resolve, reject) => {
    let rest = "";
    let last = "";
    child.stderr.on("data", (piece) => {
      const lines = (rest + piece).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        last = line;
        log(line);
        const found = /"listen":"([^"]+)"/.exec(line);
        if (found) resolve(found[1]);
      }
    });
    child.on("exit", (code) => reject(new Error(`the server ended with ${code}: ${last}${rest}`)));
  });
  return { child, address };
}

/** Kills a process and waits until it is gone. */
export async function killed(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

/** Kills a browser with everything it runs. */
export async function killedBrowser(browser) {
  const gone = new Promise((resolve) => browser.once("disconnected", resolve));
  browser.process().kill("SIGKILL");
  await gone;
}

/** Kills the process of a tab. */
export async function crashed(of) {
  const session = await of.createCDPSession();
  const gone = new Promise((resolve) => of.once("error", resolve));
  session.send("Page.crash").catch(() => undefined);
  await gone;
}

export const button = (text) => `::-p-xpath(//button[contains(., '${text}')])`;

/** Presses the button with these words, when it is there. */
export async function press(of, words) {
  await (await of.waitForSelector(button(words), WAIT)).click();
}

/** What axe-core finds against the page: rules of WCAG 2.2 AA and its own good practice. */
export async function violations(of) {
  await of.evaluate(axe);
  const { violations } = await of.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`);
}

/** Keeps a picture of the page, where pictures are wanted. */
export async function shot(of, name) {
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  const type = process.env.DONGBO_SHOTS_TYPE ?? "png";
  const small = type === "png" ? {} : { quality: 25 };
  await of.screenshot({ path: join(shots, `${name}.${type}`), type, ...small });
}

/** The PIN of everybody. */
export const PIN = "280745";

/** Types a PIN and Enter. */
export async function typedPin(of, pin = PIN) {
  await (await of.waitForSelector(".pin input:enabled", WAIT)).focus();
  await of.keyboard.type(pin);
  await of.keyboard.press("Enter");
}

/** Signs in a person this device already knows, up to their first page; the first in the list if none is named. */
export async function signedIn(of, display = "", first = FIRST) {
  await (await of.waitForSelector(`::-p-xpath(//label[contains(., '${display}')]//input[@type='radio'])`, WAIT)).click();
  await typedPin(of);
  await of.waitForSelector(first, WAIT);
}

export async function openReport(of, form = "Biểu mẫu 3", code = "III.3.1.1") {
  await of.bringToFront();
  await (await of.waitForSelector("ul.work button.row", WAIT)).click();
  await of.waitForSelector("table.grid", WAIT);
  await press(of, form);
  await cell(of, code);
}

/** The button of a cell. Only rows in sight are drawn: who looks for another one scrolls. */
export async function cell(of, code) {
  await scrolledTo(of, code);
  return of.waitForSelector(`button.cell[data-code="${code}"]`, WAIT);
}

async function scrolledTo(of, code) {
  const row = `[data-row="${code}"]`;
  if ((await of.$(row)) || !(await of.$(".work-area .sheet [data-row]"))) return;
  await of.bringToFront();
  await of.evaluate(async (wanted) => {
    const sheet = document.querySelector(".work-area .sheet");
    for (let top = 0; top <= sheet.scrollHeight && !document.querySelector(wanted); top += sheet.clientHeight / 2) {
      sheet.scrollTop = top;
      for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
    }
  }, row);
}

export const text = async (of, code) => (await cell(of, code)).evaluate((element) => element.innerText.trim());

/** Types into a cell by keyboard and waits until it stands there. */
export async function typed(of, code, keys, expected) {
  await (await cell(of, code)).focus();
  await of.keyboard.type(keys);
  await of.keyboard.press("Enter");
  await stands(of, code, expected ?? keys);
}

/** Waits until a cell shows this as saved. */
export async function stands(of, code, expected) {
  await scrolledTo(of, code);
  const shown = (selector, wanted) =>
    document.querySelector(selector)?.innerText.replace(/\s+/g, " ").trim() === wanted;
  await of.waitForFunction(shown, LOOK, `[aria-busy="false"] > button.cell[data-code="${code}"]`, expected).catch(async () => {
    assert.equal(await text(of, code), expected, `cell ${code}`);
  });
}

/** Waits until the badge says what the pattern wants. */
export const badge = (of, pattern) =>
  of.waitForFunction((source) => new RegExp(source).test(document.querySelector(".badge")?.innerText ?? ""), LOOK, pattern);

/** Synchronises now, on the page behind the badge. */
export async function sync(of) {
  await of.bringToFront();
  await of.click("button.badge");
  await (await of.waitForSelector("dialog .btn.main:enabled", WAIT)).click();
  await of.click("dialog .head button");
  await of.waitForSelector("dialog", { ...WAIT, hidden: true, polling: 100 });
}

/** The text of the file that an act hands over. */
export async function handedOver(of, act) {
  await of.evaluate(() => {
    const real = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
      window.handedOver = blob.text();
      return real(blob);
    };
  });
  await act();
  await of.waitForFunction(() => window.handedOver !== undefined, LOOK);
  return of.evaluate(() => window.handedOver);
}

/** Everything in a database of this origin, by store: keys and values as text of one character a byte. */
export const dump = (of, name = "dongbo") =>
  of.evaluate(async (named) => {
    const done = (request) => new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const database = await done(indexedDB.open(named));
    const plain = (value) =>
      value instanceof Uint8Array || value instanceof ArrayBuffer
        ? Array.from(new Uint8Array(value), (byte) => String.fromCharCode(byte)).join("")
        : Array.isArray(value) ? value.map(plain)
        : value && typeof value === "object" ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]))
        : value;
    const stores = {};
    for (const name of database.objectStoreNames) {
      const store = database.transaction(name).objectStore(name);
      const [keys, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
      stores[name] = keys.map((key, index) => [plain(key), plain(values[index])]);
    }
    database.close();
    return stores;
  }, name);

/** Waits until a page shows these words. */
export const says = (of, words) =>
  of.waitForFunction((wanted) => document.body.innerText.includes(wanted), LOOK, words);

/** Passes on a line that stays open, in both directions. */
function passedOn(url, ask, socket, head) {
  const { hostname, port } = new URL(url);
  const behind = connect(Number(port), hostname, () => {
    const headers = ask.rawHeaders.flatMap((name, at, all) => (at % 2 === 0 ? [`${name}: ${all[at + 1]}`] : []));
    behind.write([`${ask.method} ${ask.url} HTTP/1.1`, ...headers, "", ""].join("\r\n"));
    behind.write(head);
    socket.pipe(behind).pipe(socket);
  });
  for (const end of [socket, behind]) end.on("error", () => { socket.destroy(); behind.destroy(); });
}

/** Passes a request on, and what comes back. */
async function passed(url, change, ask, answer) {
  const pieces = [];
  for await (const piece of ask) pieces.push(piece);
  const { host: _, connection: __, ...headers } = ask.headers;
  const options = { method: ask.method, headers: { ...headers, "accept-encoding": "identity" } };
  const behind = request(url + ask.url, options, async (got) => {
    const body = [];
    for await (const piece of got) body.push(piece);
    const changed = await change(ask.url, Buffer.concat(body));
    const whole = changed ?? Buffer.concat(body);
    const { "content-length": _, "transfer-encoding": __, ...kept } = got.headers;
    if (changed) kept["cache-control"] = "no-store";
    answer.writeHead(got.statusCode, { ...kept, "content-length": whole.length });
    answer.end(whole);
  });
  behind.on("error", () => answer.destroy());
  behind.end(Buffer.concat(pieces));
}
