import { stream, wasCancelled } from "./api.js";
import { histogram, interval } from "./charts.js";
import { byId, duration, element, percent, plural } from "./dom.js";

const TIME_BINS = 8;
/** Redrawing more often than this helps nobody and slows a fast server down. */
const REDRAW_EVERY = 120;

/** The section that plays a batch of fresh mazes. @param {() => {model: string, halt: string}} settings */
export function playBatches(settings) {
  const form = byId("play-form");
  let running = null;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!running) play(byId("play-count").valueAsNumber || 1);
  });
  byId("play-stop").addEventListener("click", () => running?.abort());

  async function play(count) {
    running = new AbortController();
    const outcomes = [];
    let drawn = 0;
    byId("play-message").textContent = "";
    byId("play-status").textContent = `Playing ${plural(count, "maze")}`;
    busy(true);
    try {
      const parameters = { ...settings(), count, side: byId("play-side").value, seed: byId("play-seed").value };
      for await (const { event, value } of stream("play/stream", parameters, "summary", running.signal)) {
        if (event === "outcome") outcomes.push(value);
        const now = performance.now();
        if (event === "summary") show(outcomes, count, value);
        else if (now - drawn > REDRAW_EVERY) {
          drawn = now;
          show(outcomes, count, value.so_far);
        }
      }
    } catch (error) {
      if (outcomes.length > 0) show(outcomes, count, outcomes.at(-1).so_far);
      byId("play-message").textContent = wasCancelled(error)
        ? `Stopped after ${outcomes.length} of ${plural(count, "maze")}.`
        : error.message;
    } finally {
      running = null;
      busy(false);
    }
    byId("play-status").textContent = outcomes.length ? `${byId("play-interval-text").textContent}.` : "";
  }
}

function busy(playing) {
  byId("play").hidden = playing;
  byId("play-stop").hidden = !playing;
  byId("play-result").setAttribute("aria-busy", String(playing));
  // The button that had the focus is gone: its counterpart takes over.
  if (document.activeElement === document.body) byId(playing ? "play-stop" : "play").focus();
}

function show(outcomes, wanted, summary) {
  byId("play-result").hidden = false;
  const [low, high] = summary.exact_accuracy_ci95;
  byId("play-accuracy").textContent = percent(summary.exact_accuracy, 1);
  byId("play-interval").replaceChildren(interval(summary.exact_accuracy, [low, high]));
  byId("play-interval-text").textContent =
    `${outcomes.length} of ${wanted} mazes, 95 % interval ${percent(low, 1)} to ${percent(high, 1)}`;
  byId("play-warning").textContent = summary.warning ? `Mind: ${summary.warning}.` : "";
  const facts = {
    Valid: percent(summary.valid_path, 1),
    Optimal: percent(summary.optimal_path, 1),
    "Mean steps": summary.mean_steps.toFixed(2),
    "Mazes / s": summary.mazes_per_second.toFixed(summary.mazes_per_second < 10 ? 2 : 0),
  };
  byId("play-facts").replaceChildren(
    ...Object.entries(facts).map(([name, value]) =>
      element("div", {}, element("dt", {}, name), element("dd", { class: "number" }, value)),
    ),
  );
  drawBars("play-steps", "Supervision steps", stepBars(outcomes));
  drawBars("play-times", "Time per maze", timeBars(outcomes));
}

function drawBars(place, title, bars) {
  const words = bars.filter(({ count }) => count > 0).map(({ count, range, label }) => `${range ?? label}: ${count}`);
  byId(place).replaceChildren(histogram(bars, `${title}, number of mazes. ${words.join("; ")}`));
}

function stepBars(outcomes) {
  const most = Math.max(...outcomes.map(({ steps }) => steps), 4);
  return Array.from({ length: most }, (_, index) => ({
    label: String(index + 1),
    count: outcomes.filter(({ steps }) => steps === index + 1).length,
  }));
}

function timeBars(outcomes) {
  const times = outcomes.map(({ milliseconds }) => milliseconds);
  const low = times.length ? Math.min(...times) : 0;
  const width = Math.max((times.length ? Math.max(...times) : 1) - low, 0.01) / TIME_BINS;
  const counts = new Array(TIME_BINS).fill(0);
  for (const time of times) counts[Math.min(Math.floor((time - low) / width), TIME_BINS - 1)] += 1;
  return counts.map((count, bin) => ({
    // Room for every second label only.
    label: bin % 2 === 0 ? duration(low + bin * width) : "",
    range: `${duration(low + bin * width)} to ${duration(low + (bin + 1) * width)}`,
    count,
  }));
}
