//! `trm eval`: a model evaluated on a data set, with its metrics as text or JSON.

use std::{
    collections::BTreeMap,
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use trm_kernels::Kernels;

use indicatif::ProgressBar;
use serde::Serialize;
use trm_data::Dataset;
use trm_eval::{
    EvalOptions, EvalProgress, Evaluation, Grade, Keep, Metrics, Observer, evaluate_on_all, grades,
};
use trm_model::{Precision, Trm, TrmConfig, weights};
use trm_puzzles::{Puzzle, maze::Mazes};
use trm_train::figures::percent;

use super::{
    data::{load_split, puzzle_in},
    model::load_model,
    votes,
};
use crate::{
    Result,
    device::{Devices, Job, run_on},
    flags::EvalArgs,
    interrupt::on_interrupt,
    messages::warn,
    progress,
    render::HEADING,
};

pub fn run(args: &EvalArgs) -> Result<()> {
    if !args.from.is_empty() {
        return votes::run(args);
    }
    let dataset = load_split(&args.data, &args.split)?;
    let puzzle = puzzle_in(&args.data, &args.split, &dataset, args.puzzle)?;
    // What the metrics say of mazes is theirs; of other puzzles it means nothing.
    let other = puzzle.filter(|puzzle| puzzle.name() != Mazes.name());
    let plural = other.map_or(Mazes.plural(), Puzzle::plural);
    let (config, state) = load_model(args.model.as_deref(), puzzle)?;
    if let (Some(asked), Some(puzzle)) = (&config.puzzle, puzzle)
        && asked != puzzle.name()
    {
        let data = args.data.display();
        return Err(format!("the model is for the puzzle {asked}, but {data} holds {plural}").into());
    }
    if let Some(path) = &args.save {
        trm_data::files::check_writable(path)?;
    }
    let warnings = [
        config.size_warning(dataset.seq_len()),
        config.identifiers_warning(dataset.metadata.num_puzzle_identifiers),
    ];
    let warnings: Vec<String> = warnings.into_iter().flatten().collect();
    warnings.iter().for_each(|warning| warn(warning));
    let warning = (!warnings.is_empty()).then(|| warnings.join("; "));
    let max_steps = most_steps(&config, dataset.seq_len(), args.max_steps);
    let keep = match (&args.save, args.save_steps) {
        (None, _) => Keep::Nothing,
        (Some(_), false) => Keep::LastStep,
        (Some(_), true) => Keep::EveryStep,
    };
    let options = EvalOptions {
        halt: args.halt.into(),
        max_steps: args.max_steps,
        limit: args.limit,
        part: (0, 1),
        batch_size: args.batch_size,
        keep,
        rollouts: args.rollouts.of(puzzle),
    };
    let total = args.limit.unwrap_or(usize::MAX).min(dataset.len());
    let mut watch = EvalBar::new(plural)?;
    let precision = args.dtype.asked_for();
    let job = Evaluate { config, state, dataset: &dataset, options, precision, watch: &mut watch };
    let evaluation = run_on(&args.device, job);
    watch.bar.finish_and_clear();
    let Evaluated { mut evaluation, device, precision } = evaluation?;
    let graded = puzzle.map(|puzzle| graded(puzzle, &dataset, &mut evaluation)).unwrap_or_default();

    // The figures come first: a file that cannot be written does not take them along.
    let mut out = anstream::stdout();
    if args.json {
        let grades = graded.iter().map(|grade| (grade.name, grade.share)).collect();
        let report = Report { metrics: &evaluation.metrics, grades, max_steps, device, precision, warning };
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        write!(out, "{}", describe(plural, &evaluation.metrics, &graded, max_steps))?;
    }
    if let Some(path) = &args.save {
        evaluation.outputs.save(path, &dataset)?;
    }
    if evaluation.complete {
        Ok(())
    } else {
        let done = evaluation.outcomes.len();
        Err(format!(
            "interrupted; the figures are those of the {done} of {total} {plural} that were finished"
        )
        .into())
    }
}

/// The grades of a puzzle. Those of mazes are in the metrics already; what these say of mazes means nothing for another puzzle.
pub fn graded(puzzle: &dyn Puzzle, dataset: &Dataset, evaluation: &mut Evaluation) -> Vec<Grade> {
    if puzzle.name() == Mazes.name() {
        return Vec::new();
    }
    (evaluation.metrics.valid_path, evaluation.metrics.optimal_path) = (None, None);
    grades(puzzle, dataset, &evaluation.outcomes)
}

/// Evaluates a model on the chosen devices.
pub struct Evaluate<'a> {
    pub config: TrmConfig,
    pub state: weights::StateDict,
    pub dataset: &'a Dataset,
    pub options: EvalOptions,
    /// The fastest, if none is asked for.
    pub precision: Option<Precision>,
    pub watch: &'a mut EvalBar,
}

/// An evaluation, and where it was made.
pub struct Evaluated {
    pub evaluation: Evaluation,
    pub device: String,
    pub precision: Precision,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    metrics: &'a Metrics,
    /// The grades of puzzles other than mazes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    grades: BTreeMap<&'static str, f64>,
    max_steps: usize,
    device: String,
    precision: Precision,
    /// Where the model was not trained on boards of this side, or on puzzles of other identifiers.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

impl Job for Evaluate<'_> {
    type Output = Evaluated;

    fn run<B: Kernels>(self, devices: &Devices<B>) -> Result<Evaluated> {
        let precision = devices.precision(self.precision)?;
        if B::ON_GPU {
            self.watch.bar.set_message("preparing kernels");
        }
        let load =
            |device| Ok(Trm::<B>::from_state(&self.config, &self.state, device)?.into_precision(precision));
        let models = devices.all.iter().map(load).collect::<Result<_>>()?;
        let evaluation = evaluate_on_all(models, self.dataset, &self.options, self.watch)?;
        Ok(Evaluated { evaluation, device: devices.name.clone(), precision })
    }
}

/// Shows progress, and stops the evaluation on Ctrl-C.
pub struct EvalBar {
    pub bar: ProgressBar,
    /// What is counted.
    plural: &'static str,
    interrupted: Arc<AtomicBool>,
}

impl EvalBar {
    pub fn new(plural: &'static str) -> Result<Self> {
        Ok(Self { bar: progress::share(), plural, interrupted: on_interrupt()? })
    }
}

impl Observer for EvalBar {
    fn progress(&mut self, EvalProgress { finished, total, share }: EvalProgress) {
        let rate = finished as f64 / self.bar.elapsed().as_secs_f64();
        self.bar.set_position((share * progress::WHOLE as f64) as u64);
        self.bar.set_message(format!("{finished}/{total} {}, {rate:.1}/s", self.plural));
    }

    fn should_stop(&mut self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

/// Supervision steps that a puzzle of `cells` cells gets at most: those asked for, or the model's for this size.
pub fn most_steps(config: &TrmConfig, cells: usize, asked_for: Option<usize>) -> usize {
    let own = || config.for_cells(cells).map_or(config.halt_max_steps, |config| config.halt_max_steps);
    asked_for.unwrap_or_else(own)
}

/// The figures of an evaluation of puzzles of this name with at most `max_steps` supervision steps, a line each.
pub fn describe(plural: &str, metrics: &Metrics, grades: &[Grade], max_steps: usize) -> String {
    let percent = |share: f64| percent(share, 2);
    let [low, high] = metrics.exact_accuracy_ci95;
    let mut text = format!("{HEADING}{} {plural}{HEADING:#}\n", metrics.count);
    let mut line = |name: &str, value: String| text.push_str(&format!("  {name:<16} {value}\n"));
    let interval = format!("95 % interval {:.2} to {:.2} %", 100.0 * low, 100.0 * high);
    line("exact accuracy", format!("{}  ({interval})", percent(metrics.exact_accuracy)));
    line("accuracy", format!("{}  of the cells", percent(metrics.accuracy)));
    if let (Some(valid), Some(optimal)) = (metrics.valid_path, metrics.optimal_path) {
        line("valid path", percent(valid));
        line("optimal path", percent(optimal));
    }
    grades.iter().for_each(|grade| line(grade.name, percent(grade.share)));
    if let Some(rollouts) = &metrics.rollouts {
        let attempts = rollouts.attempts;
        line("one attempt", format!("{}  exact", percent(rollouts.attempt_exact)));
        line("any attempt", format!("{}  exact (pass@{attempts})", percent(rollouts.pass_at_k)));
        for choice in &rollouts.choices {
            let grades = [("valid", choice.valid_path), ("optimal", choice.optimal_path)];
            let grades =
                grades.into_iter().filter_map(|(name, share)| Some(format!(", {} {name}", percent(share?))));
            let exact = percent(choice.exact_accuracy);
            line(&format!("by {}", choice.choice), format!("{exact}  exact{}", grades.collect::<String>()));
        }
    }
    line("q_halt accuracy", percent(metrics.q_halt_accuracy));
    let each = match &metrics.rollouts {
        Some(rollouts) => format!(" in each of {} attempts", rollouts.attempts),
        None => String::new(),
    };
    line("steps", format!("{:.2} on average, at most {max_steps}{each}", metrics.steps));
    line("time", format!("{:.1} s, {:.2} {plural}/s", metrics.seconds, metrics.mazes_per_second));
    text
}
