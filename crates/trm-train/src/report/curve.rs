//! Curves: smoothing, and fewer points where there are more than can be seen.

/// A point `(x, y)`.
pub type Point = (f64, f64);

/// Smooths values `(x, y, weight)` by an exponential average over about `window` of them, which begins at the first
/// value and not at 0.
pub fn smooth(values: impl IntoIterator<Item = (f64, f64, f64)>, window: f64) -> Vec<Point> {
    let keep = 1.0 - 1.0 / window.max(1.0);
    let (mut sum, mut weights) = (0.0, 0.0);
    let mut points = Vec::new();
    for (x, y, weight) in values {
        sum = keep * sum + weight * y;
        weights = keep * weights + weight;
        if weights > 0.0 {
            points.push((x, sum / weights));
        }
    }
    points
}

/// At most `most` points (4 or more) that look the same: the first, the last, and of each stretch between the least
/// and the greatest.
pub fn thin(points: &[Point], most: usize) -> Vec<Point> {
    let ([first, middle @ .., last], true) = (points, points.len() > most) else { return points.to_vec() };
    let stretches = (most.saturating_sub(2) / 2).max(1);
    let mut kept = vec![*first];
    for stretch in middle.chunks(middle.len().div_ceil(stretches)) {
        let y = |index: &usize| stretch[*index].1;
        let order = |a: &usize, b: &usize| y(a).total_cmp(&y(b));
        let least = (0..stretch.len()).min_by(order).unwrap_or(0);
        let greatest = (0..stretch.len()).max_by(order).unwrap_or(0);
        kept.push(stretch[least.min(greatest)]);
        if least != greatest {
            kept.push(stretch[least.max(greatest)]);
        }
    }
    kept.push(*last);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The average of a constant is the constant from the first value on; weights count; no weight gives no point.
    #[test]
    fn smoothing_begins_at_the_first_value() {
        let constant = smooth((0..50).map(|x| (f64::from(x), 3.0, 1.0)), 10.0);
        assert!(constant.iter().all(|(_, y)| (y - 3.0).abs() < 1e-12));
        assert_eq!(smooth([(1.0, 0.5, 0.0)], 10.0), []);
        let weighted = smooth([(1.0, 0.0, 1.0), (2.0, 1.0, 1e9)], 10.0);
        assert!(weighted[1].1 > 0.99);
        assert_eq!(smooth([(1.0, 7.0, 1.0), (2.0, 1.0, 1.0)], 0.0), [(1.0, 7.0), (2.0, 1.0)]);
    }

    /// A single spike in a long curve survives, order and ends too.
    #[test]
    fn thinning_keeps_spikes() {
        let mut curve: Vec<Point> = (0..100_000).map(|x| (f64::from(x), f64::from(x % 7))).collect();
        (curve[54_321].1, curve[77_777].1) = (1e3, -1e3);
        let thinned = thin(&curve, 1000);
        assert!(thinned.len() <= 1000);
        assert!(thinned.contains(&curve[54_321]) && thinned.contains(&curve[77_777]));
        assert!(thinned.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!((thinned[0], thinned[thinned.len() - 1]), (curve[0], curve[99_999]));
        assert_eq!(thin(&curve[..10], 1000), curve[..10]);
        assert_eq!(thin(&[], 1000), []);
    }
}
