import { byId, duration, element, percent, plural } from "./dom.js";

const unknown = (why) => ({ state: "unknown", text: why });
const judged = (right, yes, no) => ({ state: right ? "yes" : "no", text: right ? yes : no });
const ICONS = { yes: "✓", no: "✕", unknown: "–" };
const WORDS = { yes: "yes", no: "no", unknown: "not judged" };

/** The verdict on a prediction of the server. */
export function showVerdict(prediction) {
  const { verdict, target_maze: target, shortest_path_cells: shortest } = prediction;
  const panel = byId("verdict");
  const summary = target ? sentence(prediction) : withoutPath(prediction);
  byId("verdict-summary").textContent = prediction.warning ? `${summary} Mind: ${prediction.warning}.` : summary;

  const lines = {
    valid: judged(verdict.valid_path, "one unbroken path from S to G", verdict.well_formed
      ? "the marked cells are not one unbroken path from S to G"
      : "the answer alters the maze itself"),
    optimal: target
      ? judged(verdict.optimal, `as short as any: ${plural(shortest, "cell")}`, verdict.valid_path
        ? `${plural(verdict.path_cells, "cell")}, the shortest has ${shortest}`
        : `only a valid path can be; the shortest has ${plural(shortest, "cell")}`)
      : unknown("no path exists"),
    exact: target
      ? judged(verdict.exact, "the very path of the labelling rule", verdict.optimal
        ? "another shortest path than the labelling rule's"
        : "differs from the path of the labelling rule")
      : unknown("no path exists"),
  };
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
  byId("difference-row").hidden = !target;
}

/** No verdict; `sentence` says why. */
export function clearVerdict(sentence) {
  const panel = byId("verdict");
  for (const name of ["valid", "optimal", "exact"]) delete panel.dataset[name];
  byId("verdict-summary").textContent = sentence;
  reveal(false);
  byId("difference-row").hidden = true;
}

function reveal(shown) {
  byId("verdict-list").hidden = !shown;
  byId("verdict-facts").hidden = !shown;
}

function withoutPath({ confidence }) {
  const noticed = confidence < 0.5 ? "the model is sure of no answer" : "the model did not notice";
  return `There is no path from S to G here, and ${noticed}.`;
}

function sentence({ verdict, confidence }) {
  const sure = confidence >= 0.5;
  if (verdict.exact) return sure ? "Exactly right." : "Exactly right, though the model was not sure of it.";
  if (verdict.optimal) return "A shortest path, if not the one of the labelling rule.";
  if (verdict.valid_path) return "A path, but not a shortest one.";
  return sure ? "Wrong, and the model did not notice." : "Wrong, and the model was not sure of it.";
}
