//! A run on all devices of a kind, with its records in its folder.

use std::{path::Path, time::Duration};

use burn::backend::Autodiff;
use trm_kernels::Kernels;

use super::{Data, Limits, Resume, Run, RunOutcome};
use crate::{Event, EventSink, Exchange, Group, JsonLines, Recipe, Result, RunProgress, TensorBoard};

/// What to train, where its folder is, and when to stop.
pub struct Training<'a> {
    /// The recipe; its data are opened for each device.
    pub recipe: Recipe,
    /// The folder of the run.
    pub dir: &'a Path,
    /// What to do with a run that is there already.
    pub resume: Resume,
    /// As [`Limits::steps`].
    pub steps: Option<u64>,
    /// As [`Limits::time`].
    pub time: Option<Duration>,
    /// How the devices exchange their gradients.
    pub exchange: Exchange,
}

impl Training<'_> {
    /// Begins the run or goes on with it, each batch divided among the devices. Records go to `metrics.jsonl` and
    /// `tensorboard/` in the folder, and every event to the sink that `sink` makes, told where the run is. `should_stop` is
    /// asked while evaluation mazes are drawn, after every step, and during evaluations.
    ///
    /// # Errors
    /// Those of [`Data::open_unless`], [`Run::open`], [`Run::run`] and [`Group::run`].
    pub fn run<B: Kernels, S: EventSink>(
        &self,
        devices: &[B::Device],
        should_stop: &(dyn Fn() -> bool + Sync),
        sink: impl Fn(&RunProgress) -> S + Sync,
    ) -> Result<(RunOutcome, RunProgress)> {
        let member = |device: &B::Device, group: Group| {
            let reports = group.rank() == 0;
            let should_stop = || should_stop();
            let data = Data::open_unless(&self.recipe, &should_stop)?;
            let recipe = self.recipe.clone();
            let mut run = Run::<Autodiff<B>>::open(recipe, data, self.dir, self.resume, device, group)?;
            let limits = Limits { steps: self.steps, time: self.time, stop: Some(&should_stop) };
            let outcome = if reports {
                let step = run.progress().step;
                let mut lines = JsonLines::open(&self.dir.join("metrics.jsonl"), step)?;
                let mut board = TensorBoard::open(&self.dir.join("tensorboard"), step)?;
                let mut sink = sink(run.progress());
                let mut all = |event: &Event| {
                    lines.event(event)?;
                    board.event(event)?;
                    sink.event(event)
                };
                run.run(&limits, &mut all)?
            } else {
                run.run(&limits, &mut |_: &Event| Ok(()))?
            };
            Ok((outcome, run.progress().clone()))
        };
        Group::run::<B, _>(devices, self.exchange, member)
    }
}
