// What Home Assistant knows of earwitness: nodes and rooms, read from its entities.

/**
 * @typedef {{entity_id: string, unique_id: string, platform: string, device_id: string, disabled_by: string | null}} Entry
 * @typedef {Record<string, string>} Ids entity ids by what they are in our discovery documents
 * @typedef {{id: string, device: string, ids: Ids, rooms: Map<string, {device: string, ids: Ids}>}} Node
 */

const OURS = "earwitness.";
const NO_LABELS = new Set(["problem", "connection"]);

/**
 * Our nodes by id. An entity keeps its unique id whatever its owner calls it.
 * @param {Entry[]} entries Home Assistant's registry
 */
export function nodesOf(entries) {
  /** @type {Map<string, Node>} */
  const nodes = new Map();
  for (const one of entries) {
    if (one.platform !== "mqtt" || !one.unique_id.startsWith(OURS) || one.disabled_by) continue;
    const [, id, ...rest] = one.unique_id.split(".");
    let node = nodes.get(id);
    if (!node) nodes.set(id, (node = { id, device: "", ids: {}, rooms: new Map() }));
    if (rest.length === 1) {
      node.device = one.device_id;
      node.ids[rest[0]] = one.entity_id;
    } else if (rest.length === 2) {
      const room = node.rooms.get(rest[0]) ?? { device: one.device_id, ids: {} };
      room.ids[rest[1]] = one.entity_id;
      node.rooms.set(rest[0], room);
    }
  }
  return nodes;
}

/** Every entity that the card reads. @param {Iterable<Node>} nodes */
export const readBy = (nodes) =>
  [...nodes].flatMap((node) => [node.ids, ...[...node.rooms.values()].map((room) => room.ids)].flatMap((ids) => Object.values(ids)));

/**
 * A room as the page's elements take it.
 * @param {any} hass
 * @param {string} name
 * @param {{device: string, ids: Ids}} room
 */
export function roomOf(hass, name, room) {
  const state = (/** @type {string} */ key) => hass.states[room.ids[key]];
  const last = state("event");
  const heard = last?.attributes ?? {};
  const connection = state("connection");
  /** @type {Record<string, {score?: number}>} */
  const sounding = {};
  for (const [key, id] of Object.entries(room.ids)) {
    if (!id.startsWith("binary_sensor.") || NO_LABELS.has(key) || hass.states[id]?.state !== "on") continue;
    sounding[key] = { score: heard.event_type === key && heard.state !== "ended" ? heard.score : undefined };
  }
  return {
    name, title: titleOf(hass, room.device), ids: room.ids, sounding,
    online: !connection ? null : connection.state === "on",
    reason: connection?.attributes.reason ?? "",
    muted: state("mute")?.state === "on",
    problems: state("problem")?.state === "on" ? state("problem").attributes.kinds ?? [] : [],
    last: heard.event_type ? { label: heard.event_type, at: heard.ended_at ?? heard.started_at ?? last.state } : null,
  };
}

/** What the owner calls the device, or the room that it is named after. @param {any} hass @param {string} device */
function titleOf(hass, device) {
  const { name_by_user, name } = hass.devices?.[device] ?? {};
  return name_by_user || (name ?? "").replace(/ sounds$/, "");
}

/**
 * The alert that a node shows, or nothing.
 * @param {any} hass
 * @param {Node} node
 */
export function alertOf(hass, node) {
  const active = hass.states[node.ids.alert_active];
  return active?.state === "on" && active.attributes.id ? { ...active.attributes, node } : null;
}

/** Whether the daemon itself is connected; unknown without its entity. @param {any} hass @param {Node} node */
export const isThere = (hass, node) => !node.ids.connection || hass.states[node.ids.connection]?.state === "on";

/** What is wrong with it, in its own words. @param {any} hass @param {Node} node @returns {string[]} */
export function troubleOf(hass, node) {
  const trouble = hass.states[node.ids.trouble];
  return trouble?.state === "on" ? Object.values(trouble.attributes.notes ?? {}).map(String) : [];
}
