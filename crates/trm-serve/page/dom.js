/** @param {string} id @returns {any} the element that must be there */
export const byId = (id) => document.getElementById(id);

/**
 * Builds an HTML element. Text children become text nodes, so nothing from the network is ever parsed as HTML.
 * @param {string} name
 * @param {Record<string, string | number | boolean | null>} [attributes] null leaves an attribute out
 * @param {...(Node | string)} children
 */
export const element = (name, attributes = {}, ...children) =>
  filled(document.createElement(name), attributes, children);

/** The same for SVG. */
export const svg = (name, attributes = {}, ...children) =>
  filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);

function filled(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null) node.setAttribute(key, String(value));
  }
  node.append(...children);
  return node;
}

/** A button with an action. */
export function button(label, onClick) {
  const node = element("button", { type: "button" }, label);
  node.addEventListener("click", onClick);
  return node;
}

/** Offers a blob as a download. */
export function download(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  // The download starts asynchronously; revoking at once would cancel it in some browsers.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)} %`;

export const duration = (milliseconds) =>
  milliseconds >= 1000
    ? `${(milliseconds / 1000).toFixed(milliseconds >= 10_000 ? 1 : 2)} s`
    : `${milliseconds.toFixed(milliseconds >= 100 ? 0 : 1)} ms`;

export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
