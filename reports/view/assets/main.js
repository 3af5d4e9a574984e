// Addresses, the frame around every page, and keys.
import { h, replace, say } from "./dom.js";
import { overview } from "./overview.js";
import { list } from "./list.js";
import { session } from "./session.js";
import { pair } from "./pair.js";
import { compare } from "./compare.js";

const main = document.getElementById("main");
let runs = []; // of /api/runs
let page = null; // what is shown: key, update, keys
let turn = 0; // of rendering: an answer that comes late is dropped

// api reads JSON; an error carries the words of the server.
export async function api(path) {
  const r = await fetch(path, { headers: { Accept: "application/json" } });
  let body;
  try {
    body = await r.json();
  } catch {
    throw new Error(`the server answered ${r.status}`);
  }
  if (!r.ok || r.status === 202) throw Object.assign(new Error(body.error || `the server answered ${r.status}`), { status: r.status });
  return body;
}

// go shows another place; a reader can come back to this one.
export function go(url, { quiet = false } = {}) {
  const now = location.pathname + location.search;
  if (quiet) history.replaceState({ y: window.scrollY }, "", url);
  else if (url !== now) {
    history.replaceState({ y: window.scrollY }, "");
    history.pushState({ y: 0 }, "", url);
  }
  render(false);
}

// address changes where we are without showing anything anew.
export function address(url) {
  history.replaceState(history.state, "", url);
}

const overviews = new Map(); // by run; what does not change while the server runs
export async function about(run) {
  if (!overviews.has(run)) overviews.set(run, api(`/api/runs/${run}`));
  try {
    return await overviews.get(run);
  } catch (e) {
    overviews.delete(run);
    throw e;
  }
}

function place() {
  const q = new URLSearchParams(location.search);
  const m = location.pathname.match(/^\/runs\/(\d+)(?:\/(sessions|session))?\/?$/);
  if (m) return { name: m[2] || "overview", run: Number(m[1]), q };
  if (location.pathname === "/pair") return { name: "pair", run: Number(q.get("a") || 0), q };
  if (location.pathname === "/compare") return { name: "compare", run: Number(q.get("a") || 0), q };
  if (location.pathname === "/") return { name: "overview", run: 0, q };
  return { name: "nowhere", run: 0, q };
}

const pages = { overview, sessions: list, session, pair, compare };

async function render(back) {
  const mine = ++turn;
  const at = place();
  try {
    if (!runs.length) runs = await api("/api/runs");
    frame(at);
    if (!pages[at.name] || !runs[at.run]) throw new Error("there is nothing at this address");
    if (page?.update && page.key === `${at.name} ${at.run}`) {
      const was = document.activeElement?.id, offset = page.offset;
      page.offset = at.q.get("offset") || "0";
      await page.update(at.q, () => mine === turn);
      if (mine !== turn) return;
      if (back) window.scrollTo(0, history.state?.y || 0);
      else if (offset !== page.offset) window.scrollTo(0, 0);
      if (document.activeElement === document.body) (document.getElementById(was || "") || main.querySelector("h1"))?.focus({ preventScroll: true });
      return;
    }
    main.setAttribute("aria-busy", "true");
    const next = await pages[at.name]({ run: at.run, runs, q: at.q, current: () => mine === turn });
    if (mine !== turn) return;
    page = { key: `${at.name} ${at.run}`, offset: at.q.get("offset") || "0", ...next };
    replace(main, next.node);
    document.title = `${next.title} · pepbench`;
    next.shown?.();
    const y = back ? history.state?.y || 0 : 0;
    window.scrollTo(0, y);
    if (!next.focused) (document.getElementById(history.state?.focus || "") || main.querySelector("h1"))?.focus({ preventScroll: true });
    say(next.say || "");
  } catch (e) {
    if (mine !== turn) return;
    page = null;
    if (e.status === 202 || e.status === 503) {
      await wait(at, mine, e);
      return;
    }
    document.title = "pepbench";
    const title = h("h1", { tabindex: "-1" }, "This cannot be shown");
    replace(main, h("section", { class: "narrow" }, title, h("p", { class: "failure", role: "alert" }, e.message), h("p", null, h("a", { href: `/runs/${runs[at.run] ? at.run : 0}` }, "To the run"))));
    title.focus();
  } finally {
    if (mine === turn) main.removeAttribute("aria-busy");
  }
}

// wait shows how far the index is, and then the page that was asked for.
async function wait(at, mine, why) {
  const meter = h("progress", { "aria-label": "Sessions read", max: 1, value: 0 });
  const words = h("p", { class: "muted" });
  const title = h("h1", { tabindex: "-1" }, "Reading the sessions");
  replace(main, h("section", { class: "narrow" }, title, h("p", null, "There is no index of them yet. It is made once and kept beside them."), meter, words));
  title.focus({ preventScroll: true });
  for (;;) {
    await new Promise((done) => setTimeout(done, 250));
    if (mine !== turn) return;
    const all = await api("/api/runs");
    if (mine !== turn) return;
    const r = all[at.run];
    runs = all;
    if (r.ready) {
      render(false);
      return;
    }
    if (!r.building) {
      meter.hidden = true;
      words.textContent = r.error || why.message;
      words.className = "failure";
      title.textContent = "The sessions cannot be shown";
    } else if (r.total) {
      meter.hidden = false;
      meter.value = r.done / r.total;
      words.textContent = `${(r.done / 1e6).toFixed(0)} of ${(r.total / 1e6).toFixed(0)} MB`;
    }
  }
}

function frame(at) {
  const which = document.getElementById("which");
  if (runs.length === 1) replace(which, h("span", { class: "run" }, runs[0].name));
  else {
    const choose = h("select", { id: "run", "aria-label": "Run", onchange: () => go(at.name === "sessions" ? `/runs/${choose.value}/sessions` : `/runs/${choose.value}`) }, runs.map((r) => h("option", { value: r.id }, r.name)));
    choose.value = String(at.run);
    if (!which.querySelector("select") || which.querySelector("select").value !== choose.value) replace(which, choose);
  }
  // Numbers that were made with the simulator say so on every page.
  const of = at.name === "pair" || at.name === "compare" ? [runs[at.run], runs[Number(at.q.get("b") || 0)]] : [runs[at.run]];
  const roles = [...new Set(of.flatMap((r) => r?.simulated || []))];
  which.querySelector(".tag")?.remove();
  if (roles.length) which.append(h("span", { class: "tag", title: "the embedded simulator, not a language model" }, "simulated", h("span", { class: "roles" }, ` ${roles.join(", ")}`)));
  const link = (href, text, on) => h("a", { href, "aria-current": on ? "page" : null }, text);
  replace(document.getElementById("pages"),
    link(`/runs/${at.run}`, "Overview", at.name === "overview"),
    link(`/runs/${at.run}/sessions`, "Sessions", at.name === "sessions" || at.name === "session"),
    runs.length > 1 && link(`/compare?a=${at.run}&b=${at.run === 0 ? 1 : 0}`, "Compare runs", at.name === "compare"));
}

document.addEventListener("click", (e) => {
  const a = e.target.closest?.("a[href]");
  if (!a || e.defaultPrevented || e.button || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey || a.target) return;
  const url = new URL(a.href);
  if (url.origin !== location.origin) return;
  if (a.getAttribute("href").startsWith("#")) return;
  e.preventDefault();
  go(url.pathname + url.search);
});
window.addEventListener("popstate", () => render(true));
history.scrollRestoration = "manual";

// Keys. Those of a text box, and of the browser, stay theirs.
const keys = document.getElementById("keys");
const keysOn = document.getElementById("keys-on");
try {
  keysOn.checked = localStorage.getItem("keys") !== "off";
} catch { /* no storage: they are on */ }
keysOn.addEventListener("change", () => {
  try {
    localStorage.setItem("keys", keysOn.checked ? "on" : "off");
  } catch { /* for this page only, then */ }
});
document.getElementById("help").addEventListener("click", () => keys.showModal());
document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || keys.open || !keysOn.checked) return;
  const t = e.target;
  const box = t.matches?.("input, select, textarea");
  if (box && !((t.type === "checkbox" || t.type === "radio") && !e.key.startsWith("Arrow"))) {
    if (e.key === "Escape") t.blur();
    return;
  }
  if (e.key === "?") {
    keys.showModal();
    e.preventDefault();
    return;
  }
  if (page?.keys?.[e.key]) {
    e.preventDefault();
    page.keys[e.key]();
  }
});

// walk moves the focus among the elements that find gives; over an edge it calls on.
export function walk(find, step, over) {
  const all = find();
  const at = all.indexOf(document.activeElement);
  const to = at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step;
  if (to >= 0 && to < all.length) {
    all[to].focus();
    all[to].scrollIntoView({ block: "nearest" });
  } else over?.();
}

render(false);
