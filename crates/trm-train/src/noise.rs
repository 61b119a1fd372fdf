//! Normal noise on the latents of a training.

use trm_data::rng;
use trm_kernels::Kernels;
use trm_model::Latents;

/// The noise on both latents of every position in training; none by default. The draws follow from the seed, the step and
/// the place in the batch of all devices.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Noise {
    /// Standard deviation on the initial latents of a puzzle.
    pub restart: f64,
    /// Standard deviation before every supervision step, that of a new puzzle included.
    pub latent: f64,
    /// Chooses the draws.
    pub seed: u64,
}

impl Noise {
    /// Whether there is any.
    pub(crate) fn is_on(self) -> bool {
        self.restart > 0.0 || self.latent > 0.0
    }

    /// The latents with the noise of a step. `first` is the number of their first row in the batch of all devices; `restarted`
    /// says of each of their rows whether its puzzle is new.
    pub(crate) fn add<B: Kernels>(
        self,
        latents: Latents<B>,
        step: u64,
        first: usize,
        restarted: &[bool],
    ) -> Latents<B> {
        if !self.is_on() || (self.latent <= 0.0 && !restarted.contains(&true)) {
            return latents;
        }
        latents.with_noise(|row, values| {
            let restart = if restarted.get(row) == Some(&true) { self.restart } else { 0.0 };
            let index = (step << 24).wrapping_add((first + row) as u64);
            let mut drawn = vec![0.0; values.len()];
            for (purpose, deviation) in [(b"restart ", restart), (b"latents ", self.latent)] {
                if deviation > 0.0 {
                    rng::normals(&mut rng::stream(purpose, self.seed, index), &mut drawn);
                    let scaled = drawn.iter().map(|drawn| deviation as f32 * drawn);
                    values.iter_mut().zip(scaled).for_each(|(value, noise)| *value += noise);
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use burn::{backend::Flex, tensor::Tensor};

    use super::*;

    fn noisy(noise: Noise, step: u64, first: usize, restarted: &[bool]) -> [Vec<f32>; 2] {
        let zeros = Tensor::<Flex, 3>::zeros([restarted.len(), 50, 8], &Default::default());
        let latents = Latents { z_h: zeros.clone(), z_l: zeros };
        let Latents { z_h, z_l } = noise.add(latents, step, first, restarted);
        [z_h, z_l].map(|latent| latent.into_data().iter().collect())
    }

    fn deviation(values: &[f32]) -> f32 {
        (values.iter().map(|value| value * value).sum::<f32>() / values.len() as f32).sqrt()
    }

    /// A row's noise is the same whichever device has the row, and another one in the next step and in the other latent.
    #[test]
    fn draws_follow_from_seed_step_and_place() {
        let noise = Noise { restart: 0.5, latent: 0.25, seed: 3 };
        let [h, l] = noisy(noise, 7, 0, &[true, false, true, false]);
        let [second_h, second_l] = noisy(noise, 7, 2, &[true, false]);
        assert_eq!([&h[2 * 400..], &l[2 * 400..]], [&second_h[..], &second_l[..]]);
        assert_ne!(h, l);
        assert_ne!(h[..400], h[2 * 400..3 * 400]);
        assert_ne!(h, noisy(noise, 8, 0, &[true, false, true, false])[0]);
    }

    /// New puzzles get the noise of restarts, all of them that of every step, with the deviations asked for.
    #[test]
    fn deviations_are_those_asked_for() {
        for latent in noisy(Noise { restart: 0.5, latent: 0.0, seed: 3 }, 1, 0, &[true, false]) {
            assert!((deviation(&latent[..400]) - 0.5).abs() < 0.08, "{}", deviation(&latent[..400]));
            assert!(latent[400..].iter().all(|value| *value == 0.0));
        }
        for latent in noisy(Noise { restart: 0.0, latent: 0.25, seed: 3 }, 1, 0, &[true, false]) {
            assert!([&latent[..400], &latent[400..]].map(deviation).iter().all(|d| (d - 0.25).abs() < 0.04));
        }
    }
}
