// What happens, as it happens. Closed while nobody looks; on return the daemon sends what was missed.

const HIDDEN_MS = 60_000;
const MESSAGES = ["event", "alert", "level", "setting", "sourcestatus", "problem", "labelstate", "verdict", "ack", "health",
  "watched"];

const SETTLED_MS = 2000;

/**
 * Emits the daemon's messages, `reset` when more was missed than it can send again, `connection`, and `again`
 * when everything else that is shown has to be asked for anew: at each return, and a while after the start, for
 * what changed between the first questions and the first message.
 */
class Feed extends EventTarget {
  constructor() {
    super();
    /** @type {EventSource | null} */
    this._source = null;
    this._last = "";
    this._wanted = false;
    this._timer = 0;
    this._returned = false;
    this.connected = false;
    document.addEventListener("visibilitychange", () => this._visible());
  }

  start() {
    this._wanted = true;
    this._open();
  }

  stop() {
    this._wanted = false;
    this._close();
  }

  _visible() {
    clearTimeout(this._timer);
    if (document.hidden) this._timer = window.setTimeout(() => this._close(), HIDDEN_MS);
    else if (this._wanted && !this._source) this._open();
  }

  _open() {
    this._close();
    // A new EventSource forgets what the old one had: the daemon takes the number from the address as well.
    const source = new EventSource(this._last ? `api/feed?after=${this._last}` : "api/feed");
    this._source = source;
    source.onopen = () => this._state(true);
    source.onerror = () => {
      this._state(false);
      if (source.readyState === EventSource.CLOSED && this._source === source) {
        this._source = null;
        this._timer = window.setTimeout(() => this._wanted && !this._source && this._open(), 5000);
      }
    };
    for (const kind of [...MESSAGES, "reset"]) {
      source.addEventListener(kind, (message) => {
        if (message.lastEventId) this._last = message.lastEventId;
        this.dispatchEvent(new CustomEvent(kind, { detail: JSON.parse(message.data) }));
      });
    }
  }

  _close() {
    this._source?.close();
    this._source = null;
  }

  /** @param {boolean} connected */
  _state(connected) {
    if (this.connected === connected) return;
    this.connected = connected;
    this.dispatchEvent(new CustomEvent("connection", { detail: connected }));
    if (!connected) return;
    const wait = this._returned ? 0 : SETTLED_MS;
    this._returned = true;
    window.setTimeout(() => this._wanted && this.dispatchEvent(new Event("again")), wait);
  }
}

export const feed = new Feed();
