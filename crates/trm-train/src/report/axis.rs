//! Axes: their range, where their ticks are, and what these say.

use crate::figures::{count, measure, percent};

/// What the values of an axis are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Whole numbers.
    Count,
    /// Shares, shown in percent and never beyond 0 or 1.
    Share,
    /// Any other numbers.
    Number,
}

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    pub low: f64,
    pub high: f64,
    pub log: bool,
    pub ticks: Vec<f64>,
    unit: Unit,
}

impl Axis {
    /// An axis that shows these values, with round ends.
    pub fn around(values: &[f64], unit: Unit) -> Self {
        let (low, high) = range(values);
        let margin = if low == high { low.abs().max(0.1) * 0.1 } else { 0.0 };
        let step = round_step((high - low + 2.0 * margin) / 5.0);
        let mut axis = Self {
            low: ((low - margin) / step + 1e-9).floor() * step,
            high: ((high + margin) / step - 1e-9).ceil() * step,
            log: false,
            ticks: Vec::new(),
            unit,
        };
        if unit == Unit::Share {
            (axis.low, axis.high) = (axis.low.max(0.0), axis.high.min(1.0));
        }
        axis.ticks = multiples(step, axis.low, axis.high);
        axis
    }

    /// An axis from 0 to exactly `high`.
    pub fn up_to(high: f64, unit: Unit) -> Self {
        let step = round_step(high / 5.0);
        let step = if unit == Unit::Count { step.max(1.0).round() } else { step };
        Self { low: 0.0, high, log: false, ticks: multiples(step, 0.0, high), unit }
    }

    /// A logarithmic axis if the values are positive and spread over more than a decade, otherwise as
    /// [`around`](Self::around).
    pub fn log_where_wide(values: &[f64], unit: Unit) -> Self {
        let (low, high) = range(values);
        if low <= 0.0 || high / low < 10.0 {
            return Self::around(values, unit);
        }
        let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
        let fine = high / low < 300.0;
        let digits = if fine { &[1.0, 2.0, 5.0][..] } else { &[1.0] };
        let mut ticks: Vec<f64> =
            decades.flat_map(|decade| digits.iter().map(move |digit| digit * 10f64.powi(decade))).collect();
        let first = ticks.iter().rposition(|tick| *tick <= low * 1.0001).unwrap_or(0);
        let last = ticks.iter().position(|tick| *tick >= high * 0.9999).unwrap_or(ticks.len() - 1);
        ticks = ticks[first..=last].to_vec();
        let (low, high) = (ticks[0], ticks[ticks.len() - 1]);
        // Where there are many decades, some of them go without a number.
        let every = ticks.len().div_ceil(8);
        Self { low, high, log: true, ticks: ticks.into_iter().step_by(every).collect(), unit }
    }

    /// Where a value is: 0 at the low end, 1 at the high one.
    pub fn place(&self, value: f64) -> f64 {
        let share = if self.log {
            (value.max(self.low) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        share.clamp(0.0, 1.0)
    }

    /// What a tick says.
    pub fn label(&self, tick: f64) -> String {
        let thousands = |number: f64, mark: &str| {
            let text = format!("{:.1}", number / if mark == "k" { 1e3 } else { 1e6 });
            format!("{}{mark}", text.trim_end_matches(".0"))
        };
        let step = self.ticks.get(1).map_or(1.0, |second| second - self.ticks[0]);
        match self.unit {
            Unit::Count if tick >= 1e6 => thousands(tick, "M"),
            Unit::Count if self.high >= 1e4 && tick >= 1e3 => thousands(tick, "k"),
            Unit::Count => count(tick.max(0.0).round() as u64),
            Unit::Share => {
                let decimals = (-(step * 100.0 + 1e-9).log10().floor()).clamp(0.0, 3.0) as usize;
                format!("{:.decimals$} %", 100.0 * tick)
            }
            Unit::Number if self.log || self.high.abs() < 0.01 => short(tick),
            Unit::Number => {
                let decimals = (-(step + step * 1e-9).log10().floor()).clamp(0.0, 3.0) as usize;
                if tick.abs() >= 1e4 { measure(tick) } else { format!("{tick:.decimals$}") }
            }
        }
    }

    /// A value with the digits that are worth reading.
    pub fn exact(&self, value: f64) -> String {
        match self.unit {
            Unit::Count => count(value.max(0.0).round() as u64),
            Unit::Share => percent(value, 2),
            Unit::Number => measure(value),
        }
    }

    /// The name of the unit, for the script of the page.
    pub fn unit(&self) -> &'static str {
        match self.unit {
            Unit::Count => "count",
            Unit::Share => "share",
            Unit::Number => "number",
        }
    }
}

/// A number in as few characters as it needs: `0.05`, `20`, `2e-6`.
fn short(value: f64) -> String {
    let plain = (1e-3..1e5).contains(&value.abs()) || value == 0.0;
    let text = if plain { format!("{value:.4}") } else { return short_exponent(value) };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn short_exponent(value: f64) -> String {
    format!("{value:.1e}").replace(".0e", "e")
}

/// The least and the greatest of the finite values; 0 to 1 if there is none.
fn range(values: &[f64]) -> (f64, f64) {
    let (low, high) = values
        .iter()
        .copied()
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low <= high { (low, high) } else { (0.0, 1.0) }
}

/// The next of 1, 2, 5, 10, ... above.
fn round_step(least: f64) -> f64 {
    let decade = 10f64.powf(least.max(f64::MIN_POSITIVE).log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().find(|digit| digit * decade >= least * 0.999);
    step.unwrap_or(10.0) * decade
}

fn multiples(step: f64, low: f64, high: f64) -> Vec<f64> {
    let first = (low / step - 1e-6).ceil();
    let number = ((high / step + 1e-6).floor() - first).clamp(0.0, 50.0) as u32;
    (0..=number).map(|index| (first + f64::from(index)) * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks.iter().map(|tick| axis.label(*tick)).collect()
    }

    #[test]
    fn ticks_are_round() {
        let shares = Axis::around(&[0.62, 0.873], Unit::Share);
        assert_eq!(labels(&shares), ["60 %", "70 %", "80 %", "90 %"]);
        let near = Axis::around(&[0.9912, 1.0], Unit::Share);
        assert_eq!(labels(&near), ["99.0 %", "99.2 %", "99.4 %", "99.6 %", "99.8 %", "100.0 %"]);
        assert_eq!((near.low, near.high), (0.99, 1.0));
        let steps = Axis::up_to(23_456.0, Unit::Count);
        assert_eq!(labels(&steps), ["0", "5k", "10k", "15k", "20k"]);
        assert_eq!(labels(&Axis::up_to(3.0, Unit::Count)), ["0", "1", "2", "3"]);
        let rates = Axis::up_to(1e-3, Unit::Number);
        assert_eq!(labels(&rates), ["0", "2e-4", "4e-4", "6e-4", "8e-4", "0.001"]);
    }

    /// Losses over decades get a logarithmic axis; what has zeros, one value or none, a linear one.
    #[test]
    fn wide_ranges_are_logarithmic() {
        let wide = Axis::log_where_wide(&[0.03, 2.4], Unit::Number);
        assert!(wide.log && wide.place(0.02) == 0.0 && wide.place(5.0) == 1.0);
        assert_eq!(labels(&wide), ["0.02", "0.05", "0.1", "0.2", "0.5", "1", "2", "5"]);
        assert!((wide.place(0.02 * 250f64.sqrt()) - 0.5).abs() < 1e-12);
        for values in [&[0.0, 5.0][..], &[1.0, 2.0], &[3.0], &[], &[f64::NAN, f64::INFINITY]] {
            let axis = Axis::log_where_wide(values, Unit::Number);
            assert!(!axis.log && axis.low < axis.high && axis.ticks.len() > 1, "{values:?}: {axis:?}");
        }
    }
}
