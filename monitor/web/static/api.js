// Requests to the daemon. Every address is relative: the page works under any prefix.

/** What the daemon refused, in its own words. */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {string} detail
   */
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** `ended` is called when the session has. */
export const signIn = { ended: () => {} };

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
async function ask(method, path, body, signal) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json", "X-Earwitness": "1" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, signal, body: body === undefined ? null : JSON.stringify(body) });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, "");
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const problem = await answer.json().catch(() => ({ detail: answer.statusText }));
  if (answer.status === 401 && path !== "api/session") signIn.ended();
  throw new Problem(answer.status, problem.detail);
}

/** The first answers, which came with the page itself; each is taken once. @type {Map<string, any>} */
const came = new Map(Object.entries(JSON.parse(document.getElementById("came")?.textContent || "{}")));

/** @param {string} path @param {AbortSignal} [signal] */
export async function get(path, signal) {
  if (!came.has(path)) return ask("GET", path, undefined, signal);
  const answer = came.get(path);
  came.delete(path);
  return answer;
}
/** @param {string} path @param {unknown} [body] */
export const post = (path, body) => ask("POST", path, body);
/** @param {string} path @param {unknown} [body] */
export const put = (path, body) => ask("PUT", path, body);
/** @param {string} path */
export const remove = (path) => ask("DELETE", path);

/**
 * Lines of JSON as they come. Throws what the daemon refuses.
 * @param {string} path
 * @param {unknown} body
 * @param {AbortSignal} signal
 * @param {(line: any) => void} take
 */
export async function lines(path, body, signal, take) {
  const headers = { "Content-Type": "application/json", "X-Earwitness": "1" };
  const answer = await fetch(path, { method: "POST", signal, body: JSON.stringify(body), headers });
  if (!answer.ok || !answer.body) throw new Problem(answer.status, (await answer.json()).detail);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const found = (rest + part.value).split("\n");
    rest = found.pop() ?? "";
    for (const line of found) take(JSON.parse(line));
  }
}

/**
 * `path` with those of `values` that are set.
 * @param {string} path
 * @param {Record<string, any>} values
 */
export function query(path, values) {
  const given = Object.entries(values).filter(([, value]) => value !== "" && value != null && value !== false);
  return given.length ? `${path}?${new URLSearchParams(given.map(([k, v]) => [k, String(v)]))}` : path;
}
