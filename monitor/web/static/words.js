// The catalogue, and how times, numbers and names are written. Times are the house's, wherever its reader is.

/** @type {Record<string, string>} */
let catalogue = {};
let zone = "UTC";
let plural = new Intl.PluralRules("en");
/** Kept: a phone takes milliseconds to make one. @type {Map<string, any>} */
const formats = new Map();

export const LANGUAGES = { en: "English", de: "Deutsch" };
export let language = "en";

/**
 * From now on in this language.
 * @param {string} chosen one of LANGUAGES
 * @param {Record<string, string>} words its catalogue
 */
export function useWords(chosen, words) {
  language = chosen;
  plural = new Intl.PluralRules(language);
  formats.clear();
  catalogue = words;
}

/** @param {string} name */
export function houseZone(name) {
  zone = name;
  formats.clear();
}

/**
 * A sentence of the catalogue. With a number `n` the form that fits it.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  let text = catalogue[key];
  if (text === undefined && "n" in values) {
    text = catalogue[`${key}.${plural.select(Number(values.n))}`] ?? catalogue[`${key}.other`];
  }
  if (text === undefined) throw new Error(`no words for ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/**
 * Whether there are words for it; for what the daemon may add later.
 * @param {string} key
 */
export const has = (key) => key in catalogue;

/** @param {string} id */
export const labelName = (id) => catalogue[`label.${id}`] ?? id.replaceAll("_", " ");

/**
 * What the daemon says, where it has few ways to say it: without the source's name before it, and without a library's
 * words behind it.
 * @param {string} text
 */
export function daemonWords(text) {
  const plain = text.replace(/^[a-z0-9_-]+: /, "").replace(/ \(.*\)$/s, "");
  return catalogue[`reason.${plain.toLowerCase().replace(/[^a-z0-9]+/g, "_")}`] ?? text;
}

/** What a rule is called: the few of the daemon's own in the reader's language. @param {string} rule */
export const ruleName = (rule) => catalogue[`ours.${rule.toLowerCase().replaceAll(" ", "_")}`] ?? rule;

/** What a receiver is called. @param {string} channel */
export const receiverName = (channel) => catalogue[`receiver.${channel}`] ?? channel;

/** @type {Map<string, string>} How sources' names are written, where that is known. */
const titles = new Map();

/** @param {{name: string, title: string | null}[]} sources */
export function nameRooms(sources) {
  titles.clear();
  for (const { name, title } of sources) if (title) titles.set(name, title);
}

/** @param {string} name */
export function roomName(name) {
  const title = titles.get(name);
  if (title) return title;
  const plain = name.replaceAll("_", " ").replaceAll("-", " ");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

/** The reader's own manner of writing dates, if they read this language: 29 November, or November 29. */
const manner = () => (navigator.language.startsWith(language) ? navigator.language : language);

/**
 * @template T
 * @param {string} key
 * @param {() => T} make
 * @returns {T}
 */
function made(key, make) {
  if (!formats.has(key)) formats.set(key, make());
  return formats.get(key);
}

/**
 * @param {Intl.DateTimeFormatOptions} options
 * @param {string} [where]
 */
const format = (options, where = zone) =>
  made(JSON.stringify([options, where]), () => new Intl.DateTimeFormat(manner(), { timeZone: where, ...options }));

/** @param {string} iso */
export const clock = (iso) =>
  format({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(new Date(iso));
/** @param {string | number} iso */
export const shortClock = (iso) =>
  format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(iso));
/** @param {string | number} iso */
export const longDay = (iso) =>
  format({ weekday: "long", day: "numeric", month: "long" }).format(new Date(iso));

/**
 * The house's day of a moment, as in 2026-01-31.
 * @param {string | number} iso
 */
export function dayOf(iso) {
  const parts = format({ year: "numeric", month: "2-digit", day: "2-digit", calendar: "iso8601", numberingSystem: "latn" })
    .formatToParts(new Date(iso));
  const part = (/** @type {string} */ type) => parts.find((one) => one.type === type)?.value;
  return `${part("year")}-${part("month")}-${part("day")}`;
}

/** @param {string} day */
export function dayName(day) {
  const today = dayOf(Date.now());
  if (day === today) return t("day.today");
  if (day === shifted(today, -1)) return t("day.yesterday");
  return format({ weekday: "long", day: "numeric", month: "long" }, "UTC").format(new Date(`${day}T12:00:00Z`));
}

/**
 * A day so many days later.
 * @param {string} day
 * @param {number} days
 */
export function shifted(day, days) {
  const at = new Date(`${day}T12:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}

/** What the reader's own clock shows, where that is another one. @param {string} iso */
export function elsewhere(iso) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (own === zone) return "";
  const here = format({ weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, own);
  return t("time.yours", { time: here.format(new Date(iso)) });
}

/** @param {string} iso */
export function ago(iso) {
  const seconds = (Date.now() - new Date(iso).getTime()) / 1000;
  const words = made("ago", () => new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" }));
  if (seconds < 45) return t("time.just_now");
  if (seconds < 3600) return whole(words.format(-Math.round(seconds / 60), "minute"));
  if (seconds < 86400) return whole(words.format(-Math.round(seconds / 3600), "hour"));
  return whole(words.format(-Math.round(seconds / 86400), "day"));
}

/** No line ends between a number and its unit. @param {string} words */
const whole = (words) => words.replace(/(\d) /, "$1\u00a0");

/** The same at the end of a sentence: some languages shorten with a full stop. @param {string} iso */
export const agoAtEnd = (iso) => ago(iso).replace(/\.?$/, ".");

/** @param {number} seconds */
export function length(seconds) {
  if (seconds < 10) return t("time.seconds", { n: number(seconds, 1) });
  if (seconds < 90) return t("time.seconds", { n: number(seconds, 0) });
  if (seconds < 5400) return t("time.minutes", { n: number(seconds / 60, 0) });
  return t("time.hours", { n: number(seconds / 3600, 1) });
}

/**
 * @param {number} value
 * @param {number} digits
 */
export const number = (value, digits) =>
  made(`number ${digits}`, () => new Intl.NumberFormat(language, { maximumFractionDigits: digits })).format(value).replace("-", "−");

/** @param {number} score */
export const percent = (score) =>
  made("percent", () => new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 })).format(score);

/**
 * A moment for readers and machines.
 * @param {string} iso
 * @param {(iso: string) => string} [write]
 */
export function timeTag(iso, write = clock) {
  const node = document.createElement("time");
  node.dateTime = iso;
  node.textContent = write(iso);
  const other = elsewhere(iso);
  if (other) node.title = other;
  return node;
}
