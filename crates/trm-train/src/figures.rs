//! Numbers as people read them: shares, counts, durations.

/// A whole number in groups of three digits: `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A measured value in about three digits: `0.312`, `41.2`, `1,234`, `1.0e-3`.
pub fn measure(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if !(9.995e-3..1e7).contains(&size) => format!("{value:.1e}"),
        size if size >= 999.5 && value > 0.0 => count(value.round() as u64),
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        size if size >= 0.9995 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// A share from 0 to 1 with so many decimals: `41.2 %`. 100 % is said of all only, never rounded up to.
pub fn percent(share: f64, decimals: usize) -> String {
    let unit = 10f64.powi(decimals as i32);
    let rounded = (100.0 * share * unit).round() / unit;
    let shown = if share < 1.0 && rounded >= 100.0 { 100.0 - 1.0 / unit } else { rounded };
    format!("{shown:.decimals$} %")
}

/// A time in its two greatest units: `45s`, `3m 20s`, `1h 12m`, `2d 3h`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    let (minutes, hours, days) = (whole / 60, whole / 3600, whole / 86_400);
    match whole {
        0..60 => format!("{whole}s"),
        60..3600 => format!("{minutes}m {:02}s", whole % 60),
        3600..86_400 => format!("{hours}h {:02}m", minutes % 60),
        _ => format!("{days}d {}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        let measures =
            [0.0, 1e-3, 0.00999, 0.3124, 1.0, 9.999, 41.23, 99.97, 211.6, 1234.4, 3e9, -0.5, -1234.0];
        let texts = [
            "0", "1.0e-3", "1.0e-2", "0.312", "1.00", "10.0", "41.2", "100", "212", "1,234", "3.0e9",
            "-0.500", "-1234",
        ];
        assert_eq!(measures.map(measure), texts);
        assert_eq!(
            [0.0, 0.4123, 0.99999, 1.0].map(|share| percent(share, 1)),
            ["0.0 %", "41.2 %", "99.9 %", "100.0 %"]
        );
        assert_eq!(percent(0.5, 0), "50 %");
        let seconds = [0.4, 45.0, 59.6, 200.0, 4320.0, 183_600.0, -1.0];
        assert_eq!(seconds.map(duration), ["0s", "45s", "1m 00s", "3m 20s", "1h 12m", "2d 3h", "0s"]);
    }
}
