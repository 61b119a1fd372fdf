//! Curves of any length in a bounded number of points.

/// Most points that a curve keeps.
const MOST: usize = 512;

/// A curve of any length in a bounded number of points: when there are too many, neighbours become one.
#[derive(Clone, Debug)]
pub struct History {
    points: Vec<(f64, f64)>,
    /// Values in a point.
    stride: usize,
    /// The next point: how many values it has, and their sum.
    next: (usize, f64),
}

impl Default for History {
    fn default() -> Self {
        Self { points: Vec::new(), stride: 1, next: (0, 0.0) }
    }
}

impl History {
    pub fn push(&mut self, x: f64, y: f64) {
        let (number, sum) = (self.next.0 + 1, self.next.1 + y);
        self.next = (number, sum);
        if number < self.stride {
            return;
        }
        self.points.push((x, sum / number as f64));
        self.next = (0, 0.0);
        if self.points.len() == MOST {
            let halve = |pair: &[(f64, f64)]| (pair[1].0, (pair[0].1 + pair[1].1) / 2.0);
            self.points = self.points.chunks_exact(2).map(halve).collect();
            self.stride *= 2;
        }
    }

    pub fn points(&self) -> &[(f64, f64)] {
        &self.points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_curves_keep_their_shape() {
        let mut history = History::default();
        for x in 1..=100_000 {
            history.push(f64::from(x), f64::from(x));
        }
        let points = history.points();
        assert!((MOST / 2..MOST).contains(&points.len()));
        assert!(points.iter().all(|(x, y)| x >= y && x - y < 512.0));
        assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0) && points[points.len() - 1].0 > 99_000.0);
    }
}
