import { readEvents } from "./sse.js";

const TOKEN_KEY = "trm-token";
const ANSWER_WITHIN = 60_000;
const SILENCE_WITHIN = 120_000;

/** What went wrong, in one plain sentence. */
export class ApiError extends Error {
  /** @param {{detail: string, code?: string, row?: number, column?: number, retryable?: boolean}} problem */
  constructor({ detail, code = "failed", row, column, retryable = false }) {
    super(detail);
    this.code = code;
    this.row = row;
    this.column = column;
    this.retryable = retryable;
  }
}

/** True of the error that an aborted request throws: the user wanted it, so nobody is told. */
export const wasCancelled = (error) => error?.name === "AbortError";

/** Asks the user for a token; set by the page. Gives null when the user declines. */
let askForToken = async (_refused) => null;
export const onTokenNeeded = (ask) => (askForToken = ask);

function storedToken() {
  try {
    return sessionStorage.getItem(TOKEN_KEY);
  } catch {
    return null; // storage may be forbidden; the page works without
  }
}

let token = storedToken();

/** Several requests may be refused at once; they share one question. */
let asking = null;

async function newToken(refused) {
  asking ??= askForToken(refused !== null).finally(() => (asking = null));
  const answer = await asking;
  if (answer === null) throw new ApiError({ detail: "The server wants a token.", code: "unauthorized", retryable: true });
  token = answer;
  try {
    sessionStorage.setItem(TOKEN_KEY, token);
  } catch {
    // kept until the page is loaded again
  }
}

/**
 * @param {string} path @param {RequestInit} options @param {ReturnType<typeof deadline>} limit
 * @returns {Promise<Response>}
 */
async function request(path, options, limit) {
  const { signal } = limit;
  for (;;) {
    const sent = token;
    const headers = { ...options.headers, ...(sent && { Authorization: `Bearer ${sent}` }) };
    let response;
    try {
      response = await fetch(path, { ...options, headers, signal });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw new ApiError({ detail: "The server cannot be reached. Is trm serve still running?", code: "network", retryable: true });
    }
    if (response.ok) return response;
    if (response.status !== 401) throw await problem(response);
    // While this request was on its way another one may have brought a newer token.
    if (sent !== token) continue;
    // The server is not late while the user looks for a token.
    limit.pause();
    await newToken(sent);
    limit.touch();
  }
}

async function problem(response) {
  const { status } = response;
  const body = await response.json().catch(() => ({}));
  const detail = body.detail ?? `The server answered with status ${status}.`;
  if (status !== 429) return new ApiError({ ...body, detail, retryable: status >= 500 });
  const seconds = Number(response.headers.get("Retry-After"));
  const wait = seconds > 0 ? ` Try again in ${seconds} s.` : " Try again in a moment.";
  return new ApiError({ ...body, detail: detail + wait, retryable: true });
}

/** A signal that fires with `caller`, or with a plain sentence after a while without `touch()`. */
function deadline(caller, milliseconds) {
  const controller = new AbortController();
  const late = () =>
    controller.abort(new ApiError({ detail: "The server takes too long to answer.", code: "timeout", retryable: true }));
  let timer = setTimeout(late, milliseconds);
  const forward = () => controller.abort(caller.reason);
  if (caller?.aborted) forward();
  caller?.addEventListener("abort", forward, { once: true });
  return {
    signal: controller.signal,
    pause: () => clearTimeout(timer),
    touch() {
      clearTimeout(timer);
      timer = setTimeout(late, milliseconds);
    },
    clear() {
      clearTimeout(timer);
      caller?.removeEventListener("abort", forward);
    },
  };
}

/** `path` with the parameters that have a value. */
export function withQuery(path, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

/** A JSON answer. @param {string} path @param {RequestInit} [options] */
export async function call(path, options = {}) {
  const limit = deadline(options.signal, ANSWER_WITHIN);
  try {
    const response = await request(path, options, limit);
    return await response.json();
  } finally {
    limit.clear();
  }
}

export const getJson = (path, parameters = {}) => call(withQuery(path, parameters));

export const postJson = (path, body) =>
  call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const readMazes = (bytes) =>
  call("read_mazes", { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: bytes });

/**
 * The events of a stream up to and with the one named `last`. An `error` event and an early end throw.
 * @param {string} path @param {object} parameters @param {string} last @param {AbortSignal} signal
 */
export async function* stream(path, parameters, last, signal) {
  const limit = deadline(signal, SILENCE_WITHIN);
  try {
    const response = await request(withQuery(path, parameters), {}, limit);
    for await (const { event, data } of readEvents(response.body)) {
      limit.touch();
      const value = JSON.parse(data);
      if (event === "error") throw new ApiError({ ...value, retryable: true });
      yield { event, value };
      if (event === last) return;
    }
    throw new ApiError({ detail: "The server ended the answer early.", code: "cut", retryable: true });
  } catch (error) {
    if (limit.signal.aborted) throw limit.signal.reason;
    if (error instanceof TypeError) {
      throw new ApiError({ detail: "The connection broke before the answer was complete.", code: "network", retryable: true });
    }
    throw error;
  } finally {
    limit.clear();
  }
}
