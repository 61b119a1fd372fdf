//! Training on arrays of one's own, by a recipe whose keys can be set one by one.

use std::{path::Path, sync::Arc};

use burn::backend::Autodiff;
use trm_data::Dataset;
use trm_kernels::Kernels;
use trm_train::{Data, Epochs, EventSink, Group, Limits, Recipe, Resume, Run, Source};

use crate::{Device, Model, Result, device::Work};

/// A network of 30 thousand weights for boards of a few dozen cells, which learns on two cores in minutes. `[model]` gets the
/// shape of the data in front of this.
const RECIPE: &str = r#"
hidden_size = 64
num_heads = 4
l_layers = 2
h_cycles = 1
l_cycles = 1
expansion = 3.0
puzzle_emb_len = 0
pos_encodings = "rope"
halt_max_steps = 4

[data]
kind = "custom"

[optimizer]
lr = 2e-3
weight_decay = 0.1
warmup_steps = 50
min_lr_ratio = 0.1
ema_rate = 0.99
token_loss = "softmax"

[training]
batch_size = 32
steps = 500
"#;

/// Trains a model on data of one's own: rows of tokens, and for each the row that is wanted.
///
/// What is not [set](Self::set) is as in `examples/train_sudoku.rs`: a small network, AdamATan2, 500 steps of 32 rows.
#[derive(Debug)]
#[must_use = "a training is carried out by `run`"]
pub struct Training {
    train: Dataset,
    test: Option<Dataset>,
    name: String,
    set: Vec<String>,
    resume: Resume,
}

impl Training {
    /// Trains on these rows; [`Dataset::of_rows`] makes a data set of arrays.
    pub fn on(train: Dataset) -> Self {
        Self { train, test: None, name: "trained".into(), set: Vec::new(), resume: Resume::No }
    }

    /// Evaluates on these rows, every 100 steps, and keeps the best model.
    pub fn test(mut self, test: Dataset) -> Self {
        self.test = Some(test);
        self
    }

    /// The name of the run and its model.
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Sets a key of the training recipe, such as `training.steps=2000` or `model.hidden_size=128`; `docs/training.md` has
    /// them all. What is set later counts.
    pub fn set(mut self, key_and_value: &str) -> Self {
        self.set.push(key_and_value.to_owned());
        self
    }

    /// What to do with a run that is in the folder already; refuses it if left out.
    pub fn resume(mut self, resume: Resume) -> Self {
        self.resume = resume;
        self
    }

    /// The complete training recipe.
    ///
    /// # Errors
    /// [`Error::Train`](crate::Error::Train) for a key or a value that cannot be.
    pub fn recipe(&self) -> Result<Recipe> {
        let shape = &self.train.metadata;
        let mut text = format!(
            "name = {:?}\n[model]\nvocab_size = {}\nseq_len = {}\nnum_puzzle_identifiers = {}{RECIPE}",
            self.name, shape.vocab_size, shape.seq_len, shape.num_puzzle_identifiers
        );
        if let Some(test) = &self.test {
            text.push_str(&format!("[evaluation]\nevery = 100\npuzzles = {}\n", test.len()));
        }
        Ok(Recipe::from_toml("the training", &text, &self.set)?)
    }

    /// Trains in a folder, which keeps checkpoints to go on from and the best model (`best`), and gives that model: of the
    /// best evaluation, or of the last step where there is nothing to evaluate on. `sink` is told of everything: a closure, a type of one's own, or `()`, which keeps nothing.
    ///
    /// # Errors
    /// [`Error::Data`](crate::Error::Data) for rows that contradict their metadata; [`Error::Train`](crate::Error::Train) for a
    /// recipe that does not fit, a folder with a run that was not to be resumed, files that cannot be written, a loss
    /// that is no number.
    pub fn run(self, folder: &Path, device: &Device, sink: &mut dyn EventSink) -> Result<Model> {
        let recipe = self.recipe()?;
        self.train.validate()?;
        let source: Box<dyn Source> = Box::new(Epochs::new(Arc::new(self.train), recipe.seed)?);
        let data = Data::custom(&recipe, source, self.test)?;
        device.run(Train { recipe, data, folder, resume: self.resume, sink })?;
        Model::load(&folder.join("best"), device)
    }
}

struct Train<'a> {
    recipe: Recipe,
    data: Data,
    folder: &'a Path,
    resume: Resume,
    sink: &'a mut dyn EventSink,
}

impl Work for Train<'_> {
    type Output = ();

    fn on<B: Kernels>(self, device: &B::Device) -> Result<()> {
        let Self { recipe, data, folder, resume, sink } = self;
        let mut run = Run::<Autodiff<B>>::open(recipe, data, folder, resume, device, Group::alone())?;
        run.run(&Limits::default(), sink)?;
        Ok(())
    }
}
