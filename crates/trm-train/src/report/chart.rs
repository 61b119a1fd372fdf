//! Line charts as SVG. Places are in percent and text is not scaled with them, so that charts fit any width.

use super::{
    axis::{Axis, Unit},
    curve::{Point, thin},
    html::escape,
};
use crate::figures::count;

/// Most points of a curve.
const MOST_POINTS: usize = 1000;

/// A chart over the steps of a run.
pub struct Chart {
    pub title: &'static str,
    /// What is not plain from the title.
    pub note: String,
    pub unit: Unit,
    pub scale: Scale,
    pub curves: Vec<Curve>,
}

/// The axis of a chart's values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Linear, around the values.
    Linear,
    /// Linear, with 0.
    FromZero,
    /// Logarithmic if the values spread over more than a decade.
    LogWhereWide,
}

/// A curve of a chart. Its colour is that of its place among those that are not faint.
pub struct Curve {
    pub name: &'static str,
    pub points: Vec<Point>,
    pub look: Look,
}

/// How a curve is drawn.
pub enum Look {
    /// A line.
    Line,
    /// A line in the background, in the colour of the curve that follows.
    Faint,
    /// A line with its points marked, and the intervals `(low, high)` of the points if there are any.
    Dots(Vec<(f64, f64)>),
}

impl Chart {
    /// The chart as a `figure`, with steps from 0 to `last_step`.
    pub fn html(&self, last_step: u64) -> String {
        let curves: Vec<&Curve> = self.curves.iter().filter(|curve| !curve.points.is_empty()).collect();
        let note =
            if self.note.is_empty() { String::new() } else { format!("<p>{}</p>", escape(&self.note)) };
        let head = format!("<h3>{}</h3>{note}", escape(self.title));
        if curves.is_empty() {
            return format!(
                "<figure class=\"chart\"><figcaption>{head}</figcaption><p class=\"none\">nothing yet</p></figure>\n"
            );
        }
        let zero = (self.scale == Scale::FromZero).then_some(0.0);
        let values: Vec<f64> = curves.iter().flat_map(|curve| curve.values()).chain(zero).collect();
        let y = match self.scale {
            Scale::LogWhereWide => Axis::log_where_wide(&values, self.unit),
            Scale::Linear | Scale::FromZero => Axis::around(&values, self.unit),
        };
        let x = Axis::up_to(last_step.max(1) as f64, Unit::Count);

        let mut lines = String::new();
        let mut marks = String::new();
        let mut legend = String::new();
        let shown = curves.iter().filter(|curve| !matches!(curve.look, Look::Faint)).count();
        let mut colour = 1;
        for curve in &curves {
            lines.push_str(&curve.path(&y, colour));
            marks.push_str(&curve.marks(&x, &y, colour));
            if !matches!(curve.look, Look::Faint) {
                if shown > 1 {
                    legend.push_str(&format!("<li class=\"c{colour}\">{}</li>", escape(curve.name)));
                }
                colour += 1;
            }
        }
        if !legend.is_empty() {
            legend = format!("<ul class=\"legend\">{legend}</ul>");
        }
        let Axis { low, high, log, .. } = y;
        format!(
            "<figure class=\"chart\"><figcaption>{head}{legend}</figcaption><div class=\"plot\">\
             <svg role=\"img\" aria-label=\"{label}\" data-low=\"{low}\" data-high=\"{high}\" data-log=\"{log}\" \
             data-unit=\"{unit}\">{grid}\
             <svg viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\">{lines}</svg>{marks}</svg>\
             </div></figure>\n",
            label = escape(&self.summary(&curves, &y)),
            unit = y.unit(),
            grid = grid(&x, &y),
            width = x.high,
        )
    }

    /// What the chart shows, for those who do not see it.
    fn summary(&self, curves: &[&Curve], y: &Axis) -> String {
        let ends = curves.iter().filter(|curve| !matches!(curve.look, Look::Faint)).map(|curve| {
            let (first, last) = (curve.points[0], curve.points[curve.points.len() - 1]);
            let at = |(step, value): Point| format!("{} at step {}", y.exact(value), count(step as u64));
            format!("{} from {} to {}", curve.name, at(first), at(last))
        });
        format!("{} by training step: {}", self.title, ends.collect::<Vec<_>>().join("; "))
    }
}

/// The height of the box in which lines are drawn; its width is the number of steps.
const HEIGHT: f64 = 10_000.0;

impl Curve {
    fn values(&self) -> impl Iterator<Item = f64> {
        let intervals = match &self.look {
            Look::Dots(intervals) => &intervals[..],
            _ => &[],
        };
        let ends = intervals.iter().flat_map(|(low, high)| [*low, *high]);
        self.points.iter().map(|(_, value)| *value).chain(ends)
    }

    fn path(&self, y: &Axis, colour: usize) -> String {
        let points: Vec<Point> = self.points.iter().copied().filter(|(_, value)| value.is_finite()).collect();
        let place = |(step, value): &Point| format!("{step} {:.0}", (1.0 - y.place(*value)) * HEIGHT);
        let path = thin(&points, MOST_POINTS).iter().map(place).collect::<Vec<_>>().join("L");
        let class = if matches!(self.look, Look::Faint) { " faint" } else { "" };
        format!("<path class=\"c{colour}{class}\" data-name=\"{}\" d=\"M{path}\"/>", escape(self.name))
    }

    fn marks(&self, x: &Axis, y: &Axis, colour: usize) -> String {
        let Look::Dots(intervals) = &self.look else { return String::new() };
        // Hundreds of marks would hide the curve; a few are still drawn.
        let every = self.points.len().div_ceil(60).max(1);
        let mut marks = String::new();
        for (index, (step, value)) in self.points.iter().enumerate().rev().step_by(every) {
            let at = 100.0 * x.place(*step);
            if let Some((low, high)) = intervals.get(index) {
                marks.push_str(&format!(
                    "<line class=\"c{colour} interval\" x1=\"{at:.2}%\" x2=\"{at:.2}%\" y1=\"{:.2}%\" y2=\"{:.2}%\"/>",
                    down(y, *low),
                    down(y, *high)
                ));
            }
            marks.push_str(&format!(
                "<circle class=\"c{colour}\" cx=\"{at:.2}%\" cy=\"{:.2}%\" r=\"3\"/>",
                down(y, *value)
            ));
        }
        marks
    }
}

/// Percent from the top.
fn down(axis: &Axis, value: f64) -> f64 {
    100.0 * (1.0 - axis.place(value))
}

fn grid(x: &Axis, y: &Axis) -> String {
    let mut grid = String::new();
    for tick in &y.ticks {
        let at = down(y, *tick);
        grid.push_str(&format!(
            "<line class=\"grid\" x2=\"100%\" y1=\"{at:.2}%\" y2=\"{at:.2}%\"/>\
             <text class=\"y\" x=\"-8\" y=\"{at:.2}%\" dy=\"0.32em\">{}</text>",
            y.label(*tick)
        ));
    }
    for tick in &x.ticks {
        let at = 100.0 * x.place(*tick);
        grid.push_str(&format!(
            "<text class=\"x\" x=\"{at:.2}%\" y=\"100%\" dy=\"18\">{}</text>",
            x.label(*tick)
        ));
    }
    grid
}
