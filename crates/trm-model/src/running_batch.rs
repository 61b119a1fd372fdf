//! The halting loop of inference: puzzles enter a running batch as others halt, so that compute follows
//! difficulty.

use burn::tensor::{DType, Int, Tensor, TensorData, backend::Backend};
use serde::{Deserialize, Serialize};
use trm_kernels::Kernels;

use crate::{Error, InitialNoise, Latents, Result, Trm};

/// When a puzzle halts in inference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HaltRule {
    /// After the last step only, as the reference evaluates.
    Never,
    /// As soon as `q_halt` says so: above 0, or above `q_continue` in models without `no_act_continue`.
    #[default]
    #[serde(rename = "q")]
    QHalt,
}

/// A puzzle to solve.
#[derive(Clone, Copy, Debug)]
pub struct Puzzle<'a> {
    /// Its name for the caller, who gets it back with every step.
    pub ticket: usize,
    /// Its tokens, `seq_len` of them.
    pub inputs: &'a [u8],
    /// Which embedding it has; 0 in mazes.
    pub puzzle_identifier: i32,
    /// When it halts.
    pub rule: HaltRule,
    /// How many supervision steps it gets at most; 0 counts as 1.
    pub max_steps: usize,
    /// What its initial latents differ from the model's by; `None` for nothing.
    pub noise: Option<InitialNoise>,
}

impl<'a> Puzzle<'a> {
    /// A puzzle without an embedding of its own, from the model's initial latents.
    pub fn new(ticket: usize, inputs: &'a [u8], rule: HaltRule, max_steps: usize) -> Self {
        Self { ticket, inputs, puzzle_identifier: 0, rule, max_steps, noise: None }
    }
}

/// What became of one puzzle in a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowStep {
    /// The puzzle's ticket.
    pub ticket: usize,
    /// Which of its supervision steps this was, from 1.
    pub step: usize,
    /// Above 0, the model believes its answer is exactly right.
    pub q_halt: f32,
    /// Trained only without `no_act_continue`.
    pub q_continue: f32,
    /// Whether it halted, and has left the batch.
    pub halted: bool,
}

/// What a step did: one row per puzzle in the batch.
#[derive(Debug)]
pub struct StepReport<B: Backend> {
    /// The puzzles of the batch, in no particular order.
    pub rows: Vec<RowStep>,
    /// For each of the rows, whether the model wants to halt: by [`HaltRule::QHalt`] it does.
    pub wants_to_halt: Vec<bool>,
    /// The model, and its `z_h` before and after the step; `None` if the batch was empty.
    thoughts: Option<(Trm<B>, [Tensor<B, 3>; 2])>,
}

impl<B: Backend> Default for StepReport<B> {
    /// What a step of no puzzles did.
    fn default() -> Self {
        Self { rows: Vec::new(), wants_to_halt: Vec::new(), thoughts: None }
    }
}

impl<B: Kernels> StepReport<B> {
    /// Token logits of the given `rows` (places in [`rows`](Self::rows)), f32, each
    /// `[seq_len * vocab_size]`. Computed here, so that what nobody asks for costs nothing.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn logits(&self, rows: &[usize]) -> Result<Vec<Vec<f32>>> {
        let Some((model, [_, z_h])) = &self.thoughts else { return Ok(Vec::new()) };
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let logits = model.logits(take(z_h, rows)).cast(DType::F32);
        let values = to_host(logits)?;
        let config = model.config();
        Ok(values.chunks_exact(config.seq_len * config.vocab_size).map(<[f32]>::to_vec).collect())
    }

    /// How much `z_h` changed in the step, of the given `rows` (places in [`rows`](Self::rows)): the root of the mean square over
    /// positions and features. Computed here, as [`logits`](Self::logits) are.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn changes(&self, rows: &[usize]) -> Result<Vec<f32>> {
        let Some((_, [before, after])) = &self.thoughts else { return Ok(Vec::new()) };
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let change = (take(after, rows) - take(before, rows)).cast(DType::F32);
        let [_, len, hidden] = change.dims();
        let squares = change.powi_scalar(2).reshape([rows.len(), len * hidden]);
        to_host(squares.mean_dim(1).sqrt())
    }

    /// The answers of the given `rows` (places in [`rows`](Self::rows)): the most likely token of every
    /// cell, `[seq_len]` each.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn answers(&self, rows: &[usize]) -> Result<Vec<Vec<u8>>> {
        let Some((model, _)) = &self.thoughts else { return Ok(Vec::new()) };
        let vocab_size = model.config().vocab_size;
        Ok(self.logits(rows)?.iter().map(|logits| most_likely(logits, vocab_size)).collect())
    }
}

/// The most likely token of every cell, from logits `[cells * vocab_size]`; the first of equals.
pub fn most_likely(logits: &[f32], vocab_size: usize) -> Vec<u8> {
    let argmax = |cell: &[f32]| {
        let best = cell.iter().enumerate().fold((0, f32::NEG_INFINITY), |best, (token, logit)| {
            if *logit > best.1 { (token, *logit) } else { best }
        });
        best.0 as u8
    };
    logits.chunks_exact(vocab_size).map(argmax).collect()
}

/// A batch of puzzles at different depths. Admit puzzles while places are free, step, collect what halted,
/// and so on until nothing is left.
///
/// What becomes of a puzzle does not depend on its neighbours: no operation of the network mixes sequences.
#[derive(Debug)]
pub struct RunningBatch<B: Backend> {
    model: Trm<B>,
    device: B::Device,
    capacity: usize,
    /// In the order of the rows of `latents` and `x`.
    places: Vec<Place>,
    work: Option<Work<B>>,
}

/// A puzzle in work.
#[derive(Clone, Copy, Debug)]
struct Place {
    ticket: usize,
    /// Supervision steps made so far.
    steps: usize,
    rule: HaltRule,
    max_steps: usize,
}

#[derive(Debug)]
struct Work<B: Backend> {
    latents: Latents<B>,
    /// The embedded inputs, `[batch, len, hidden]`.
    x: Tensor<B, 3>,
}

impl<B: Kernels> RunningBatch<B> {
    /// An empty batch of `capacity` places, at least 1.
    pub fn new(model: Trm<B>, capacity: usize) -> Self {
        Self { device: model.device(), model, capacity: capacity.max(1), places: Vec::new(), work: None }
    }

    /// How many puzzles can be admitted now.
    pub fn free_places(&self) -> usize {
        self.capacity - self.places.len()
    }

    /// Whether no puzzle is in work.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Admits puzzles, at most as many as places are free.
    ///
    /// # Errors
    /// [`Error::Puzzle`] if there are too many, or one does not fit the model; none is admitted then.
    pub fn admit(&mut self, puzzles: &[Puzzle<'_>]) -> Result<()> {
        if puzzles.is_empty() {
            return Ok(());
        }
        if puzzles.len() > self.free_places() {
            return self.refuse(puzzles.len(), self.free_places());
        }
        for puzzle in puzzles {
            self.check(puzzle)?;
        }
        let config = self.model.config();
        let tokens: Vec<i32> = puzzles.iter().flat_map(|p| p.inputs.iter().copied().map(i32::from)).collect();
        let identifiers: Vec<i32> = puzzles.iter().map(|p| p.puzzle_identifier).collect();
        let inputs = TensorData::new(tokens, [puzzles.len(), config.seq_len]);
        let inputs = Tensor::<B, 2, Int>::from_data(inputs, &self.device);
        let identifiers = Tensor::from_data(TensorData::new(identifiers, [puzzles.len()]), &self.device);

        let x = self.model.embed(inputs, identifiers);
        let mut latents = self.model.initial_latents(puzzles.len());
        if puzzles.iter().any(|puzzle| puzzle.noise.is_some()) {
            latents = latents.with_noise(|row, values| {
                if let Some(noise) = puzzles[row].noise {
                    noise.draw(values);
                }
            });
        }
        self.work = Some(match self.work.take() {
            None => Work { latents, x },
            Some(old) => Work {
                latents: Latents {
                    z_h: Tensor::cat(vec![old.latents.z_h, latents.z_h], 0),
                    z_l: Tensor::cat(vec![old.latents.z_l, latents.z_l], 0),
                },
                x: Tensor::cat(vec![old.x, x], 0),
            },
        });
        self.places.extend(puzzles.iter().map(|puzzle| Place {
            ticket: puzzle.ticket,
            steps: 0,
            rule: puzzle.rule,
            max_steps: puzzle.max_steps,
        }));
        Ok(())
    }

    /// The answer to more puzzles than there are places.
    pub(crate) fn refuse(&self, count: usize, free: usize) -> Result<()> {
        Err(Error::Puzzle { reason: format!("{count} came for {free} free places") })
    }

    /// How many puzzles are in work.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Takes puzzles out of the batch before they halt: those whose ticket `unwanted` says yes to.
    pub fn withdraw(&mut self, unwanted: impl Fn(usize) -> bool) {
        let kept: Vec<usize> = (0..self.places.len()).filter(|i| !unwanted(self.places[*i].ticket)).collect();
        self.places = kept.iter().map(|i| self.places[*i]).collect();
        self.work = self.work.take().and_then(|work| work.rows(&kept));
    }

    /// Whether a puzzle fits the model.
    fn check(&self, puzzle: &Puzzle<'_>) -> Result<()> {
        let config = self.model.config();
        let reason = if puzzle.inputs.len() != config.seq_len {
            format!("it has {} cells, the model takes {}", puzzle.inputs.len(), config.seq_len)
        } else if let Some(token) =
            puzzle.inputs.iter().find(|token| usize::from(**token) >= config.vocab_size)
        {
            format!("it has token {token}, the model knows 0 to {}", config.vocab_size - 1)
        } else if usize::try_from(puzzle.puzzle_identifier)
            .map_or(true, |identifier| identifier >= config.num_puzzle_identifiers)
        {
            let last = config.num_puzzle_identifiers - 1;
            format!("it has identifier {}, the model knows 0 to {last}", puzzle.puzzle_identifier)
        } else {
            return Ok(());
        };
        Err(Error::Puzzle { reason })
    }

    /// One supervision step for every puzzle in the batch; those that halt leave it.
    ///
    /// # Errors
    /// [`Error::Device`]; the puzzles in work are lost then.
    pub fn step(&mut self) -> Result<StepReport<B>> {
        let Some(Work { latents, x }) = self.work.take() else {
            return Ok(StepReport::default());
        };
        let places = std::mem::take(&mut self.places);
        let before = latents.z_h.clone();
        let latents = self.model.recurse(latents, &x);
        let q = self.model.q_logits(latents.z_h.clone());
        let wants_to_halt = q.wants_to_halt(self.model.config()).float().cast(DType::F32);
        // Read at once: the device is waited for here.
        let q = to_host(Tensor::stack::<2>(vec![q.q_halt, q.q_continue, wants_to_halt], 1))?;

        let (rows, wants_to_halt): (Vec<RowStep>, Vec<bool>) = std::iter::zip(&places, q.as_chunks().0)
            .map(|(place, &[q_halt, q_continue, wants_to_halt])| {
                let (step, wants_to_halt) = (place.steps + 1, wants_to_halt != 0.0);
                let halted = step >= place.max_steps || (place.rule == HaltRule::QHalt && wants_to_halt);
                (RowStep { ticket: place.ticket, step, q_halt, q_continue, halted }, wants_to_halt)
            })
            .unzip();

        let going_on: Vec<usize> = (0..rows.len()).filter(|i| !rows[*i].halted).collect();
        let thoughts = Some((self.model.clone(), [before, latents.z_h.clone()]));
        self.places = going_on.iter().map(|i| Place { steps: rows[*i].step, ..places[*i] }).collect();
        self.work = Work { latents, x }.rows(&going_on);
        Ok(StepReport { rows, wants_to_halt, thoughts })
    }
}

impl<B: Kernels> Work<B> {
    /// The given rows, in rising order; `None` if there are none.
    fn rows(self, rows: &[usize]) -> Option<Self> {
        if rows.is_empty() {
            return None;
        }
        let Self { latents: Latents { z_h, z_l }, x } = self;
        let latents = Latents { z_h: take(&z_h, rows), z_l: take(&z_l, rows) };
        Some(Self { latents, x: take(&x, rows) })
    }
}

/// The given rows of a tensor.
fn take<B: Kernels>(tensor: &Tensor<B, 3>, rows: &[usize]) -> Tensor<B, 3> {
    if rows.iter().copied().eq(0..tensor.dims()[0]) {
        return tensor.clone();
    }
    let indices: Vec<i32> = rows.iter().map(|row| *row as i32).collect();
    let indices = Tensor::from_data(TensorData::new(indices, [rows.len()]), &tensor.device());
    tensor.clone().select(0, indices)
}

fn to_host<B: Kernels, const D: usize>(tensor: Tensor<B, D>) -> Result<Vec<f32>> {
    let data = tensor.try_into_data().map_err(|error| Error::Device { reason: error.to_string() })?;
    Ok(data.iter::<f32>().collect())
}
