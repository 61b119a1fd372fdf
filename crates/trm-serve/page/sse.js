/**
 * The events of a `text/event-stream` body. EventSource cannot send an Authorization header, hence this reader.
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<{event: string, data: string}>}
 */
export async function* readEvents(body) {
  let event = "";
  let data = [];
  for await (const line of readLines(body)) {
    if (line === "") {
      // An empty line ends an event; one without data is none.
      if (data.length > 0) yield { event: event || "message", data: data.join("\n") };
      event = "";
      data = [];
      continue;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event = value;
    if (field === "data") data.push(value);
  }
}

/** Lines ended by \n, \r\n or \r, however the chunks are cut. An unfinished last line is dropped, as the standard says. */
async function* readLines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      rest += value;
      // A \r at the very end may be half of a \r\n: it waits for the next chunk.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } finally {
    // Left early (an error, a break): tell the server that nobody listens any more.
    reader.cancel().catch(() => {});
  }
}
