// What is known of the house: asked for once, kept up to date by the feed.

import { get } from "./api.js";
import { feed } from "./feed.js";
import { houseZone, nameRooms } from "./words.js";

const LEVELS = 120;

/** @type {any} */
export let house = null;

/** Emits `change` when something of a source, or the connection, is another. */
export const changes = new EventTarget();

/** @type {Map<string, {level: number, floor: number}[]>} The last minute or so of each source. */
export const levels = new Map();

export async function loadHouse() {
  house = await get("api/house");
  houseZone(house.zone);
  nameRooms(house.sources);
  for (const source of house.sources) {
    if (source.level_dbfs != null && !levels.has(source.name)) {
      levels.set(source.name, [{ level: source.level_dbfs, floor: source.floor_dbfs }]);
    }
  }
  tell();
  return house;
}

/** The tab's title is the page's headline: behind other tabs it is all that is seen of a waiting alert. @param {HTMLElement} view */
export function entitle(view) {
  const headline = view.querySelector("h1")?.textContent;
  document.title = headline ? `${headline} · ${house.node}` : house.node;
}

/** @param {string} name */
export const sourceOf = (name) => house?.sources.find((/** @type {any} */ one) => one.name === name);

const tell = () => changes.dispatchEvent(new Event("change"));

/**
 * @param {string} kind
 * @param {(source: any, data: any) => void} apply
 */
function follow(kind, apply) {
  feed.addEventListener(kind, (message) => {
    const data = /** @type {CustomEvent} */ (message).detail;
    const source = sourceOf(data.source);
    if (!source) return;
    apply(source, data);
    tell();
  });
}

follow("sourcestatus", (source, data) => {
  if (source.online !== data.online) source.since = data.at;
  Object.assign(source, { online: data.online, reason: data.reason, heard: source.heard || data.online });
  if (!data.online) source.sounding = {};
});
follow("problem", (source, data) => (source.problems = data.kinds));
follow("setting", (source, data) => {
  if (data.name === "mute") Object.assign(source, { muted: data.value, muted_until: data.until ?? null });
  else source[data.name] = data.value;
});
follow("watched", (source, data) => Object.assign(source, { watched: data.watched, listened: data.listened }));
follow("event", (source, data) => {
  if (data.state === "ended") delete source.sounding[data.label];
  else source.sounding[data.label] = { score: data.score, certainty: data.certainty };
  source.last = { label: data.label, at: data.ended_at ?? data.started_at };
});
feed.addEventListener("level", (message) => {
  const data = /** @type {CustomEvent} */ (message).detail;
  const known = levels.get(data.source) ?? [];
  known.push({ level: data.level_dbfs, floor: data.floor_dbfs });
  if (known.length > LEVELS) known.shift();
  levels.set(data.source, known);
  const source = sourceOf(data.source);
  if (source) Object.assign(source, { level_dbfs: data.level_dbfs, floor_dbfs: data.floor_dbfs });
  changes.dispatchEvent(new CustomEvent("level", { detail: data.source }));
});
feed.addEventListener("reset", () => loadHouse().catch(() => {}));
feed.addEventListener("again", () => house && loadHouse().catch(() => {}));
feed.addEventListener("connection", tell);
