import { byId, duration, element, percent } from "./dom.js";

export const unknown = (why) => ({ state: "unknown", text: why });
export const judged = (right, yes, no) => ({ state: right ? "yes" : "no", text: right ? yes : no });
const ICONS = { yes: "✓", no: "✕", unknown: "–" };
const WORDS = { yes: "yes", no: "no", unknown: "not judged" };

/**
 * Shows what is right about an answer.
 * @param {object} prediction of the server
 * @param {{summary: string, lines: Record<string, {state: "yes" | "no" | "unknown", text: string}>,
 *          difference: string | null | false}} judgement a sentence, a line for each grade, and what the difference to the right
 *   answer is called, where there is one
 */
export function showJudgement(prediction, { summary, lines, difference }) {
  const panel = byId("verdict");
  byId("verdict-summary").textContent = prediction.warning ? `${summary} Mind: ${prediction.warning}.` : summary;
  byId("verdict-list").replaceChildren(
    ...Object.entries(lines).map(([name, { state, text }]) => {
      panel.dataset[name] = state;
      return element(
        "li",
        { "data-state": state },
        element("span", { class: "badge", "aria-hidden": "true" }, ICONS[state]),
        element("span", {}, element("b", {}, name), element("span", { class: "unseen" }, `: ${WORDS[state]}`), ` ${text}`),
      );
    }),
  );

  const { inference_steps: steps, max_steps: most, milliseconds, queued_milliseconds: queued, confidence } = prediction;
  const facts = {
    Steps: `${steps} of ${most}`,
    Time: duration(milliseconds) + (queued >= 1 ? ` (${duration(queued)} queued)` : ""),
    Confidence: percent(confidence, 1),
    Model: prediction.model,
    Device: prediction.device,
  };
  byId("verdict-facts").replaceChildren(
    ...Object.entries(facts).map(([name, value]) =>
      element("div", {}, element("dt", {}, name), element("dd", { class: "number" }, value)),
    ),
  );
  reveal(true);
  byId("difference-row").hidden = !difference;
  if (difference) byId("difference-label").textContent = difference;
}

/** No verdict; `sentence` says why. */
export function clearVerdict(sentence) {
  const panel = byId("verdict");
  for (const name of Object.keys(panel.dataset)) delete panel.dataset[name];
  byId("verdict-summary").textContent = sentence;
  reveal(false);
  byId("difference-row").hidden = true;
}

function reveal(shown) {
  byId("verdict-list").hidden = !shown;
  byId("verdict-facts").hidden = !shown;
}
