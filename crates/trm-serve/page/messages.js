import { byId, button } from "./dom.js";

/** Says something to a screen reader, politely. */
export function announce(sentence) {
  byId("announce").textContent = sentence;
}

/**
 * The line at the board.
 * @param {string} sentence
 * @param {{tone?: "problem" | "advice", actions?: {label: string, run: () => void}[]}} [options]
 */
export function tell(sentence, { tone = "problem", actions = [] } = {}) {
  const notice = byId("notice");
  notice.dataset.tone = tone;
  notice.hidden = false; // before the text, so that the alert is spoken
  byId("message").textContent = sentence;
  byId("notice-actions").replaceChildren(
    ...actions.map(({ label, run }) =>
      button(label, () => {
        quiet();
        run();
      }),
    ),
  );
}

export function quiet() {
  byId("notice").hidden = true;
  byId("message").textContent = "";
  byId("notice-actions").replaceChildren();
}

/**
 * Runs the work of a form and shows what goes wrong right there. Its button is off meanwhile.
 * @param {HTMLFormElement} form @param {HTMLElement} place @param {() => Promise<void>} work
 */
export function onSubmit(form, place, work) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const send = form.querySelector("button:not([type])");
    if (send.hasAttribute("aria-busy")) return;
    send.setAttribute("aria-busy", "true");
    place.textContent = "";
    try {
      await work();
    } catch (error) {
      place.textContent = error.message;
    } finally {
      send.removeAttribute("aria-busy");
    }
  });
}
