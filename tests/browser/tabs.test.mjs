// Several tabs of one device: all are usable, one owns the data, and killing that one loses nothing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { badge, cell, crashed, Field, openReport, signedIn, stands, sync, TEMPLATE, typed, WAIT } from "./field.mjs";

let field;

before(async () => {
  field = await Field.start();
});

after(() => field?.close());

/** Types values into cells one after the other, without waiting for anything but the input. */
async function typing(of, codes, value) {
  for (const code of codes) {
    await (await cell(of, code)).focus();
    await of.keyboard.type(value(code));
    await of.keyboard.press("Enter");
  }
}

/** Cells of Biểu mẫu 3 that take a whole number, in the order of the form. */
const COUNTS = ["III.1.2", "III.1.3", "III.3.1.1", "III.3.1.2", "III.3.2.1", "III.3.2.2"];

test("three tabs type at once, the owner is killed, and every value is there once", async () => {
  const chromium = await field.browser("hanh");
  const first = await field.page(chromium);
  await field.enrolled(first, "hanh");
  const second = await field.page(chromium);
  await signedIn(second);
  const third = await field.page(chromium);
  await signedIn(third);
  const tabs = [first, second, third];
  for (const tab of tabs) await openReport(tab);

  // A value typed in one tab is in the others after their next look, and all say the same.
  await second.bringToFront();
  await typed(second, COUNTS[0], "41");
  await third.bringToFront();
  await typed(third, COUNTS[1], "42");
  await first.bringToFront();
  await typed(first, COUNTS[2], "43");
  await sync(first);
  await badge(first, "Đã đồng bộ");

  // All three at once: calls of one tab pass between those of the others.
  await Promise.all([
    typing(first, [COUNTS[3]], () => "7.001"),
    typing(second, [COUNTS[4]], () => "7.002"),
    typing(third, [COUNTS[5]], () => "7.003"),
  ]);
  await stands(first, COUNTS[3], "7.001");
  await stands(second, COUNTS[4], "7.002");
  await stands(third, COUNTS[5], "7.003");

  // The owner is killed while the others type: what they typed is answered by the next owner.
  await field.killServer();
  const killing = crashed(first);
  await Promise.all([
    killing,
    typing(second, [COUNTS[0]], () => "51"),
    typing(third, [COUNTS[1]], () => "52"),
  ]);
  await stands(second, COUNTS[0], "51");
  await stands(third, COUNTS[1], "52");

  // The next owner is closed as well; the last tab goes on alone.
  await second.close();
  await typed(third, COUNTS[2], "53");

  await field.serve();
  await sync(third);
  await badge(third, "Đã đồng bộ");
  for (const [code, expected] of [[0, "51"], [1, "52"], [2, "53"], [3, "7.001"], [4, "7.002"], [5, "7.003"]]) {
    await stands(third, COUNTS[code], expected);
  }
  const again = await field.page(chromium);
  await signedIn(again);
  await openReport(again);
  await stands(again, COUNTS[0], "51");

  // One chain, no number twice: the province holds nothing against this device.
  const held = field.dongbo("verify", "--journal", field.province);
  assert.deepEqual([held.wrong, held.held], [[], 0]);
  const answer = await fetch(`${field.url}/v1/roll-ups?template=${TEMPLATE}&period=2025`);
  const figures = (await answer.json()).figures;
  assert.match(JSON.stringify(figures), /7003/);
  assert.deepEqual(field.complaints(), []);
});

/** Will stop a worker where its second durable write from now on begins; gives back when it stands still and how to
 *  let it go on. Set before what leads to the writes, so that they cannot be over already. */
async function frozenBeforeItsSecondWrite(client) {
  const scripts = [];
  client.on("Debugger.scriptParsed", (script) => scripts.push(script));
  await client.send("Debugger.enable");
  for (const { scriptId, scriptLanguage } of scripts) {
    if (scriptLanguage === "WebAssembly") continue;
    const { scriptSource } = await client.send("Debugger.getScriptSource", { scriptId });
    const check = scriptSource.indexOf("?.epoch!==this.epoch");
    if (check < 0) continue;
    const before = scriptSource.slice(0, scriptSource.indexOf("{", scriptSource.lastIndexOf("async write(", check)) + 1);
    const lineNumber = before.split("\n").length - 1;
    const columnNumber = before.length - (before.lastIndexOf("\n") + 1);
    const frozen = new Promise((resolve) => {
      client.once("Debugger.paused", () => {
        client.once("Debugger.paused", resolve);
        void client.send("Debugger.resume");
      });
    });
    await client.send("Debugger.setBreakpoint", { location: { scriptId, lineNumber, columnNumber } });
    return { frozen, thaw: () => client.send("Debugger.disable") };
  }
  return assert.fail("the worker's write was not found");
}

test("an owner that was frozen is replaced, and what it writes when it wakes comes to nothing", async () => {
  const chromium = await field.browser("toan");
  const owner = await field.page(chromium);
  await field.enrolled(owner, "toan");
  await openReport(owner);
  const other = await field.page(chromium);
  await signedIn(other);
  await openReport(other);
  // The first write is the draft; with the draft sealed in its memory and not yet on the disk, the owner's worker
  // stands still.
  await owner.bringToFront();
  const { frozen, thaw } = await frozenBeforeItsSecondWrite(owner.workers()[0].client);
  await typed(owner, "III.1.2", "59");
  await frozen;
  await (await cell(owner, "III.3.1.2")).focus();
  await owner.keyboard.type("60");
  await owner.keyboard.press("Enter");
  await other.bringToFront();
  await typed(other, "III.3.1.1", "61");
  await sync(other);
  await badge(other, "Đã đồng bộ");
  await thaw();
  await owner.bringToFront();
  await stands(owner, "III.3.1.2", "60");
  await typed(owner, "III.3.2.1", "62");
  await other.bringToFront();
  await typed(other, "III.3.2.2", "63");
  await sync(other);
  await badge(other, "Đã đồng bộ");
  // What is durable is one history: read again from the disk it is the same, and it goes on.
  await owner.close();
  await other.reload();
  await signedIn(other);
  await openReport(other);
  for (const [code, expected] of [["III.1.2", "59"], ["III.3.1.1", "61"], ["III.3.1.2", "60"], ["III.3.2.1", "62"], ["III.3.2.2", "63"]]) {
    await stands(other, code, expected);
  }
  await typed(other, "III.1.3", "64");
  await sync(other);
  await badge(other, "Đã đồng bộ");
  const held = field.dongbo("verify", "--journal", field.province);
  assert.deepEqual([held.wrong, held.held], [[], 0]);
  assert.deepEqual(field.complaints(), []);
});
