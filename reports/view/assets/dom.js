// Elements, numbers and words. Nothing here, or anywhere on the page, makes markup from
// text: whatever a run holds goes into text nodes and attributes.

function set(el, props) {
  for (const [k, v] of Object.entries(props || {})) {
    if (v === null || v === undefined || v === false) continue;
    if (k.startsWith("on")) el.addEventListener(k.slice(2), v);
    else if (k.startsWith("--")) el.style.setProperty(k, v);
    else if (k === "class") el.setAttribute("class", v);
    else if (k === "value" || k === "checked" || k === "open") el[k] = v;
    else el.setAttribute(k, v === true ? "" : v);
  }
}

function fill(el, kids) {
  for (const k of kids.flat(Infinity)) {
    if (k === null || k === undefined || k === false) continue;
    el.append(k instanceof Node ? k : document.createTextNode(String(k)));
  }
  return el;
}

export function h(tag, props, ...kids) {
  const el = document.createElement(tag);
  set(el, props);
  return fill(el, kids);
}

export function s(tag, props, ...kids) {
  const el = document.createElementNS("http://www.w3.org/2000/svg", tag);
  set(el, props);
  return fill(el, kids);
}

export function replace(el, ...kids) {
  el.replaceChildren();
  return fill(el, kids);
}

export const unseen = (...text) => h("span", { class: "unseen" }, ...text);

// Numbers. What is undefined is a dash, never a zero.
export const dash = "–";
export const isNum = (v) => typeof v === "number" && Number.isFinite(v);
// fixed rounds what lies exactly between two numbers to the even one, as the tables of the
// report do; toFixed would take the larger.
function fixed(v, digits) {
  const m = v * 10 ** digits;
  if (Math.abs(m % 1) === 0.5 && Number.isInteger(v * 2 ** (digits + 1))) v = (2 * Math.round(m / 2)) / 10 ** digits;
  return v.toFixed(digits);
}
export const num = (v, digits) => (isNum(v) ? fixed(v, digits).replace(/^-(0(\.0*)?)$/, "$1").replace("-", "−") : dash);
export const signed = (v, digits) => {
  const t = num(v, digits);
  return isNum(v) && v > 0 && Number(fixed(v, digits)) !== 0 ? "+" + t : t;
};
export const whole = (v) => (isNum(v) ? v.toLocaleString("en-US") : dash);
// short is a number with no more decimals than it needs, two at most.
export const short = (v) => (isNum(v) ? String(Number(v.toFixed(2))).replace("-", "−") : dash);
export const plural = (n, one, many) => `${whole(n)} ${n === 1 ? one : many || one + "s"}`;
export const alignment = (raw) => (isNum(raw) ? (100 * (raw - 1)) / 4 : null);

// nice is the id of a criterion as words; the id itself is its title.
export function nice(id) {
  const t = String(id).replaceAll("_", " ").trim();
  if (t === "" || !String(id).includes("_")) return String(id);
  return t[0].toUpperCase() + t.slice(1);
}
export const criterion = (id) => h("span", { class: "criterion", title: id }, nice(id));

// cell words what a profile or an answer says of a criterion: null, false or a value.
export function cell(c, scale) {
  if (c === null || c === undefined) return "no answer";
  if (c === false) return "not held";
  return scale ? `held, ${short(c)} of ${scale}` : `held, at ${short(c)}`;
}
export const same = (a, b) => (a ?? null) === (b ?? null);

export const stops = {
  budget: "all questions asked", done: "stopped by itself", exhausted: "nothing left to ask",
  user: "the user wanted no more", unread: "the asking model could not be read", error: "failed",
};
// offLog marks a question that the log of a replay did not know to ask.
export const offLog = (how) => h("span", { class: "tag warn", title: how === "task" ? "the log has these answers on other tasks only" : "the log has nothing after these answers" }, how === "task" ? "from other tasks of the log" : "not in the log");
export const stopWords = (stop) => stops[stop] || stop;
export const stateWords = { graded: "graded", undefined: "alignment undefined", failed: "failed" };

// bar is a share of a width; the number beside it says the same in text.
export const bar = (share, cls) => h("span", { class: "bar " + (cls || ""), "aria-hidden": "true" }, h("i", { "--w": 100 * Math.min(1, Math.max(0, share || 0)) + "%" }));

// mark is the colour of a strategy, as in the figures: hollow where it predicts nothing
// but what it was told.
export function mark(strategy) {
  return h("span", { class: "mark" + (strategy?.hollow ? " hollow" : "") + (strategy?.color ? "" : " plain"), "--c": strategy?.color || null, "aria-hidden": "true" });
}

export function say(text) {
  document.getElementById("status").textContent = text;
}

// table makes one with headers: columns are [text, class].
export function table(cls, caption, columns, rows, foot) {
  return h("div", { class: "scroll" }, h("table", { class: cls, role: "table" },
    h("caption", { class: "unseen" }, caption),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, columns.map(([text, c, tip]) => h("th", { scope: "col", class: c, role: "columnheader", title: tip }, text)))),
    h("tbody", { role: "rowgroup" }, rows), foot));
}
export const td = (cls, ...kids) => h("td", { class: cls, role: "cell" }, ...kids);
export const th = (cls, ...kids) => h("th", { scope: "row", class: cls, role: "rowheader" }, ...kids);
export const tr = (props, ...kids) => h("tr", { role: "row", ...props }, ...kids);
