// The ground: elements made in one expression, keyed lists, and custom elements that draw once a frame.

/** @typedef {Node | string | number | false | null | undefined | any[]} Child */

/**
 * An element with its attributes, listeners and children.
 * @param {string} tag
 * @param {Record<string, any> | null} [props] `on*` functions are listeners, `class` and the rest attributes
 * @param {...Child} children
 * @returns {any}
 */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "disabled") /** @type {any} */ (node)[name] = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  append(node, children);
  return node;
}

/**
 * @param {Node} node
 * @param {Child[]} children
 */
function append(node, children) {
  for (const child of children.flat(9)) {
    if (child !== false && child != null) {
      node.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
    }
  }
}

/**
 * Put `children` in place of what is in `node`.
 * @param {Element} node
 * @param {...Child} children
 */
export function fill(node, ...children) {
  node.replaceChildren();
  append(node, children);
  return node;
}

/**
 * An icon of the sprite; silent for screen readers, since words stand beside it.
 * @param {string} name
 * @param {string} [more]
 */
export function icon(name, more = "") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", `icon ${more}`.trim());
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.appendChild(use);
  return svg;
}

/**
 * Make the children of `parent` one for each item, in order; what has not changed stays where it is, with
 * its focus.
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => string} key
 * @param {(item: T) => Element & {update?: (item: T) => void}} make
 */
export function keyed(parent, items, key, make) {
  /** @type {Map<string, any>} */
  const before = new Map();
  for (const child of Array.from(parent.children)) before.set(/** @type {any} */ (child).key, child);
  /** @type {ChildNode | null} */
  let place = parent.firstChild;
  for (const item of items) {
    const id = key(item);
    let node = before.get(id);
    before.delete(id);
    if (node?.update) node.update(item);
    else if (!node) {
      node = make(item);
      node.key = id;
    }
    if (node === place) place = node.nextSibling;
    else parent.insertBefore(node, place);
  }
  for (const node of before.values()) node.remove();
}

/** A custom element with a canvas that is drawn at most once a frame, sharp on every screen. */
export class Drawn extends HTMLElement {
  constructor() {
    super();
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    this._wanted = false;
    this._observer = new ResizeObserver(() => this.redraw());
  }

  connectedCallback() {
    if (!this.canvas.isConnected) this.prepend(this.canvas);
    this._observer.observe(this);
    dark.addEventListener("change", (this._dark = () => this.redraw()));
    this.redraw();
  }

  disconnectedCallback() {
    this._observer.disconnect();
    if (this._dark) dark.removeEventListener("change", this._dark);
  }

  redraw() {
    if (this._wanted) return;
    this._wanted = true;
    requestAnimationFrame(() => {
      this._wanted = false;
      const { clientWidth: width, clientHeight: height } = this;
      if (!this.isConnected || !width || !height) return;
      const scale = window.devicePixelRatio || 1;
      const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
      if (this.canvas.width !== wide || this.canvas.height !== high) {
        this.canvas.width = wide;
        this.canvas.height = high;
      }
      const pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
      pen.setTransform(scale, 0, 0, scale, 0, 0);
      pen.clearRect(0, 0, width, height);
      this.draw(pen, width, height);
    });
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {number} width
   * @param {number} height
   */
  draw(pen, width, height) {}

  /**
   * A colour of the style sheet.
   * @param {string} name
   */
  colour(name) {
    return getComputedStyle(this).getPropertyValue(`--${name}`).trim();
  }
}

const dark = matchMedia("(prefers-color-scheme: dark)");

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
