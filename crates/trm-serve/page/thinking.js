import { confidenceCurve } from "./charts.js";
import { byId, percent, plural } from "./dom.js";
import { announce } from "./messages.js";

/** Half the width of the scrubber's thumb, as in page.css: the curve above it keeps the same inset. */
const THUMB = 10;

/** The confidence curve, the scrubber and its buttons. @param {import("./player.js").Player} player */
export function showThinking(player) {
  const panel = byId("thinking");
  const chart = byId("confidence-chart");
  const scrubber = byId("scrubber");
  const playPause = byId("play-pause");

  scrubber.addEventListener("input", () => player.seek(scrubber.valueAsNumber));
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  playPause.addEventListener("click", () => (player.mode === "playing" ? player.pause() : player.play()));
  chart.addEventListener("click", ({ clientX }) => {
    const box = chart.getBoundingClientRect();
    const share = (clientX - box.left - THUMB) / (box.width - 2 * THUMB);
    player.seek(Math.round(share * player.steps.length));
  });
  player.addEventListener("change", draw);
  new ResizeObserver(drawCurve).observe(chart);

  function step(by) {
    player.seek(player.position + by);
    announce(words());
  }

  function words() {
    const { position, steps, current } = player;
    if (!current) return "The board, before the first step";
    return `Step ${position} of ${steps.length}, confidence ${percent(current.confidence)}`;
  }

  function draw() {
    const { position, steps, current, mode } = player;
    panel.hidden = steps.length === 0;
    scrubber.max = String(Math.max(steps.length, 1));
    scrubber.value = String(position);
    scrubber.setAttribute("aria-valuetext", words());
    byId("previous").disabled = position === 0;
    byId("next").disabled = position === steps.length;
    const playing = mode === "playing";
    playPause.textContent = playing ? "❚❚" : "▶";
    playPause.setAttribute("aria-label", playing ? "Pause" : "Play");
    playPause.title = playing ? "Pause" : "Play";
    byId("step-now").textContent = current ? `step ${position} of ${steps.length}` : "before the first step";
    byId("confidence-now").textContent = current ? `${percent(current.confidence, 1)} · q_halt ${current.q_halt.toFixed(2)}` : "";
    drawCurve();
  }

  function drawCurve() {
    const { steps, position } = player;
    if (steps.length === 0) return;
    const halt = haltingStep(steps);
    const label =
      `Confidence over ${plural(steps.length, "supervision step")}: ` +
      steps.map(({ step, confidence }) => `step ${step} ${percent(confidence)}`).join(", ") +
      (halt ? `. The model ${halt.word} at step ${halt.step}.` : ". The model never asks to halt.");
    const width = Math.max(chart.clientWidth, 200);
    chart.replaceChildren(confidenceCurve(steps, { position, halt, inset: THUMB, width, label }));
  }
}

/** Where the model halted, or would have if it had not been told to think on; else where its steps ran out. */
function haltingStep(steps) {
  const willing = steps.find(({ wants_to_halt }) => wants_to_halt);
  if (willing) return { step: willing.step, word: willing.halted ? "halts" : "would halt" };
  const last = steps.find((step) => step.halted);
  return last ? { step: last.step, word: "is stopped" } : null;
}
