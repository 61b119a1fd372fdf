//! Beginning a run, or going on with one.

use std::path::Path;
use trm_kernels::AutodiffKernels;

use trm_model::{Precision, Trm};

use super::{Data, Run, folder::RunFolder};
use crate::{
    AdamAtan2, Checkpoint, CheckpointStore, Error, Group, LrSchedule, Optimization, Place, Progress, Recipe,
    Result, Trainer,
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
    /// [`Error::Checkpoint`] if no checkpoint is whole; files that cannot be read or written.
    pub fn open(
        recipe: Recipe,
        data: Data,
        dir: &Path,
        resume: Resume,
        device: &B::Device,
        group: Group,
    ) -> Result<Self> {
        recipe.validate()?;
        let batch_size = recipe.training.batch_size;
        if !batch_size.is_multiple_of(group.size()) {
            let requirement = format!("must be a multiple of the {} devices", group.size());
            return Err(Error::Recipe {
                key: "training.batch_size",
                value: batch_size.to_string(),
                requirement,
            });
        }
        let folder = if group.rank() == 0 { RunFolder::take(dir)? } else { RunFolder::of_another(dir) };
        let store = CheckpointStore::new(folder.checkpoints(), recipe.checkpoint.keep);

        let Data { source, evaluation, total_steps } = data;
        let evaluation = evaluation.filter(|_| recipe.evaluation.is_some());
        let fingerprint = source.fingerprint();
        let mut config = recipe.model.clone();
        let mut warnings = Vec::new();
        if !config.forward_dtype.is_on::<B::InnerBackend>(device) {
            warnings.push(format!("the device does not compute in {}, so f32 it is", config.forward_dtype));
            config.forward_dtype = Precision::F32;
        }
        let model = Trm::<B>::init(&config, recipe.seed, device)?;
        let trainer = Trainer::new(model, recipe.optimization(total_steps))
            .with_micro_batches(recipe.training.micro_batch_size)
            .with_group(group);
        let progress = Progress { total_steps, fingerprint, ..Progress::default() };
        let mut run =
            Self { recipe, folder, store, trainer, source, evaluation, progress, saved_step: 0, warnings };
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

        let rows = tensors.get("carry.steps").map_or(0, |data| data.shape.num_elements());
        if rows != self.recipe.training.batch_size && rows > 0 {
            tensors.retain(|name, _| !name.starts_with("carry."));
            self.warnings.push(format!(
                "the batch was {rows} puzzles and is {} now, so the puzzles in work are given up",
                self.recipe.training.batch_size
            ));
        }
        let step = progress.step;
        self.trainer.restore(step, tensors).map_err(|reason| Error::Checkpoint {
            path: self.folder.checkpoints().join(format!("step {step}")),
            reason,
        })?;
        let same_data = progress.fingerprint == self.progress.fingerprint;
        let place = if same_data { progress.place } else { Place::default() };
        self.source.seek(step + 1, place)?;
        let Progress { total_steps, fingerprint, .. } = std::mem::take(&mut self.progress);
        self.progress = Progress { total_steps, fingerprint, place, ..progress };
        self.saved_step = step;
        if self.folder.is_ours() { self.write_recipe() } else { Ok(()) }
    }

    /// Compares what the run was begun with to what it is to go on with.
    fn compare(&mut self, old: &Recipe, progress: Option<&Progress>, force: bool) -> Result<()> {
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
