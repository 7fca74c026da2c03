// What was heard: a strip per room and day, and the list below, newest first.

import { get, query } from "../api.js";
import { fill, h, icon, keyed } from "../base.js";
import { feed } from "../feed.js";
import { house } from "../house.js";
import { deleteSound } from "../parts/clips.js";
import { iconOf } from "../parts/glyph.js";
import { attempt, menu } from "../parts/overlay.js";
import { eventRow } from "../parts/row.js";
import "../parts/strip.js";
import { teach } from "../parts/teach.js";
import { judge, judged, judgeMany, undoLast } from "../parts/verdict.js";
import { clock, dayName, dayOf, labelName, percent, roomName, shifted, t, timeTag } from "../words.js";

const PAGE = 50;
const ROW = 69;
const DAY = 45;
const MARGIN = 600;
const MOST_TAKEN = 500;
const LONG_MS = 500;
const TYPING_MS = 350;

/** A day of the calendar, or null: addresses are typed, too. @param {string | null} text */
function dayIn(text) {
  return text && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : null;
}

/**
 * @param {HTMLElement} view
 * @param {import("../app.js").Route} route
 */
export default function timeline(view, route) {
  const wanted = {
    day: dayIn(route.params.get("day")) ?? dayOf(Date.now()),
    only: route.params.get("only") === "1",
    label: route.params.get("label") ?? "",
    source: route.params.get("source") ?? "",
    severity: route.params.get("severity") ?? "",
    verdict: route.params.get("verdict") ?? "",
    certainty: route.params.get("certainty") ?? "",
    missed: route.params.get("missed") === "1",
  };
  /** @type {any[]} */
  let events = [];
  /** @type {string | null} */
  let next = null;
  let loading = false;
  let current = -1;
  let picking = false;
  /** @type {Map<string, any>} */
  const picked = new Map();
  let turn = new AbortController();
  let typing = 0;

  const strips = h("div", { class: "strips" });
  const dayLabel = h("span", { class: "day", "aria-live": "polite" });
  const list = h("div", { class: "rows", role: "list", "aria-busy": "false", "aria-label": t("timeline.title") });
  const misses = h("section", { class: "misses", hidden: true });
  const later = h("button", { type: "button", class: "quiet square", "aria-label": t("timeline.after"), onclick: () => turnTo(1) },
    icon("right"));
  const foot = h("div", { class: "foot" });
  const bulk = h("div", { class: "bulk", hidden: true, role: "region", "aria-label": t("timeline.pick") });
  const filters = h("div", { class: "filters", id: "filters" });
  const search = h("input", { type: "search", "aria-label": t("timeline.search"), placeholder: t("timeline.search"),
    value: route.params.get("q") ?? "", oninput: () => {
      clearTimeout(typing);
      typing = window.setTimeout(() => (read(search.value), again()), TYPING_MS);
    } });

  const picker = h("button", { type: "button", class: "quiet", "aria-pressed": "false", "aria-label": t("timeline.pick"),
    onclick: () => pick(!picking) }, icon("check"), h("span", null, t("timeline.pick")));

  view.append(
    h("header", { class: "bar" }, h("h1", null, t("timeline.title")),
      house.may_change && picker,
      menu(t("timeline.export"), [icon("download")], exports, "quiet square")),
    h("section", { class: "panel days" },
      h("div", { class: "daybar" },
        h("button", { type: "button", class: "quiet square", "aria-label": t("timeline.before"), onclick: () => turnTo(-1) }, icon("left")),
        dayLabel,
        later),
      strips,
      h("div", { class: "hours", "aria-hidden": "true" }, [0, 6, 12, 18, 24].map((hour) => h("span", null, hour)))),
    h("div", { class: "searchbar" }, search,
      h("button", { type: "button", class: "filterbutton", "aria-label": t("timeline.filters"), "aria-expanded": "false", "aria-controls": "filters",
        onclick: (/** @type {any} */ e) => {
          const open = filters.classList.toggle("open");
          e.currentTarget.setAttribute("aria-expanded", String(open));
        } }, icon("filter"), h("span", null, t("timeline.filters")))),
    filters, misses, list, foot, bulk);

  function again() {
    // Somebody has gone on already: the address is another page's, and must not be written over.
    if (!location.hash.startsWith("#/timeline")) return;
    turn.abort();
    turn = new AbortController();
    events = [];
    next = null;
    current = -1;
    history.replaceState(null, "", query("#/timeline", {
      ...wanted, only: wanted.only && "1", missed: wanted.missed && "1", q: search.value,
      day: wanted.day === dayOf(Date.now()) ? "" : wanted.day }));
    drawFilters();
    loadMisses();
    // The list of a past day begins at that day's end, which the day itself says.
    const day = loadDay();
    return wanted.day < dayOf(Date.now()) ? day.then(() => more()) : more();
  }

  const asked = () => ({ label: wanted.label, source: wanted.source, severity: wanted.severity, verdict: wanted.verdict,
    certainty: wanted.certainty, day: wanted.only ? wanted.day : "" });

  /** @param {string} [from] */
  async function more(from) {
    if (loading) return;
    loading = true;
    list.setAttribute("aria-busy", "true");
    const { signal } = turn;
    const before = from ?? next;
    const end = !wanted.only && !before ? Date.parse(`${shifted(wanted.day, 1)}T12:00:00Z`) : 0;
    const until = end && end < Date.now() ? { until: dayUntil } : {};
    try {
      const page = await get(query("api/events", { ...asked(), ...until, before: before ?? "", limit: PAGE }), signal);
      events = before ? [...events, ...page.events] : page.events;
      next = page.next;
    } catch (error) {
      if (!signal.aborted) await attempt(() => Promise.reject(error));
    } finally {
      loading = false;
      list.setAttribute("aria-busy", "false");
    }
    // What was asked for meanwhile is asked for now; who has left the page asks for nothing, or would for ever.
    if (!signal.aborted) draw();
    else if (!turn.signal.aborted) await more();
  }

  let dayUntil = "";
  async function loadDay() {
    dayLabel.textContent = dayName(wanted.day);
    later.disabled = wanted.day >= dayOf(Date.now());
    const { signal } = turn;
    const day = await get(`api/days/${wanted.day}`, signal).catch(() => null);
    if (!day || signal.aborted) return;
    dayUntil = day.until;
    keyed(strips, day.strips.filter((/** @type {any} */ one) => !wanted.source || wanted.source.split(",").includes(one.source)),
      (strip) => strip.source, (strip) => stripRow(strip, day));
    for (const row of /** @type {any} */ (strips.children)) row.show(day);
  }

  /** @param {any} strip @param {any} day */
  function stripRow(strip, day) {
    const drawn = /** @type {any} */ (document.createElement("ew-strip"));
    const row = h("div", { class: "striprow" }, h("span", { class: "stripname" }, roomName(strip.source)), drawn);
    /** @type {any} */ (row).show = (/** @type {any} */ now) =>
      drawn.show(now.strips.find((/** @type {any} */ one) => one.source === strip.source), now, goTo);
    return row;
  }

  /** Show the list from this moment on. @param {number} at */
  async function goTo(at) {
    turn.abort();
    turn = new AbortController();
    events = [];
    await more(`${Math.round((at + 150_000) * 1000)}.g`.replace(".g", ".ffffffffffff"));
    list.scrollIntoView({ block: "start", behavior: "smooth" });
  }

  async function loadMisses() {
    misses.hidden = !wanted.missed;
    if (!wanted.missed) return;
    const { signal } = turn;
    const found = await attempt(() => get(query("api/near_misses",
      { day: wanted.day, label: wanted.label, source: wanted.source, limit: 100 }), signal));
    if (!found || signal.aborted) return;
    fill(misses, h("h2", null, t("timeline.misses_title")), h("p", { class: "hint" }, t("timeline.misses_why")),
      h("div", { class: "rows", role: found.misses.length ? "list" : null }, found.misses.map((/** @type {any} */ miss) =>
        h("div", { class: "row miss", role: "listitem" }, h("span", { class: "glyph" }, icon(iconOf(miss.label))),
          h("a", { class: "what", href: query(`#/event/~${encodeURIComponent(miss.started_at)}`, { source: miss.source }) },
            h("span", { class: "name" }, labelName(miss.label), " ", h("small", null, roomName(miss.source))),
            h("span", { class: "facts" }, miss.reached ? t("miss.hits")
              : t("miss.score", { score: percent(miss.score), onset: percent(miss.onset) }))),
          h("span", { class: "when" }, timeTag(miss.started_at)))),
      found.misses.length === 0 && h("p", { class: "empty" }, t("timeline.empty"))));
  }

  function drawFilters() {
    const choice = (/** @type {"label"} */ name, /** @type {string} */ words, /** @type {[string, string][]} */ options) =>
      h("label", null, h("span", null, words), h("select", { onchange: (/** @type {any} */ e) => {
        wanted[name] = e.target.value;
        search.value = "";
        again();
      } }, [["", t("timeline.any")], ...options].map(([value, text]) =>
        h("option", { value, selected: wanted[name] === value }, text))));
    const labels = house.labels.map((/** @type {any} */ one) => [one.id, labelName(one.id)])
      .sort((/** @type {string[]} */ a, /** @type {string[]} */ b) => a[1].localeCompare(b[1]));
    fill(filters,
      choice("label", t("timeline.label"), labels),
      choice(/** @type {any} */ ("source"), t("timeline.room"), house.sources.map((/** @type {any} */ one) => [one.name, roomName(one.name)])),
      choice(/** @type {any} */ ("severity"), t("timeline.severity"), [["critical", t("severity.critical")],
        ["critical,warning", `${t("severity.critical")}, ${t("severity.warning")}`],
        ["critical,warning,info", t("timeline.told")]]),
      choice(/** @type {any} */ ("verdict"), t("timeline.verdict"), [["none", t("timeline.none")], ["right", t("verdict.right")],
        ["wrong", t("verdict.wrong")], ["unsure", t("verdict.unsure")]]),
      choice(/** @type {any} */ ("certainty"), t("timeline.certainty"), [["confirmed", t("certainty.confirmed")], ["suspected", t("certainty.suspected")]]),
      h("span", { class: "switches" },
        toggle("only", t("timeline.whole_day")), toggle("missed", t("timeline.missed")),
        h("button", { type: "button", class: "quiet", onclick: clear }, t("timeline.clear"))));
  }

  /** @param {"only" | "missed"} name @param {string} words */
  const toggle = (name, words) => h("label", { class: "switch" }, h("input", { type: "checkbox", checked: wanted[name],
    onchange: (/** @type {any} */ e) => ((wanted[name] = e.target.checked), again()) }), h("span", null, words));

  function clear() {
    Object.assign(wanted, { label: "", source: "", severity: "", verdict: "", certainty: "", only: false, missed: false });
    search.value = "";
    again();
  }

  /** Words that name sounds, rooms or days become filters. @param {string} text */
  function read(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const hits = (/** @type {string[]} */ ids, /** @type {(id: string) => string} */ name) =>
      ids.filter((id) => words.some((word) => name(id).toLowerCase().includes(word) || id.includes(word))).join(",");
    wanted.source = hits(house.sources.map((/** @type {any} */ one) => one.name), roomName);
    wanted.label = hits(house.labels.map((/** @type {any} */ one) => one.id), labelName);
    if (words.includes(t("day.yesterday").toLowerCase())) [wanted.day, wanted.only] = [shifted(dayOf(Date.now()), -1), true];
    if (words.includes(t("day.today").toLowerCase())) [wanted.day, wanted.only] = [dayOf(Date.now()), true];
    if (words.length && !wanted.source && !wanted.label && !wanted.only) wanted.label = "-";
  }

  /** @param {number} days */
  function turnTo(days) {
    const day = shifted(wanted.day, days);
    if (day > dayOf(Date.now())) return;
    wanted.day = day;
    again();
  }

  /** @returns {[string, () => void][]} */
  function exports() {
    const take = (/** @type {string} */ format) => () => {
      const link = h("a", { href: query("api/export", { ...asked(), format }), download: "" });
      document.body.append(link);
      link.click();
      link.remove();
    };
    return [[t("timeline.csv"), take("csv")], [t("timeline.json"), take("json")],
      ...(house.may_hear ? [/** @type {[string, () => void]} */ ([t("timeline.zip"), take("zip")])] : [])];
  }

  // Only what is near the window is in the document: rows have one height, and a day begins with a line.
  function items() {
    /** @type {{key: string, high: number, day?: string, event?: any, n?: number}[]} */
    const found = [];
    let day = "";
    events.forEach((event, n) => {
      const own = dayOf(event.started_at);
      if (own !== day) found.push({ key: `day ${own}`, high: DAY, day: (day = own) });
      found.push({ key: event.id, high: ROW, event, n });
    });
    return found;
  }

  function draw() {
    const all = items();
    const top = list.getBoundingClientRect().top;
    let above = 0;
    let first = 0;
    while (first < all.length && above + all[first].high < -top - MARGIN) above += all[first++].high;
    let last = first;
    let shown = 0;
    while (last < all.length && shown < innerHeight + 2 * MARGIN) shown += all[last++].high;
    const below = all.slice(last).reduce((sum, one) => sum + one.high, 0);
    list.style.paddingTop = `${above}px`;
    list.style.paddingBottom = `${below}px`;
    keyed(list, all.slice(first, last), (one) => one.key, (one) => (one.day ? dayRow(one.day) : listRow(one)));
    fill(foot, !loading && !events.length && h("p", { class: "empty" }, t("timeline.empty")),
      next && h("button", { type: "button", onclick: () => more() }, t("timeline.older")),
      !next && events.length > 0 && h("p", { class: "empty" }, t("timeline.end")));
    if (next && below < MARGIN && top + list.offsetHeight - innerHeight < 2 * MARGIN) more();
    mark();
  }

  /** @param {string} day */
  const dayRow = (day) => h("div", { class: "dayrow", role: "listitem" }, h("h2", null, dayName(day)));

  /** @param {any} item */
  function listRow(item) {
    const row = eventRow(item.event, { write: clock, ...(picking && { select, selected: () => picked.has(item.event.id) }) });
    const update = /** @type {any} */ (row).update;
    const place = (/** @type {any} */ one) => {
      row.setAttribute("aria-posinset", String(one.n + 1));
      row.setAttribute("aria-setsize", next ? "-1" : String(events.length));
    };
    /** @type {any} */ (row).update = (/** @type {any} */ one) => (place(one), update(one.event));
    row.addEventListener("click", (/** @type {MouseEvent} */ e) => {
      if (picking && !(/** @type {Element} */ (e.target).closest("button, input"))) {
        e.preventDefault();
        select(item.event, !picked.has(item.event.id));
      }
    });
    if (house.may_change) touch(row, item.event);
    place(item);
    return row;
  }

  // What some browsers make of the finger that is lifted after a long press would take it back.
  let pressed = false;
  list.addEventListener("click", (/** @type {Event} */ e) => {
    if (!pressed) return;
    pressed = false;
    e.preventDefault();
    e.stopPropagation();
  }, { capture: true });

  /** A swipe to the right is right, to the left wrong; a long press selects, and then others. @param {HTMLElement} row @param {any} event */
  function touch(row, event) {
    let [from_x, from_y, by, timer] = [0, 0, 0, 0];
    const still = () => clearTimeout(timer);
    row.addEventListener("touchstart", (e) => {
      [from_x, from_y, by] = [e.touches[0].clientX, e.touches[0].clientY, 0];
      still();
      pressed = false;
      if (!picking) timer = window.setTimeout(() => (pick(true), select(event, true), (pressed = true)), LONG_MS);
    }, { passive: true });
    row.addEventListener("touchmove", (e) => {
      by = e.touches[0].clientX - from_x;
      if (Math.max(Math.abs(by), Math.abs(e.touches[0].clientY - from_y)) < 12) return;
      still();
      row.style.transform = `translateX(${by / 2}px)`;
    }, { passive: true });
    for (const end of ["touchend", "touchcancel"]) row.addEventListener(end, () => (still(), (row.style.transform = "")));
    row.addEventListener("touchend", () => {
      const now = events.find((one) => one.id === event.id);
      if (Math.abs(by) > 90 && now) judge(now, by > 0 ? "right" : "wrong");
    });
    // The browser's own menu of a link would come up instead.
    row.addEventListener("contextmenu", (/** @type {any} */ e) => e.pointerType === "touch" && e.preventDefault());
  }

  /** @param {boolean} on */
  function pick(on) {
    picking = on;
    picker.setAttribute("aria-pressed", String(on));
    picked.clear();
    list.replaceChildren();
    draw();
    drawBulk();
  }

  /** @param {any} event @param {boolean} on */
  function select(event, on) {
    if (on) picked.set(event.id, event);
    else picked.delete(event.id);
    draw();
    drawBulk();
  }

  function drawBulk() {
    bulk.hidden = !picking;
    const many = (/** @type {"right"} */ verdict) => async () => {
      await judgeMany([...picked.values()], verdict);
      picked.clear();
      draw();
      drawBulk();
    };
    fill(bulk, h("strong", { role: "status" }, t("timeline.selected", { n: picked.size })),
      h("button", { type: "button", class: "quiet", onclick: () => {
        for (const event of events) picked.set(event.id, event);
        draw();
        drawBulk();
      } }, t("timeline.all")),
      h("span", null,
        ["right", "wrong", "unsure"].map((verdict) => h("button", { type: "button", disabled: !picked.size,
          onclick: many(/** @type {"right"} */ (verdict)) }, t(`verdict.${verdict}`))),
        h("button", { type: "button", disabled: !picked.size, onclick: () =>
          teach([...picked.values()].map((event) => ({ ...event, at: event.started_at }))) }, t("teach.teach")),
        picked.size > 0 && h("button", { type: "button", onclick: () => deleteSound([...picked.keys()], () => {
          for (const event of picked.values()) Object.assign(event, { clip: false, picture: false });
          picked.clear();
          draw();
          drawBulk();
        }) }, t("clips.delete")),
        house.may_hear && picked.size > 0 && picked.size <= MOST_TAKEN && h("a", { class: "button", download: "",
          href: query("api/export", { format: "zip", ids: [...picked.keys()].join(",") }) }, t("timeline.take"))));
  }

  /** @param {KeyboardEvent} event */
  function key(event) {
    if (event.target instanceof Element && event.target.closest("input:not([type=checkbox]), select, dialog, .menu")) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const focused = /** @type {HTMLElement | null} */ (document.activeElement?.closest(".row[data-id]"));
    if (focused) current = events.findIndex((one) => one.id === focused.dataset.id);
    const here = events[current];
    const act = {
      j: () => move(1), k: () => move(-1), ArrowDown: focused && (() => move(1)), ArrowUp: focused && (() => move(-1)),
      y: here && (() => judge(here, "right")), n: here && (() => judge(here, "wrong")),
      u: here && (() => judge(here, "unsure")), z: undoLast,
      x: here && picking && (() => select(here, !picked.has(here.id))),
      " ": here && !(/** @type {Element} */ (event.target).closest("button")) && (() => play(here)),
      "/": () => search.focus(),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  /** @param {number} step */
  function move(step) {
    const to = Math.max(0, Math.min(events.length - 1, current + step));
    if (!events.length) return;
    current = to;
    if (to >= events.length - 10 && next) more();
    const all = items();
    const at = all.findIndex((one) => one.n === to);
    const offset = all.slice(0, at).reduce((sum, one) => sum + one.high, 0);
    const box = list.getBoundingClientRect().top + offset;
    if (box < 80) scrollBy(0, box - 120);
    else if (box + ROW > innerHeight - 110) scrollBy(0, box + ROW - innerHeight + 150);
    draw();
    /** @type {HTMLElement | null} */ (list.querySelector(`.row[data-id="${events[to].id}"] .what`))?.focus({ preventScroll: true });
  }

  function mark() {
    for (const row of list.querySelectorAll(".row")) {
      row.classList.toggle("current", current >= 0 && /** @type {HTMLElement} */ (row).dataset.id === events[current]?.id);
    }
  }

  const sound = new Audio();
  /** @param {any} event */
  function play(event) {
    if (!event.clip || !house.may_hear) return;
    const address = new URL(`api/events/${event.id}/clip`, location.href).href;
    if (sound.src === address && !sound.paused) return sound.pause();
    sound.src = address;
    sound.play().catch(() => {});
  }

  const heard = (/** @type {any} */ message) => {
    const event = message.detail;
    const known = events.find((one) => one.id === event.id);
    if (known) Object.assign(known, event);
    else if (fits(event)) put(event);
    draw();
  };
  /** Where it belongs: what began before the list came, and was not kept yet, is known by what comes of it. @param {any} event */
  function put(event) {
    const at = events.findIndex((one) => Date.parse(one.started_at) <= Date.parse(event.started_at));
    if (at < 0 && next) return;
    const place = at < 0 ? events.length : at;
    events = [...events.slice(0, place), { alerts: [], verdict: null, severity: null, ...event }, ...events.slice(place)];
    if (current >= place) current += 1;
  }
  /** @param {any} event */
  const fits = (event) => wanted.day === dayOf(Date.now()) && !wanted.severity && !wanted.verdict &&
    (!wanted.label || wanted.label.split(",").includes(event.label)) &&
    (!wanted.source || wanted.source.split(",").includes(event.source)) &&
    (!wanted.certainty || wanted.certainty === event.certainty);
  const said = (/** @type {any} */ message) => {
    const known = events.find((one) => one.id === message.detail.id);
    if (known) Object.assign(known, message.detail);
    draw();
  };
  let waits = 0;
  const scrolled = () => {
    if (!waits) waits = requestAnimationFrame(() => ((waits = 0), draw()));
  };
  /** @type {[EventTarget, string, any][]} */
  const follows = [[feed, "event", heard], [judged, "judged", said], [feed, "reset", again], [window, "scroll", scrolled],
    [window, "resize", scrolled], [document, "keydown", key]];
  for (const [from, kind, act] of follows) from.addEventListener(kind, act);
  if (search.value) read(search.value);
  again();
  return () => {
    turn.abort();
    sound.pause();
    for (const [from, kind, act] of follows) from.removeEventListener(kind, act);
  };
}
