// The status page: coverage, figures and findings of the province, changing as reports arrive.
"use strict";

const WORDS = {
  vi: {
    other: "English", rehearsal: "Số liệu diễn tập", sign_in: "Đăng nhập", name: "Tên đăng nhập", password: "Mật khẩu",
    report: "Báo cáo", figures_title: "Số liệu toàn tỉnh", findings_title: "Điểm cần xem lại",
    no_findings: "Không có.", stt: "STT", indicator: "Chỉ tiêu", measure: "Đơn vị tính",
    figure: "Số liệu", counted: "Số báo cáo có số", due: "Phải báo cáo", reported: "Đã báo cáo",
    missing: "Chưa báo cáo", late: "Trễ hạn", in_conflict: "Có số mâu thuẫn",
    waiting: (names, more) => `Chưa báo cáo: ${names}${more ? ` và ${more} đơn vị khác` : ""}.`,
    live: (position) => `Đang cập nhật trực tiếp · bản ghi ${position}`,
    offline: "Mất kết nối, đang thử lại…", no_duty: "Chưa có báo cáo nào được giao.",
    provisional: "tạm tính", between: (low, high) => `từ ${low} đến ${high}`,
    choices: (list) => list, due_day: (day) => `hạn ${day}`,
    rules: {
      recomputed_differs: (f) => `ghi ${f.stated}, tính lại từ các phần là ${f.found}`,
      sum_differs: (f) => `ghi ${f.stated}, cộng các báo cáo là ${f.found}`,
      outside_spread: (f) => `ghi ${f.stated}, các báo cáo chỉ có ${f.found}`,
      unresolved: (f) => `ghi ${f.stated}, nhưng không tính lại được`,
      nothing_reported: (f) => `ghi ${f.stated}, nhưng chưa báo cáo nào có số`,
      unknown_code: (f) => `ghi ${f.stated}, nhưng biểu mẫu không có chỉ tiêu này`,
    },
    unresolved: {
      missing_input: "thiếu số để tính", division_by_zero: "mẫu số bằng 0",
      unbounded: "mâu thuẫn chưa xử lý", too_many_digits: "quá nhiều chữ số",
    },
  },
  en: {
    other: "Tiếng Việt", rehearsal: "Rehearsal figures", sign_in: "Sign in", name: "Sign-in name", password: "Password",
    report: "Report", figures_title: "Figures of the province", findings_title: "To look at again",
    no_findings: "None.", stt: "No.", indicator: "Indicator", measure: "Unit",
    figure: "Figure", counted: "Reports with a figure", due: "Due", reported: "Reported",
    missing: "Missing", late: "Late", in_conflict: "In conflict",
    waiting: (names, more) => `Not reported yet: ${names}${more ? ` and ${more} more` : ""}.`,
    live: (position) => `Live · log position ${position}`,
    offline: "Connection lost, trying again…", no_duty: "No report is due yet.",
    provisional: "provisional", between: (low, high) => `${low} to ${high}`,
    choices: (list) => list, due_day: (day) => `due ${day}`,
    rules: {
      recomputed_differs: (f) => `stated ${f.stated}, computed from its parts ${f.found}`,
      sum_differs: (f) => `stated ${f.stated}, the reports add up to ${f.found}`,
      outside_spread: (f) => `stated ${f.stated}, the reports have only ${f.found}`,
      unresolved: (f) => `stated ${f.stated}, but it cannot be computed`,
      nothing_reported: (f) => `stated ${f.stated}, but no report has a figure`,
      unknown_code: (f) => `stated ${f.stated}, but the template has no such row`,
    },
    unresolved: {
      missing_input: "a figure is missing", division_by_zero: "division by zero",
      unbounded: "open conflict", too_many_digits: "too many digits",
    },
  },
};

const FRESH_MS = 2500;
const RETRY_MS = 2000;
const NAMES_SHOWN = 8;

const at = (id) => document.getElementById(id);
let language = "vi";
let token = null;
let status = null;
let shown = null;
let waiting = [];
let reading = null;

const words = () => WORDS[language];

// Exact decimal text as the printed forms write it, in both languages; numbers never pass through floating point.
function decimal(text) {
  const [whole, places] = text.replace("-", "").split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ".");
  return (text.startsWith("-") ? "−" : "") + grouped + (places ? `,${places}` : "");
}

// What a formula gives is shown to two places, half away from zero; the figures of the API are exact.
function rounded(text) {
  const [whole, places = ""] = text.replace("-", "").split(".");
  if (places.length <= 2) return text;
  const hundredths = (BigInt(whole + places.slice(0, 2)) + (places[2] >= "5" ? 1n : 0n)).toString().padStart(3, "0");
  const fraction = hundredths.slice(-2).replace(/0+$/, "");
  return (text.startsWith("-") ? "-" : "") + hundredths.slice(0, -2) + (fraction ? `.${fraction}` : "");
}

const range = (r) => r.low === r.high ? decimal(r.low) : words().between(decimal(r.low), decimal(r.high));

const computed = (r) => range({ low: rounded(r.low), high: rounded(r.high) });

function amount(row) {
  switch (row.kind) {
    case "sum": case "spread": return range(row);
    case "recomputed": return computed(row);
    case "unresolved": return words().unresolved[row.reason] ?? row.reason;
    case "choices": return Object.entries(row.choices).map(([choice, count]) => `${choice}: ${count}`).join(" · ");
    case "texts": return String(row.texts.length + row.more);
    default: return "";
  }
}

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function rowOf(row) {
  const made = element("tr", undefined, row.row_kind === "heading" ? "heading" : "");
  made.dataset.code = row.code;
  made.append(element("td", row.stt));
  const label = element("th", row.label);
  label.scope = "row";
  made.append(label, element("td", row.unit));
  const figure = element("td", amount(row), row.provisional ? "number provisional" : "number");
  if (row.provisional) figure.append(` (${words().provisional})`);
  made.append(figure, element("td", row.counted ? String(row.counted) : "", "number"));
  return made;
}

function showCoverage() {
  const parts = ["due", "reported", "missing", "late", "in_conflict"].map((name) => {
    const part = element("div");
    part.append(element("dt", words()[name]), element("dd", String(shown.coverage[name])));
    return part;
  });
  at("coverage").replaceChildren(...parts);
  const names = waiting.slice(0, NAMES_SHOWN).map((unit) => unit.name).join(", ");
  const more = shown.coverage.missing - Math.min(waiting.length, NAMES_SHOWN);
  at("waiting").textContent = waiting.length ? words().waiting(names, Math.max(more, 0)) : "";
}

function showFindings() {
  const labels = new Map(shown.figures.map((row) => [row.code, row.label]));
  const lines = shown.findings.map((finding) => {
    const say = words().rules[finding.rule];
    const values = { stated: decimal(finding.stated), found: finding.found ? (finding.rule === "recomputed_differs" ? computed : range)(finding.found) : "" };
    const said = say ? say(values) : finding.rule;
    const mark = finding.provisional ? ` (${words().provisional})` : "";
    return element("li", `${finding.code} ${labels.get(finding.code) ?? ""}: ${said}${mark}`);
  });
  at("findings").replaceChildren(...lines);
  at("no-findings").hidden = lines.length > 0;
}

// In the language of the page; what the province's founder wrote of it stands behind in their words, without
// the word that has just been said.
function showRehearsal() {
  const said = status?.rehearsal;
  at("rehearsal").hidden = !said;
  if (!said) return;
  const own = element("span", said.normalize("NFC").replace(/^(số liệu )?(diễn tập|rehearsal)(?!\p{L})[\s:–-]*/iu, ""));
  own.lang = "vi";
  at("rehearsal").replaceChildren(words().rehearsal, ...(own.textContent ? [": ", own] : []));
}

function showAll() {
  document.documentElement.lang = language;
  showRehearsal();
  at("language").textContent = words().other;
  at("language").lang = language === "vi" ? "en" : "vi";
  for (const place of document.querySelectorAll("[data-say]")) place.textContent = words()[place.dataset.say];
  if (!shown) return;
  const due = shown.due_day ? ` · ${words().due_day(shown.due_day.split("-").reverse().join("/"))}` : "";
  at("title").textContent = `${shown.unit.name} · ${shown.title} · ${shown.period}${due}`;
  at("rows").replaceChildren(...shown.figures.map(rowOf));
  at("link").textContent = words().live(shown.position);
  showCoverage();
  showFindings();
}

function take(change) {
  const fresh = new Map(change.figures.map((row) => [row.code, row]));
  shown.figures = shown.figures.map((row) => fresh.get(row.code) ?? row);
  Object.assign(shown, { coverage: change.coverage, findings: change.findings, position: change.position });
  for (const place of at("rows").children) {
    const row = fresh.get(place.dataset.code);
    if (!row) continue;
    const made = rowOf(row);
    made.classList.add("fresh");
    place.replaceWith(made);
    setTimeout(() => made.classList.remove("fresh"), FRESH_MS);
  }
  at("link").textContent = words().live(shown.position);
  showCoverage();
  showFindings();
  askWaiting();
}

const headers = () => token ? { authorization: `Bearer ${token}` } : {};

function showProblem(problem) {
  at("problem").textContent = problem ? problem[`message_${language}`] ?? problem.code : "";
  at("problem").hidden = !problem;
}

async function ask(path) {
  const answer = await fetch(path, { headers: headers() });
  const body = await answer.json();
  if (!answer.ok) throw body;
  return body;
}

const query = () => {
  const duty = status.duties[at("duty").selectedIndex];
  return new URLSearchParams({ template: duty.template, period: duty.period });
};

let askingWaiting = false;
async function askWaiting() {
  if (askingWaiting) return;
  askingWaiting = true;
  try {
    const parameters = query();
    parameters.set("state", "missing");
    parameters.set("limit", String(NAMES_SHOWN));
    waiting = (await ask(`/v1/coverage?${parameters}`)).items;
    showCoverage();
  } catch { /* The next change asks again. */ } finally { askingWaiting = false; }
}

// Server-sent events read by hand, since EventSource cannot carry a token.
async function follow() {
  reading?.abort();
  const mine = reading = new AbortController();
  while (!mine.signal.aborted) {
    try {
      const answer = await fetch(`/v1/roll-ups/live?${query()}`, { headers: headers(), signal: mine.signal });
      if (!answer.ok) throw await answer.json();
      showProblem(null);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        const events = (rest + value).split("\n\n");
        rest = events.pop();
        for (const event of events) dispatch(event);
      }
    } catch (problem) {
      if (mine.signal.aborted) return;
      if (problem.code === "sign-in-required" || problem.code === "token-expired") { askSignIn(); return; }
      if (problem.code && !problem.retry) { showProblem(problem); return; }
    }
    at("link").textContent = words().offline;
    await new Promise((after) => setTimeout(after, RETRY_MS));
  }
}

function dispatch(event) {
  const name = /^event: ?(.*)$/m.exec(event)?.[1];
  const data = event.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\n");
  if (!data) return;
  if (name === "table") { shown = JSON.parse(data); showAll(); askWaiting(); }
  if (name === "change" && shown) take(JSON.parse(data));
}

function askSignIn() {
  token = null;
  at("sign-in").hidden = false;
  at("figures").hidden = true;
}

async function start() {
  try {
    status = await ask("/v1/status");
  } catch (problem) {
    if (problem.code && !problem.retry) { showProblem(problem); return; }
    setTimeout(start, RETRY_MS);
    return;
  }
  at("province").textContent = status.province_name;
  document.title = `${status.province_name} · Đồng Bộ`;
  showRehearsal();
  if (!status.rehearsal && !token) { askSignIn(); return; }
  at("sign-in").hidden = true;
  if (!status.duties.length) { at("link").textContent = words().no_duty; setTimeout(start, RETRY_MS); return; }
  at("duty").replaceChildren(...status.duties.map((duty) => element("option", `${duty.template} · ${duty.period}`)));
  at("figures").hidden = false;
  follow();
}

at("language").addEventListener("click", () => { language = language === "vi" ? "en" : "vi"; showAll(); });
at("duty").addEventListener("change", () => { shown = null; waiting = []; follow(); });
at("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const answer = await fetch("/v1/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: form.get("name"), password: form.get("password") }),
  });
  const body = await answer.json();
  if (!answer.ok) { showProblem(body); return; }
  showProblem(null);
  token = body.access_token;
  event.target.reset();
  start();
});
showAll();
start();
