// What a run was, before any of its sessions: what to know before trusting a number,
// the headline, and where everything came from.
import { h, s, num, signed, whole, plural, mark, table, td, th, tr, dash, isNum } from "./dom.js";
import { about, api, go } from "./main.js";

export async function overview({ run, runs }) {
  const o = await about(run);
  const all = await api("/api/runs");
  const state = all[run];
  const m = o.manifest;
  const list = (a, f) => a.map(f).flatMap((x, i) => (i ? [", ", x] : [x]));
  const simulated = state.simulated.length > 0;

  const notes = h("div", { class: "notes" },
    o.warnings.length > 0 && h("section", { class: "note warn", "aria-labelledby": "warnings" }, h("h2", { id: "warnings" }, plural(o.warnings.length, "warning")), h("ul", null, o.warnings.map((w) => h("li", null, w)))),
    indexNotes(state),
    simulated && h("p", { class: "note" }, h("strong", null, "Simulated. "), `${sentence(state.simulated)} ${state.simulated.length > 1 ? "are" : "is"} the embedded simulator, not a language model.`));
  const empty = !notes.childNodes.length;

  const node = h("div", { class: "page" },
    h("div", { class: "head" },
      h("h1", { tabindex: "-1" }, runs[run].name),
      h("p", { class: "muted" }, [m.data.name, m.data.version && `version ${m.data.version}`, m.data.rubric === "none" ? "survey" : `${m.data.rubric} rubric`, plural(m.strategies.length, "strategy", "strategies"), plural(m.seeds.length, "seed"), `budget ${m.budget}`].filter(Boolean).join(" · ")),
      h("p", { class: "actions" },
        h("a", { class: "button primary", href: `/runs/${run}/sessions` }, state.ready ? `Look into ${plural(state.sessions, "session")}` : "Sessions"),
        o.report && h("a", { class: "button", href: `/runs/${run}/report.html`, target: "_blank", rel: "noopener" }, "Open report.html"))),
    empty ? null : notes,
    headline(o, run),
    runs.length > 1 && h("section", { "aria-labelledby": "runs" }, h("h2", { id: "runs" }, "Runs given"),
      table("plain", "Runs", [["Run"], ["Folder"], ["Sessions", "n"], ["Planned", "n"], ["Index"]], all.map((r) => tr({ class: r.id === run ? "on" : "" },
        th("", h("a", { href: `/runs/${r.id}` }, r.name)), td("mono", r.dir), td("n", r.ready ? whole(r.sessions) : dash), td("n", whole(r.planned)), td("", r.ready ? "ready" : r.error || "being made"))))),
    h("section", { "aria-labelledby": "provenance" }, h("h2", { id: "provenance" }, "Provenance"),
      h("dl", { class: "facts" },
        fact("Configuration", h("span", { class: "mono break" }, m.config_hash)),
        fact("Code", h("span", { class: "mono break" }, m.code.version), ` ${m.code.go}, ${m.code.platform}`),
        fact("Data", `${m.data.name} ${m.data.version}`, h("ul", { class: "bare" }, (m.data.sources || []).map((f) => h("li", null, f.path, " ", h("span", { class: "mono muted break" }, f.sha256))))),
        fact("Split", `${m.data.split}; test ${plural(m.data.tasks.test, "task")}, ${plural(m.data.users.test, "user")}, ${plural(m.data.profiles.test, "profile")}`, m.data.shared_users ? "; the same users recur across tasks" : ""),
        fact("Users", m.users), fact("Solver", m.solver), fact("Judge", m.judge),
        (m.endpoints || []).length > 0 && fact("Endpoints", h("ul", { class: "bare" }, m.endpoints.map((e) => h("li", null, `${e.role}: ${e.model}`, e.reported && e.reported !== e.model ? ` (reported ${e.reported})` : "", e.simulated ? " (simulated)" : "")))),
        (m.models || []).length > 0 && fact("Models", h("ul", { class: "bare" }, m.models.map((x) => h("li", null, `${x.name}: ${x.about}, ${plural(x.params, "parameter")}`)))),
        fact("Seeds", m.seeds.join(", ")), fact("Checkpoints", m.checkpoints.join(", "), ` (final: ${o.final})`),
        fact("Sessions", `${state.ready ? whole(state.sessions) : dash} in the file, ${whole(m.sessions)} planned`),
        (m.left_out || []).length > 0 && fact("Left out", list(m.left_out, (x) => x)),
        m.rejudged && fact("Rejudged", `responses of ${m.rejudged.of}, graded there by ${m.rejudged.judge}`),
        fact("Folder", h("span", { class: "mono break" }, runs[run].dir))),
      h("details", null, h("summary", null, "Whole configuration"), h("pre", { class: "config", tabindex: "0", role: "region", "aria-label": "Configuration" }, JSON.stringify(m.config, null, 1)))));
  // While indexes are made the page says how many are there, and then shows them.
  const ready = (a) => a.filter((r) => r.ready).length;
  const watch = async () => {
    if (!node.isConnected) return;
    const now = await api("/api/runs").catch(() => null);
    if (!node.isConnected) return;
    if (now && ready(now) !== ready(all)) go(location.pathname + location.search, { quiet: true });
    else if (!now || now.some((r) => r.building)) setTimeout(watch, 500);
  };
  return { title: runs[run].name, node, shown: () => all.some((r) => r.building || !r.ready) && setTimeout(watch, 250) };
}

const sentence = (a) => { const t = a.length > 1 ? `${a.slice(0, -1).join(", ")} and ${a.at(-1)}` : a[0]; return t[0].toUpperCase() + t.slice(1); };
const fact = (name, ...kids) => h("div", null, h("dt", null, name), h("dd", null, ...kids));

function indexNotes(st) {
  const say = [];
  if (st.error) say.push(st.error);
  if (st.note) say.push(st.note);
  if (st.torn) say.push("the last line of sessions.jsonl is torn: the run was interrupted, or still writes");
  if (st.alien) say.push(`${plural(st.alien, "line")} of sessions.jsonl ${st.alien === 1 ? "is" : "are"} no session of the run, or a second one of the same session; left out`);
  if (st.replaced) say.push(`${plural(st.replaced, "failed session")} ${st.replaced === 1 ? "was" : "were"} run again; the last try is shown`);
  if (st.ready && st.sessions < st.planned) say.push(`${whole(st.sessions)} of ${whole(st.planned)} planned sessions are there`);
  return say.length > 0 && h("section", { class: "note warn", "aria-labelledby": "filenotes" }, h("h2", { id: "filenotes" }, "The file"), h("ul", null, say.map((x) => h("li", null, x))));
}

function headline(o, run) {
  if (!o.headline) return h("section", { "aria-labelledby": "headline" }, h("h2", { id: "headline" }, "Headline"), h("p", null, sentence([o.unreported]) + "."));
  const by = new Map(o.strategies.map((x) => [x.name, x]));
  const some = (f) => o.headline.some((r) => isNum(r[f]?.value ?? r[f]));
  const span = (e, digits) => (isNum(e?.lo) && isNum(e?.hi) ? h("span", { class: "ci" }, `[${num(e.lo, digits)}, ${num(e.hi, digits)}]`) : null);
  const est = (e, digits, scale = 1) => (isNum(e?.value) ? [num(e.value * scale, digits), " ", span({ lo: isNum(e.lo) ? e.lo * scale : null, hi: isNum(e.hi) ? e.hi * scale : null }, digits)] : dash);
  // The plot spans the tens around all intervals; its ends stand above it.
  const ends = o.headline.flatMap((r) => [r.alignment?.value, r.alignment?.lo, r.alignment?.hi]).filter(isNum);
  const lo = ends.length ? 10 * Math.floor(Math.min(...ends) / 10) : 0, hi = ends.length ? Math.max(lo + 10, 10 * Math.ceil(Math.max(...ends) / 10)) : 100;
  const correct = some("correct"), ref = o.reference;
  const tests = o.headline.some((r) => isNum(r.p));
  const columns = [["Strategy", ""], ["Alignment", "n"], [h("span", { "aria-hidden": "true" }, h("i", null, lo), h("i", null, hi)), "plot wide"], ["Normalised", "n", "0 is the floor, 100 the ceiling"], ["Questions", "n"], ["To target", "n", "questions until the mean curve reaches the final alignment of " + (o.about.target || "the target")], ["Adaptivity, corrected", "n", "share of pairs with different answers that go on differently, less that of pairs with equal ones"], correct && ["Right, %", "n"], ref && [`Minus ${ref}`, "n"], tests && ["p", "n"], ["Not graded", "n", "sessions that failed, or whose alignment is undefined"]].filter(Boolean);
  const rows = o.headline.map((r) => {
    const st = by.get(r.strategy), undef = r.alignment?.undefined || 0;
    return tr({},
      th("", mark(st), h("a", { href: `/runs/${run}/sessions?strategy=${encodeURIComponent(r.strategy)}`, title: st?.about }, r.strategy)),
      td("n", est(r.alignment, 1)), td("plot wide", whisker(r.alignment, lo, hi)), td("n", num(r.normalised?.value, 1)), td("n", num(r.questions?.value, 2)),
      td("n", num(r.to_target, 2)), td("n", est(r.adaptivity, 2)), correct && td("n", est(r.correct, 1, 100)),
      ref && td("n", r.difference ? [signed(r.difference.value, 1), " ", span(r.difference, 1), r.resolved ? "" : h("span", { title: "not resolved" }, " ~")] : r.strategy === ref ? h("span", { class: "muted" }, "reference") : dash),
      tests && td("n", isNum(r.p) ? (r.p < 0.001 ? "<0.001" : num(r.p, 3)) : dash, isNum(r.p) && !r.family ? h("span", { class: "muted", title: "exploratory, not corrected" }, "†") : null),
      td("n", r.failed + undef ? h("span", { title: [r.failed && `${r.failed} failed`, ...r.reasons].filter(Boolean).join("; ") }, whole(r.failed + undef)) : "0"));
  });
  const a = o.about;
  return h("section", { "aria-labelledby": "headline" }, h("h2", { id: "headline" }, "Headline"),
    table("headline", "Headline by strategy", columns, rows),
    h("p", { class: "muted small" }, `After at most ${a.final} questions; mean of ${a.cluster} means over ${plural(a.tasks, "task")} and ${plural(a.users, "user")}. Brackets: ${Math.round(100 * a.confidence)}% bootstrap intervals${a.intervals === "two-way" ? " over tasks and users" : ` over ${a.cluster}s`}${a.intervals === "two-way" ? ` (of adaptivity: over ${a.cluster}s alone)` : ""}, ${whole(a.resamples)} resamples. A dash is undefined. ~ is not resolved.${tests ? " p is Holm's within the family; † exploratory, not corrected." : ""} Figures and all other tables: report.html and tables/.`));
}

// whisker draws a mean with its interval; the numbers stand beside it.
function whisker(e, lo, hi) {
  if (!isNum(e?.value)) return null;
  const x = (v) => 1 + (98 * (v - lo)) / (hi - lo);
  return s("svg", { viewBox: "0 0 100 14", class: "whisker", preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false" },
    s("line", { x1: 0, x2: 100, y1: 7, y2: 7, class: "axis" }),
    isNum(e.lo) && s("line", { x1: x(e.lo), x2: x(e.hi), y1: 7, y2: 7, class: "range" }),
    s("line", { x1: x(e.value), x2: x(e.value), y1: 2, y2: 12, class: "mean" }));
}
