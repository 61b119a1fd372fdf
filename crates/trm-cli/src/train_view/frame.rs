//! One frame of the dashboard: charts, figures and bars laid out for the size of the terminal.

use ratatui::{
    Frame,
    layout::{Constraint, Direction, Layout, Rect},
    style::{Color, Style, Stylize},
    symbols::Marker,
    text::{Line, Span},
    widgets::{Axis, Block, BorderType, Chart, Dataset, Gauge, GraphType, Paragraph},
};
use trm_train::figures::{count, duration, measure, percent};

use super::{means::Means, status::Status};

/// Columns from which charts stand beside each other.
const WIDE: u16 = 76;

/// Draws the run, whatever the size of the terminal.
pub fn draw(frame: &mut Frame<'_>, status: &Status) {
    let wide = frame.area().width >= WIDE;
    let [head, gauge, charts, figures, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(if wide { 8 } else { 16 }),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(title(status), head);
    frame.render_widget(progress(status), gauge);
    if charts.height >= 6 {
        let [left, right] = halves(charts, wide);
        loss(frame, left, status);
        exact(frame, right, status);
    }
    let [left, right] = halves(figures, wide);
    frame.render_widget(Paragraph::new(now(status)).block(block(" now ")), left);
    frame.render_widget(Paragraph::new(evaluation(status)).block(block(&evaluation_title(status))), right);
    frame.render_widget(bottom(status), foot);
}

fn halves(area: Rect, beside: bool) -> [Rect; 2] {
    let direction = if beside { Direction::Horizontal } else { Direction::Vertical };
    Layout::new(direction, [Constraint::Fill(1), Constraint::Fill(1)]).areas(area)
}

fn title(status: &Status) -> Line<'_> {
    let steps = format!("  step {} of {}", count(status.step), count(status.total_steps));
    let seconds = status.latest.as_ref().map_or(0.0, |record| record.seconds);
    Line::from(vec![
        Span::from(" "),
        Span::from(&status.title[..]).bold(),
        Span::from(steps),
        Span::from("  ETA ").dim(),
        Span::from(status.left()).bold(),
        Span::from(format!("  {} trained", duration(seconds))).dim(),
    ])
}

fn progress(status: &Status) -> Gauge<'static> {
    let (share, label, colour) = match status.evaluating {
        Some(share) => (share, format!("evaluating {}", percent(share, 0)), Color::Yellow),
        None => (status.share(), percent(status.share(), 1), Color::Blue),
    };
    Gauge::default()
        .ratio(share.clamp(0.0, 1.0))
        .label(label)
        .gauge_style(Style::new().fg(colour))
        .use_unicode(true)
}

fn block(title: &str) -> Block<'_> {
    Block::bordered().border_type(BorderType::Rounded).border_style(Style::new().dim()).title(title.bold())
}

fn loss(frame: &mut Frame<'_>, area: Rect, status: &Status) {
    let points = status.loss.points();
    let logs = points.iter().map(|(_, log)| *log);
    let (low, high) = (logs.clone().fold(f64::INFINITY, f64::min), logs.fold(f64::NEG_INFINITY, f64::max));
    let (low, high) = if low <= high { (low - 0.05, high + 0.05) } else { (-1.0, 1.0) };
    let labels = [low, (low + high) / 2.0, high].map(|log| measure(10f64.powf(log)));
    let data = [curve(points, Color::Cyan)];
    chart(frame, area, status, " loss (logarithmic) ", &data, [low, high], labels);
}

fn exact(frame: &mut Frame<'_>, area: Rect, status: &Status) {
    let shares = status.exact.points().iter().chain(&status.evaluated).map(|(_, share)| *share);
    // Rounded up to a tenth, so that a run that has just begun shows something.
    let high = ((shares.fold(0.0, f64::max) * 10.0).ceil() / 10.0).clamp(0.1, 1.0);
    let labels = [0.0, high / 2.0, high].map(|share| percent(share, 0));
    let evaluated = Dataset::default()
        .data(&status.evaluated)
        .marker(Marker::Dot)
        .graph_type(GraphType::Scatter)
        .style(Style::new().fg(Color::Yellow).bold());
    let data = [curve(status.exact.points(), Color::Green), evaluated];
    chart(frame, area, status, " exact: training, • evaluation ", &data, [0.0, high], labels);
}

fn curve(points: &[(f64, f64)], colour: Color) -> Dataset<'_> {
    let style = Style::new().fg(colour);
    Dataset::default().data(points).marker(Marker::Braille).graph_type(GraphType::Line).style(style)
}

fn chart(
    frame: &mut Frame<'_>,
    area: Rect,
    status: &Status,
    title: &str,
    data: &[Dataset<'_>],
    bounds: [f64; 2],
    labels: [String; 3],
) {
    let first = status.loss.points().first().map_or(0.0, |(step, _)| step - 1.0);
    let last = (status.step as f64).max(first + 1.0);
    let steps = [first, last].map(|step| count(step as u64));
    let dim = Style::new().dim();
    let chart = Chart::new(data.to_vec())
        .block(block(title))
        .legend_position(None)
        .x_axis(Axis::default().bounds([first, last]).labels(steps).style(dim))
        .y_axis(Axis::default().bounds(bounds).labels(labels).style(dim));
    frame.render_widget(chart, area);
}

/// What the last steps were like.
fn now(status: &Status) -> Vec<Line<'static>> {
    let words = Means::of(&status.recent).in_words();
    let Some(latest) = &status.latest else { return vec![Line::from("the first step is under way").dim()] };
    vec![
        row("loss", words.loss),
        row("exact accuracy", words.exact),
        row("supervision steps", words.supervision_steps),
        row("learning rate", format!("{:.1e}", latest.lr)),
        row("gradient norm", measure(latest.grad_norm)),
        row("speed", format!("{}, {}", words.speed, words.gflops)),
    ]
}

fn evaluation_title(status: &Status) -> String {
    match &status.evaluation {
        Some(record) => format!(" evaluation at step {} ", count(record.step)),
        None => " evaluation ".to_owned(),
    }
}

fn evaluation(status: &Status) -> Vec<Line<'static>> {
    let Some(record) = &status.evaluation else { return vec![Line::from("none yet").dim()] };
    let metrics = &record.metrics;
    let [low, high] = metrics.exact_accuracy_ci95;
    let interval =
        format!("{} ({:.1} to {:.1})", percent(metrics.exact_accuracy, 1), 100.0 * low, 100.0 * high);
    let mut rows = vec![row("exact accuracy", interval)];
    if let (Some(optimal), Some(valid)) = (metrics.optimal_path, metrics.valid_path) {
        rows.push(row("shortest path", percent(optimal, 1)));
        rows.push(row("valid path", percent(valid, 1)));
    }
    rows.push(row("supervision steps", format!("{:.1}", metrics.steps)));
    rows.push(row("took", duration(metrics.seconds)));
    if let Some(best) = &status.best {
        let exact = percent(best.metrics.exact_accuracy, 1);
        rows.push(row("best", format!("{exact} at step {}", count(best.step))));
    }
    rows
}

fn row(name: &'static str, value: String) -> Line<'static> {
    Line::from(vec![Span::from(format!("{name:<18} ")).dim(), Span::from(value)])
}

/// What is to be said just now: that the run stops, a warning, or how it can be stopped.
fn bottom(status: &Status) -> Line<'static> {
    if status.stopping() {
        return Line::from(" stopping after this step, then saving; Ctrl-C ends at once").yellow();
    }
    match (status.warnings.back(), &status.saved) {
        (Some(warning), _) => Line::from(format!(" warning: {warning}")).yellow(),
        (None, Some((step, _))) => {
            Line::from(format!(" q: stop after this step and save   last saved: step {}", count(*step))).dim()
        }
        (None, None) => Line::from(" q: stop after this step and save").dim(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, atomic::AtomicBool};

    use ratatui::{Terminal, backend::TestBackend};
    use trm_train::{Event, Record};

    use super::super::made_up::{evaluation, step};
    use super::*;

    fn status() -> Status {
        let mut status = Status::new("maze-small", Arc::new(AtomicBool::new(false)));
        status.apply(&Event::Started { step: 0, total_steps: 1000 });
        status
    }

    fn frame(status: &Status, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
        terminal.draw(|frame| draw(frame, status)).expect("a frame");
        let rows = terminal.backend().buffer().content().chunks(usize::from(width));
        rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>() + "\n").collect()
    }

    /// A run of 250 steps with one evaluation.
    fn under_way() -> Status {
        let mut status = status();
        (1..=250).for_each(|number| status.apply(&Event::Record(Record::Step(step(number)))));
        status.apply(&Event::Record(Record::Evaluation(evaluation(250))));
        status.apply(&Event::Saved { step: 250, path: "run/checkpoints/250".into() });
        status
    }

    #[test]
    fn a_wide_frame() {
        assert_eq!(frame(&under_way(), 100, 24), include_str!("frame_wide.txt"));
    }

    #[test]
    fn a_narrow_frame() {
        assert_eq!(frame(&under_way(), 50, 34), include_str!("frame_narrow.txt"));
    }

    /// Every size, from nothing on, and every stage of a run gives a frame.
    #[test]
    fn any_size_will_do() {
        let mut warned = under_way();
        warned.apply(&Event::Warning("hot".to_owned()));
        warned.apply(&Event::Evaluating { share: 0.3 });
        let mut stopping = status();
        stopping.apply(&Event::Record(Record::Step(step(1))));
        stopping.stop();
        for status in [status(), stopping, under_way(), warned] {
            for (width, height) in [(1, 1), (5, 3), (20, 5), (30, 60), (76, 12), (80, 24), (300, 100)] {
                frame(&status, width, height);
            }
        }
    }

    /// What the last line says, and what the gauge shows.
    #[test]
    fn the_foot_says_what_is_going_on() {
        let mut status = under_way();
        let shows = |status: &Status, words: &str| assert!(frame(status, 100, 24).contains(words), "{words}");
        shows(&status, "q: stop after this step and save   last saved: step 250");
        status.apply(&Event::Evaluating { share: 0.3 });
        shows(&status, "evaluating 30 %");
        status.apply(&Event::Warning("hot".to_owned()));
        shows(&status, "warning: hot");
        status.stop();
        shows(&status, "stopping after this step, then saving");
    }
}
