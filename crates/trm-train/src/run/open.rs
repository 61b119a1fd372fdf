//! Beginning a run, or going on with one.

use std::path::Path;
use trm_data::NextMove;
use trm_kernels::AutodiffKernels;

use trm_model::{
    Precision, Trm,
    weights::{self, StateDict},
};

use super::{Data, Run, folder::RunFolder};
use crate::{
    AdamAtan2, Checkpoint, CheckpointStore, DataRecipe, Error, Group, LrSchedule, Noise, Optimization, Place,
    Recipe, Result, RunProgress, Tensors, Trainer, TrainingRecipe, lane,
};

/// What to do with a run that is in the folder already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resume {
    /// Refuse; begin a new one only.
    #[default]
    No,
    /// Go on with it, if recipe and data are the same.
    Yes,
    /// Go on with it, whatever has changed.
    Force,
}

impl Recipe {
    /// The recipe of the run in a folder, changed by `overrides` as in [`Recipe::load`].
    ///
    /// # Errors
    /// [`Error::NothingToResume`] if there is none; those of [`Recipe::from_toml`].
    pub fn of_run(dir: &Path, overrides: &[String]) -> Result<Self> {
        let folder = RunFolder::of_another(dir);
        let text = folder.stored_recipe()?.ok_or_else(|| Error::NothingToResume { dir: dir.to_owned() })?;
        Self::from_toml(&folder.recipe().display().to_string(), &text, overrides)
    }

    /// The auxiliary label that says of a cell of a maze that it is too far away yet: in models with one kind more than there
    /// are moves. Of other data the kinds are their source's affair.
    pub fn early_aux_label(&self) -> Option<usize> {
        let has_one = self.model.aux_vocab_size > NextMove::COUNT;
        (has_one && matches!(self.data, DataRecipe::Mazes(_))).then_some(NextMove::COUNT)
    }

    /// The noise on latents in training.
    pub fn noise(&self) -> Noise {
        let TrainingRecipe { restart_noise, latent_noise, .. } = self.training;
        Noise { restart: restart_noise, latent: latent_noise, seed: self.seed }
    }

    /// How this recipe optimises in a run of `total_steps`.
    pub fn optimization(&self, total_steps: u64) -> Optimization {
        let section = &self.optimizer;
        Optimization {
            adam: AdamAtan2 {
                beta_1: section.beta_1,
                beta_2: section.beta_2,
                weight_decay: section.weight_decay,
            },
            lr: section.lr,
            muon: section.muon,
            puzzle_emb_lr: section.puzzle_emb_lr,
            puzzle_emb_weight_decay: section.puzzle_emb_weight_decay,
            schedule: LrSchedule {
                warmup_steps: section.warmup_steps,
                total_steps,
                min_ratio: section.min_lr_ratio,
            },
            clip_norm: section.clip_norm,
            ema_rate: section.ema_rate,
            token_loss: section.token_loss,
        }
    }
}

impl<B: AutodiffKernels> Run<B> {
    /// Begins a run in the folder `dir`, or goes on with the one that is there. With several devices, each member of the
    /// group opens the run for itself; number 0 writes.
    ///
    /// # Errors
    /// [`Error::RunExists`], [`Error::NothingToResume`], [`Error::Changed`], [`Error::Busy`], [`Error::Recipe`];
    /// [`Error::Checkpoint`] if no checkpoint is whole; files that cannot be read or written; [`Error::Model`] if the weights
    /// to start from do not fit.
    pub fn open(
        recipe: Recipe,
        data: Data,
        dir: &Path,
        resume: Resume,
        device: &B::Device,
        group: Group,
    ) -> Result<Self> {
        recipe.validate()?;
        let uneven = |size: &usize| !size.is_multiple_of(group.size());
        if let Some(batch_size) = (0..recipe.lanes()).map(|lane| recipe.batch_size_of(lane)).find(uneven) {
            let key = if recipe.lanes() > 1 { "data.mixture.batch_size" } else { "training.batch_size" };
            let requirement = format!("must be a multiple of the {} devices", group.size());
            return Err(Error::Recipe { key, value: batch_size.to_string(), requirement });
        }
        let folder = if group.rank() == 0 { RunFolder::take(dir)? } else { RunFolder::of_another(dir) };
        let store = CheckpointStore::new(folder.checkpoints(), recipe.checkpoint.keep);

        let Data { source, evaluation, puzzle, total_steps, mut warnings } = data;
        let evaluation = evaluation.filter(|_| recipe.evaluation.is_some());
        let fingerprint = source.fingerprint();
        let mut config = recipe.model.clone();
        if !config.forward_dtype.is_on::<B::InnerBackend>(device) {
            warnings.push(format!("the device does not compute in {}, so f32 it is", config.forward_dtype));
            config.forward_dtype = Precision::F32;
        }
        let state = match &recipe.training.start_from {
            // What has begun goes on from its checkpoint.
            Some(folder) if store.list()?.is_empty() => {
                let (from, state) = weights::load_state(folder)?;
                state.widened(&from, &config, recipe.seed)?
            }
            _ => StateDict::initial(&config, recipe.seed),
        };
        let model = Trm::<B>::from_state(&config, &state, device)?;
        let trainer = Trainer::new(model, recipe.optimization(total_steps))
            .with_micro_batches(recipe.training.micro_batch_size)
            .with_label_smoothing(recipe.optimizer.label_smoothing)
            .with_aux_loss_weight(recipe.optimizer.aux_loss_weight)
            .with_early_aux_label(recipe.early_aux_label())
            .with_noise(recipe.noise())
            .with_group(group);
        let progress = RunProgress { total_steps, fingerprint, ..RunProgress::default() };
        let saved_step = 0;
        let mut run = Self {
            recipe,
            folder,
            store,
            trainer,
            source,
            evaluation,
            puzzle,
            progress,
            saved_step,
            warnings,
        };
        match resume {
            Resume::No => run.begin()?,
            Resume::Yes => run.go_on(false)?,
            Resume::Force => run.go_on(true)?,
        }
        Ok(run)
    }

    fn begin(&mut self) -> Result<()> {
        if !self.folder.is_ours() {
            return Ok(());
        }
        let dir = || self.folder.path().to_owned();
        if let Some((step, _)) = self.store.list()?.first() {
            return Err(Error::RunExists { dir: dir(), step: *step });
        }
        if self.folder.stored_recipe()?.is_some() {
            return Err(Error::RunExists { dir: dir(), step: 0 });
        }
        self.write_recipe()
    }

    fn write_recipe(&self) -> Result<()> {
        Ok(trm_data::files::write_atomic(&self.folder.recipe(), self.recipe.to_toml().as_bytes())?)
    }

    fn go_on(&mut self, force: bool) -> Result<()> {
        let Some((checkpoint, damaged)) = self.store.latest()? else {
            // Stopped before its first checkpoint: the recipe is all that there is.
            let stored = Recipe::of_run(self.folder.path(), &[])?;
            self.compare(&stored, None, force)?;
            return self.write_recipe();
        };
        let Checkpoint { progress, recipe, mut tensors } = checkpoint;
        let origin = self.folder.checkpoints().display().to_string();
        self.compare(&Recipe::from_toml(&origin, &recipe, &[])?, Some(&progress), force)?;
        for error in damaged {
            self.warnings.push(format!("{error}; going on from the one before, step {}", progress.step));
        }

        self.give_up_lanes(&mut tensors);
        let step = progress.step;
        self.trainer.restore(step, tensors).map_err(|reason| Error::Checkpoint {
            path: self.folder.checkpoints().join(format!("step {step}")),
            reason,
        })?;
        let same_data = progress.fingerprint == self.progress.fingerprint;
        let (place, more_places) =
            if same_data { (progress.place, progress.more_places) } else { (Place::default(), Vec::new()) };
        self.source.seek_all(step + 1, place, &more_places)?;
        let RunProgress { total_steps, fingerprint, .. } = std::mem::take(&mut self.progress);
        self.progress = RunProgress { total_steps, fingerprint, place, more_places, ..progress };
        self.saved_step = step;
        if self.folder.is_ours() { self.write_recipe() } else { Ok(()) }
    }

    /// Drops the puzzles in work of lanes whose batch has changed, or that are no more.
    fn give_up_lanes(&mut self, tensors: &mut Tensors) {
        let several = self.recipe.lanes() > 1;
        for number in lane::numbers(tensors) {
            let rows = lane::rows(tensors, number);
            let gone = number >= self.recipe.lanes();
            let now = if gone { 0 } else { self.recipe.batch_size_of(number) };
            if rows == 0 || rows == now {
                continue;
            }
            tensors.retain(|name, _| lane::number_of(name) != Some(number));
            let whose =
                if several || gone { format!(" of data.mixture.{}", number + 1) } else { String::new() };
            self.warnings.push(format!(
                "the batch{whose} was {rows} puzzles and is {now} now, so the puzzles in work are given up"
            ));
        }
    }

    /// Compares what the run was begun with to what it is to go on with.
    fn compare(&mut self, old: &Recipe, progress: Option<&RunProgress>, force: bool) -> Result<()> {
        let mut differences = old.differences(&self.recipe);
        if let Some(progress) = progress
            && progress.fingerprint != self.progress.fingerprint
        {
            let (old, new) = (&progress.fingerprint, &self.progress.fingerprint);
            differences.push(format!("the training data: {old}, now {new}"));
        }
        if differences.is_empty() {
            return Ok(());
        }
        let differences = differences.join("; ");
        if !force {
            return Err(Error::Changed { dir: self.folder.path().to_owned(), differences });
        }
        self.warnings.push(format!("going on although the run was begun differently: {differences}"));
        Ok(())
    }
}
