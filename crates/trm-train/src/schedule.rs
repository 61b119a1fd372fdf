//! The schedule of learning rates: warm-up and cosine.

/// Learning rate by step: linear warm-up, then a cosine down to `min_ratio` of the base rate
/// (`cosine_schedule_with_warmup_lr_lambda` in `pretrain.py`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LrSchedule {
    /// Steps of the warm-up.
    pub warmup_steps: u64,
    /// Steps in all.
    pub total_steps: u64,
    /// The rate at the end, as a share of the base rate; 1 keeps it constant.
    pub min_ratio: f64,
}

impl LrSchedule {
    /// The rate of the optimizer step `step`, counted from 1.
    pub fn rate(&self, base: f64, step: u64) -> f64 {
        if step < self.warmup_steps {
            return base * step as f64 / self.warmup_steps as f64;
        }
        let cosine_steps = self.total_steps.saturating_sub(self.warmup_steps).max(1);
        let progress = (step - self.warmup_steps) as f64 / cosine_steps as f64;
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
        base * (self.min_ratio + ((1.0 - self.min_ratio) * cosine).max(0.0))
    }
}
