//! The charts of a report: which curves they show.

use super::{
    axis::Unit,
    chart::{Chart, Curve, Look, Scale},
    curve::{Point, smooth},
    folder::Folder,
};
use crate::{EvaluationRecord, StepRecord, figures::count};

pub fn html(run: &Folder) -> String {
    let window = (run.steps.len() as f64 / 60.0).clamp(1.0, 1000.0).round();
    let smoothed =
        if window > 1.0 { format!("smoothed over {} steps", count(window as u64)) } else { String::new() };
    let steps = Steps { records: &run.steps, window };
    let show = |charts: &[Chart]| charts.iter().map(|chart| chart.html(run.last_step())).collect::<String>();
    format!(
        "<div class=\"charts wide\">\n{}</div>\n<div class=\"charts\">\n{}</div>\n",
        show(&[evaluations(run), loss(&steps, &smoothed)]),
        show(&[
            finished(&steps, &smoothed),
            supervision_steps(&steps, run, &smoothed),
            parts(&steps, &smoothed),
            grad_norm(&steps, &smoothed),
            learning_rate(&steps),
            speed(&steps, run, &smoothed),
        ])
    )
}

/// The steps of a run, and how many of them a smooth curve takes together.
struct Steps<'a> {
    records: &'a [StepRecord],
    window: f64,
}

impl Steps<'_> {
    fn raw(&self, value: impl Fn(&StepRecord) -> f64) -> Vec<Point> {
        self.records.iter().map(|record| (record.step as f64, value(record))).collect()
    }

    fn smooth(&self, value: impl Fn(&StepRecord) -> f64) -> Vec<Point> {
        smooth(self.raw(value).into_iter().map(|(step, value)| (step, value, 1.0)), self.window)
    }

    /// What is known of finished puzzles only, each of which counts the same.
    fn of_finished(&self, value: impl Fn(&StepRecord) -> Option<f64>) -> Vec<Point> {
        let values = self.records.iter().filter_map(|record| {
            value(record).map(|value| (record.step as f64, value, record.halted as f64))
        });
        smooth(values, self.window)
    }

    /// A smooth curve over the values themselves.
    fn both(&self, name: &'static str, value: impl Fn(&StepRecord) -> f64) -> Vec<Curve> {
        let line = Curve { name, points: self.smooth(&value), look: Look::Line };
        let raw = Curve { name, points: self.raw(&value), look: Look::Faint };
        if self.window > 1.0 { vec![raw, line] } else { vec![line] }
    }
}

fn loss(steps: &Steps<'_>, smoothed: &str) -> Chart {
    let curves = steps.both("loss", |record| record.loss);
    Chart { title: "Loss", note: smoothed.to_owned(), unit: Unit::Number, scale: Scale::LogWhereWide, curves }
}

fn evaluations(run: &Folder) -> Chart {
    let dots = |name, value: &dyn Fn(&EvaluationRecord) -> Option<f64>, intervals| {
        let point = |record: &EvaluationRecord| value(record).map(|value| (record.step as f64, value));
        Curve {
            name,
            points: run.evaluations.iter().filter_map(point).collect(),
            look: Look::Dots(intervals),
        }
    };
    let intervals = run.evaluations.iter().map(|record| record.metrics.exact_accuracy_ci95.into()).collect();
    let curves = vec![
        dots("exact", &|record| Some(record.metrics.exact_accuracy), intervals),
        dots("shortest path", &|record| record.metrics.optimal_path, Vec::new()),
        dots("valid path", &|record| record.metrics.valid_path, Vec::new()),
    ];
    let note = match run.evaluations.last() {
        Some(last) => {
            format!("{} {}; 95 % intervals of exact", count(last.metrics.count as u64), run.puzzles())
        }
        None => String::new(),
    };
    Chart { title: "Evaluation", note, unit: Unit::Share, scale: Scale::Linear, curves }
}

fn finished(steps: &Steps<'_>, smoothed: &str) -> Chart {
    let line = |name, points| Curve { name, points, look: Look::Line };
    let curves = vec![
        line("exact", steps.of_finished(|record| record.exact_accuracy)),
        line("cells", steps.of_finished(|record| record.accuracy)),
        line("q_halt right", steps.of_finished(|record| record.q_halt_accuracy)),
    ];
    Chart {
        title: "Accuracy in training",
        note: smoothed.to_owned(),
        unit: Unit::Share,
        scale: Scale::Linear,
        curves,
    }
}

fn supervision_steps(steps: &Steps<'_>, run: &Folder, smoothed: &str) -> Chart {
    let evaluated = run.evaluations.iter().map(|record| (record.step as f64, record.metrics.steps)).collect();
    let curves = vec![
        Curve {
            name: "training",
            points: steps.of_finished(|record| record.supervision_steps),
            look: Look::Line,
        },
        Curve { name: "evaluation", points: evaluated, look: Look::Dots(Vec::new()) },
    ];
    Chart {
        title: "Supervision steps",
        note: smoothed.to_owned(),
        unit: Unit::Number,
        scale: Scale::FromZero,
        curves,
    }
}

fn parts(steps: &Steps<'_>, smoothed: &str) -> Chart {
    let line =
        |name, value: fn(&StepRecord) -> f64| Curve { name, points: steps.smooth(value), look: Look::Line };
    let mut curves =
        vec![line("tokens", |record| record.lm_loss), line("q_halt", |record| record.q_halt_loss)];
    if steps.records.iter().any(|record| record.q_continue_loss != 0.0) {
        curves.push(line("q_continue", |record| record.q_continue_loss));
    }
    if steps.records.iter().any(|record| record.aux_loss != 0.0) {
        curves.push(line("auxiliary", |record| record.aux_loss));
    }
    Chart {
        title: "Parts of the loss",
        note: smoothed.to_owned(),
        unit: Unit::Number,
        scale: Scale::LogWhereWide,
        curves,
    }
}

fn grad_norm(steps: &Steps<'_>, smoothed: &str) -> Chart {
    let curves = steps.both("norm", |record| record.grad_norm);
    Chart {
        title: "Gradient norm",
        note: smoothed.to_owned(),
        unit: Unit::Number,
        scale: Scale::LogWhereWide,
        curves,
    }
}

fn learning_rate(steps: &Steps<'_>) -> Chart {
    let curves = vec![Curve { name: "rate", points: steps.raw(|record| record.lr), look: Look::Line }];
    Chart { title: "Learning rate", note: String::new(), unit: Unit::Number, scale: Scale::Linear, curves }
}

fn speed(steps: &Steps<'_>, run: &Folder, smoothed: &str) -> Chart {
    let curves = steps.both("speed", |record| record.puzzles_per_second);
    let note = match smoothed {
        "" => format!("{}/s", run.puzzles()),
        smoothed => format!("{}/s, {smoothed}", run.puzzles()),
    };
    Chart { title: "Speed", note, unit: Unit::Number, scale: Scale::FromZero, curves }
}
