//! A model on a device: solves, thinks step by step, evaluates.

use std::{fmt, path::Path};

use trm_data::Dataset;
use trm_eval::{EvalOptions, Evaluation, Observer, evaluate};
use trm_kernels::Kernels;
use trm_model::{HaltRule, Precision, SizeFit, Thought, Trm, TrmConfig, think, weights};

use crate::{Answer, Device, Question, Result, device::Work};

/// Thoughts one after another, as they are asked for.
type Thoughts = Box<dyn Iterator<Item = trm_model::Result<Thought>>>;

/// A model, ready on a device. [`trm_model::Trm`] is the same for a backend that is known when a program is compiled.
///
/// ```
/// use trm::{Device, Maze, Model};
///
/// let maze: Maze = "S  \n## \nG  ".parse()?;
/// let answer = Model::pretrained(&Device::default())?.solve(&maze)?;
/// assert_eq!(answer.to_string(), "Soo\n##o\nGoo");
/// # Ok::<(), trm::Error>(())
/// ```
pub struct Model {
    on: Box<dyn Computes>,
}

/// What a [`Trm`] does, whatever its backend.
trait Computes: Send {
    fn config(&self) -> &TrmConfig;
    fn think(&self, tokens: &[u8], max_steps: usize) -> trm_model::Result<Thoughts>;
    fn evaluate(
        &self,
        dataset: &Dataset,
        options: &EvalOptions,
        observer: &mut dyn Observer,
    ) -> trm_eval::Result<Evaluation>;
    fn into_precision(self: Box<Self>, precision: Precision) -> Box<dyn Computes>;
    fn save(&self, folder: &Path, card: &weights::ModelCard) -> trm_model::Result<()>;
}

impl<B: Kernels> Computes for Trm<B> {
    fn config(&self) -> &TrmConfig {
        self.config()
    }

    fn think(&self, tokens: &[u8], max_steps: usize) -> trm_model::Result<Thoughts> {
        Ok(Box::new(think(self, tokens, 0, HaltRule::QHalt, max_steps)?))
    }

    fn evaluate(
        &self,
        dataset: &Dataset,
        options: &EvalOptions,
        observer: &mut dyn Observer,
    ) -> trm_eval::Result<Evaluation> {
        evaluate(self, dataset, options, observer)
    }

    fn into_precision(self: Box<Self>, precision: Precision) -> Box<dyn Computes> {
        Box::new(Trm::into_precision(*self, precision))
    }

    fn save(&self, folder: &Path, card: &weights::ModelCard) -> trm_model::Result<()> {
        weights::save(folder, self.config(), &self.to_state(), card)
    }
}

impl Model {
    /// The model that comes with `trm-model`: 91 thousand weights, for mazes of any side, best at 30x30.
    ///
    /// # Errors
    /// [`Error::Model`](crate::Error::Model) if the device fails.
    pub fn pretrained(device: &Device) -> Result<Self> {
        let (config, state) = weights::pretrained()?;
        device.run(FromState { config, state })
    }

    /// The model for the puzzle of this name that comes with `trm-model`: `maze`, `sudoku`; `None` if none does.
    ///
    /// # Errors
    /// [`Error::Model`](crate::Error::Model) if the device fails.
    pub fn pretrained_for(puzzle: &str, device: &Device) -> Result<Option<Self>> {
        let model = weights::pretrained_for(puzzle)?;
        model.map(|(config, state)| device.run(FromState { config, state })).transpose()
    }

    /// The model of a folder: one of the command `trm`, or `best` of a [training](crate::Training).
    ///
    /// # Errors
    /// [`Error::Model`](crate::Error::Model) names the file that cannot be used; if the device fails.
    pub fn load(folder: &Path, device: &Device) -> Result<Self> {
        let (config, state) = weights::load_state(folder)?;
        device.run(FromState { config, state })
    }

    /// A model of Burn's world.
    pub fn of<B: Kernels>(model: Trm<B>) -> Self {
        Self { on: Box::new(model) }
    }

    /// The same in another precision; models come in that of their configuration.
    #[must_use]
    pub fn into_precision(self, precision: Precision) -> Self {
        Self { on: self.on.into_precision(precision) }
    }

    /// The architecture.
    pub fn config(&self) -> &TrmConfig {
        self.on.config()
    }

    /// The answer to a question: supervision steps until the model holds its answer to be right, at most as many as its
    /// architecture says, more on boards larger than it was trained on.
    ///
    /// # Errors
    /// [`Error::Model`](crate::Error::Model) for a question that does not fit the model; if the device fails.
    pub fn solve(&self, question: impl Into<Question>) -> Result<Answer> {
        let question = question.into();
        let thought = self.answer(question.tokens())?;
        Ok(Answer::new(question, thought))
    }

    /// The answers to a question after each supervision step, computed as they are asked for; the last one is that of
    /// [`solve`](Self::solve).
    ///
    /// # Errors
    /// Those of [`solve`](Self::solve), at once or later.
    pub fn think(&self, question: impl Into<Question>) -> Result<Box<dyn Iterator<Item = Result<Answer>>>> {
        let question = question.into();
        let thoughts = self.thoughts(question.tokens())?;
        Ok(Box::new(thoughts.map(move |thought| Ok(Answer::new(question.clone(), thought?)))))
    }

    /// What [`solve`](Self::solve) is for puzzles that are tokens and nothing else, `[cells]`.
    ///
    /// # Errors
    /// Those of [`solve`](Self::solve).
    pub fn answer(&self, tokens: &[u8]) -> Result<Thought> {
        // A model makes one step at least.
        let last = self.thoughts(tokens)?.try_fold(None, |_, thought| thought.map(Some))?;
        Ok(last.ok_or(trm_model::Error::Device { reason: "no step was made".into() })?)
    }

    fn thoughts(&self, tokens: &[u8]) -> Result<Thoughts> {
        let config = self.config();
        let max_steps = match config.fit(tokens.len()) {
            SizeFit::No => config.halt_max_steps, // refused below with a sentence
            _ => config.for_cells(tokens.len())?.halt_max_steps,
        };
        Ok(self.on.think(tokens, max_steps)?)
    }

    /// Evaluates the model on a data set; [`trm_eval::grades`] says how its outcomes fare by the rules of a puzzle.
    ///
    /// # Errors
    /// [`Error::Eval`](crate::Error::Eval) for a data set that is empty or does not fit the model; if the device fails.
    pub fn evaluate(&self, dataset: &Dataset, options: &EvalOptions) -> Result<Evaluation> {
        self.evaluate_watched(dataset, options, &mut ())
    }

    /// [`evaluate`](Self::evaluate) with somebody who is told how far it is, and can stop it.
    ///
    /// # Errors
    /// Those of [`evaluate`](Self::evaluate).
    pub fn evaluate_watched(
        &self,
        dataset: &Dataset,
        options: &EvalOptions,
        observer: &mut dyn Observer,
    ) -> Result<Evaluation> {
        Ok(self.on.evaluate(dataset, options, observer)?)
    }

    /// Writes the model into a folder, for [`load`](Self::load) and the command `trm`.
    ///
    /// # Errors
    /// [`Error::Model`](crate::Error::Model) for files that cannot be written.
    pub fn save(&self, folder: &Path, card: &weights::ModelCard) -> Result<()> {
        Ok(self.on.save(folder, card)?)
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("config", self.config()).finish_non_exhaustive()
    }
}

/// Puts weights onto a device.
struct FromState {
    config: TrmConfig,
    state: weights::StateDict,
}

impl Work for FromState {
    type Output = Model;

    fn on<B: Kernels>(self, device: &B::Device) -> Result<Model> {
        Ok(Model::of(Trm::<B>::from_state(&self.config, &self.state, device)?))
    }
}
