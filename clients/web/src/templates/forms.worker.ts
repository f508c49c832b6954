// Answers the page of forms: the module that knows forms and workbooks, and for a trial the tablet's.

import "../policy";
import startForms, { differences, draft, faults, fromWorkbook, template } from "../../core/forms";
import formsWasm from "../../core/forms_bg.wasm?url";
import startTablet, { trial } from "../../core/tablet";
import tabletWasm from "../../core/tablet_bg.wasm?url";
import type { Answer, Asked } from "./forms";

let forms: Promise<unknown> | null = null;
let tablet: Promise<unknown> | null = null;

async function answered({ call, list }: Asked): Promise<string> {
  if (call === "trial") {
    await (tablet ??= startTablet({ module_or_path: tabletWasm }));
    return trial(...(list as [string, string]), Date.now() / 1000);
  }
  // A module that did not come is asked for again by the next call.
  await (forms ??= startForms({ module_or_path: formsWasm }).catch((error: unknown) => {
    forms = null;
    throw error;
  }));
  switch (call) {
    case "faults":
      return faults(...(list as [string]));
    case "template":
      return JSON.stringify(template(...(list as [string, number, string])));
    case "draft":
      return draft(...(list as [string]));
    case "differences":
      return differences(...(list as [string, string]));
    case "workbook":
      return fromWorkbook(...(list as [Uint8Array, string]));
  }
}

onmessage = async ({ data }: MessageEvent<Asked>) => {
  let said: Answer;
  try {
    said = { id: data.id, value: await answered(data) };
  } catch (error) {
    // What trapped is of no use any more: the page starts another worker.
    const trapped = error instanceof WebAssembly.RuntimeError;
    said = { id: data.id, failed: error instanceof Error ? error.message : String(error), trapped };
  }
  postMessage(said);
};
