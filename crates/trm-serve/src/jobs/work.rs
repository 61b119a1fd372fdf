//! The work of jobs: a few calls of the crates that do it.

use std::{cell::RefCell, ops::ControlFlow, path::PathBuf};

use serde_json::{Value, json};
use trm_data::{BuildOptions, BuildSummary, Dataset, ExcludeSet, Generator, SplitRequest, kind, load_split};
use trm_eval::{EvalOptions, EvalProgress, Observer, evaluate_on_all, grades};
use trm_hub::{Hub, HubOptions, csv_folder, resolve_weights};
use trm_kernels::Kernels;
use trm_model::{
    HaltRule, Precision, Trm, TrmConfig,
    weights::{self, StateDict},
};
use trm_puzzles::{Puzzle, maze::Mazes};

use super::{
    Done, DownloadWeights, Folders, JobWatch, PrepareDataset, Request, RunEvalLocal, Worker, training,
};
use crate::{
    Error, Result,
    puzzles::{may_answer, puzzle_of_data},
};

/// Does jobs on the devices of a backend.
pub struct DeviceWorker<B: Kernels> {
    /// Where to train and to evaluate.
    pub devices: Vec<B::Device>,
    /// The served models, the default first.
    pub models: Vec<ServedModel>,
    /// The data set that the server was started with.
    pub data: Option<PathBuf>,
}

/// A served model, and where its weights are.
pub struct ServedModel {
    /// What requests call it.
    pub name: String,
    /// Its folder; none for the model for this puzzle that comes with trm.
    pub folder: Option<PathBuf>,
    /// The puzzle that it is for.
    pub puzzle: &'static dyn Puzzle,
}

impl<B: Kernels> Worker for DeviceWorker<B> {
    fn work(&self, request: &Request, folders: &Folders, watch: &JobWatch<'_>) -> Result<Done> {
        match request {
            Request::PrepareDataset(request) => done(prepare_dataset(request, folders, watch)),
            Request::DownloadWeights(request) => done(download_weights(request, folders, watch)),
            Request::RunTraining(request) => training::run::<B>(&self.devices, request, folders, watch),
            Request::RunEvalLocal(request) => self.evaluate(request, folders, watch),
        }
    }
}

/// What comes of work that is all or nothing.
fn done(result: Result<Value>) -> Result<Done> {
    match result {
        Err(Error::Data(trm_data::Error::Stopped) | Error::Hub(trm_hub::Error::Stopped)) => {
            Ok(Done::Stopped(json!({})))
        }
        result => result.map(Done::Finished),
    }
}

fn prepare_dataset(request: &PrepareDataset, folders: &Folders, watch: &JobWatch<'_>) -> Result<Value> {
    let output = folders.data(&request.name);
    let mut progress = |now: trm_data::Progress| {
        watch.progress(
            now.done as f64 / now.total.max(1) as f64,
            &format!("{} of {} mazes", now.done, now.total),
        );
        if watch.should_stop() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let summary = match request.generator() {
        Some(config) => {
            let splits = [("train", request.train), ("test", request.test)];
            let splits: Vec<SplitRequest> = splits
                .into_iter()
                .filter(|(_, count)| *count > 0)
                .map(|(name, count)| SplitRequest { name: name.into(), count })
                .collect();
            let mut generator = Generator::new_unless(config, || watch.should_stop())?;
            trm_data::generate(&mut generator, &splits, &mut ExcludeSet::new(), &output, &mut progress)?
        }
        None => {
            let hub = Hub::new(HubOptions::default())?;
            let folder = csv_folder(&hub, &request.source.parse()?, &Transfer::new(watch))?;
            let options =
                BuildOptions { augment: request.augment, subsample: request.subsample, seed: request.seed };
            trm_data::build(&folder, &output, &options, &mut progress)?
        }
    };
    let BuildSummary { splits } = summary;
    splits.iter().try_for_each(|split| kind::write(&output.join(&split.name), Mazes.name()))?;
    let splits =
        splits.iter().map(|split| json!({"name": split.name, "mazes": split.groups, "rows": split.rows}));
    Ok(json!({"dataset": request.name, "splits": splits.collect::<Vec<_>>()}))
}

fn download_weights(request: &DownloadWeights, folders: &Folders, watch: &JobWatch<'_>) -> Result<Value> {
    let hub = Hub::new(HubOptions::default())?;
    let found = resolve_weights(&hub, &request.weights, &Transfer::new(watch))?;
    let origin = format!("Downloaded from the Hub: `{}`, file `{}`.", found.repo, found.file);
    let output = folders.model(&request.name);
    let known = found.published.map(|checkpoint| checkpoint.arch);
    let arch = (request.arch.as_deref().or(known), None);
    let Some(imported) = weights::adopt(&found.path, found.config.as_deref(), arch, &output, &origin)? else {
        let reason = format!("{} does not say its architecture; name a preset", found.file);
        return Err(Error::Job { field: "arch", reason });
    };
    let config = imported.config;
    Ok(json!({"model": request.name, "parameters": config.num_params(), "side": config.seq_len.isqrt()}))
}

impl<B: Kernels> DeviceWorker<B> {
    fn evaluate(&self, request: &RunEvalLocal, folders: &Folders, watch: &JobWatch<'_>) -> Result<Done> {
        let (dataset, puzzle) = self.dataset(request, folders)?;
        let (config, state) = self.model(request, puzzle, folders)?;
        if let Some(puzzle) = puzzle.filter(|puzzle| !may_answer(&config, *puzzle)) {
            let reason =
                format!("holds {}, which are not what the model answers; name another", puzzle.plural());
            return Err(Error::Job { field: "dataset", reason });
        }
        let load = |device| Ok(Trm::<B>::from_state(&config, &state, device)?.into_precision(Precision::F32));
        let models = self.devices.iter().map(load).collect::<Result<_>>()?;
        let options = EvalOptions {
            halt: if request.all_steps { HaltRule::Never } else { HaltRule::QHalt },
            max_steps: request.max_steps,
            limit: request.limit,
            ..EvalOptions::default()
        };
        let warning = config.size_warning(dataset.seq_len());
        if let Some(warning) = &warning {
            watch.log(&format!("mind: {warning}"));
        }
        let mut evaluation = evaluate_on_all(models, &dataset, &options, &mut Observing(watch))?;
        // What the metrics say of mazes means nothing for other puzzles, which have grades of their own.
        let other = puzzle.filter(|puzzle| puzzle.name() != Mazes.name());
        if other.is_some() {
            (evaluation.metrics.valid_path, evaluation.metrics.optimal_path) = (None, None);
        }
        let mut metrics = json!(evaluation.metrics);
        if let Some(puzzle) = other {
            let grades = grades(puzzle, &dataset, &evaluation.outcomes);
            metrics["grades"] =
                grades.iter().map(|grade| (grade.name.to_owned(), json!(grade.share))).collect();
        }
        metrics["warning"] = json!(warning);
        Ok(if evaluation.complete { Done::Finished(metrics) } else { Done::Stopped(metrics) })
    }

    /// The data set, and the puzzle that it holds, where that can be told.
    fn dataset(
        &self,
        request: &RunEvalLocal,
        folders: &Folders,
    ) -> Result<(Dataset, Option<&'static dyn Puzzle>)> {
        let folder = match (&request.dataset, &self.data) {
            (Some(name), _) => folders.data(name),
            (None, Some(folder)) => folder.clone(),
            (None, None) => {
                let reason =
                    "was left out, and the server was started without --data; name a folder in data/".into();
                return Err(Error::Job { field: "dataset", reason });
            }
        };
        let split = request.split.as_deref().unwrap_or("test");
        let dataset = load_split(&folder, split)?;
        let puzzle = puzzle_of_data(&folder, split, &dataset)?;
        Ok((dataset, puzzle))
    }

    /// The model of a request; where it names none, the first that is served for the puzzle, or the first of all.
    fn model(
        &self,
        request: &RunEvalLocal,
        puzzle: Option<&dyn Puzzle>,
        folders: &Folders,
    ) -> Result<(TrmConfig, StateDict)> {
        let is_for = |model: &&ServedModel| puzzle.is_some_and(|puzzle| puzzle.name() == model.puzzle.name());
        let served = match &request.model {
            None => self.models.iter().find(is_for).or(self.models.first()),
            Some(name) => self.models.iter().find(|served| served.name == *name),
        };
        let folder = match (served, &request.model) {
            (Some(ServedModel { folder: Some(folder), .. }), _) => folder.clone(),
            (Some(ServedModel { puzzle, .. }), _) => {
                let reason = format!("has no folder, and no model for {} comes with trm", puzzle.plural());
                return weights::pretrained_for(puzzle.name())?.ok_or(Error::Job { field: "model", reason });
            }
            (None, None) => return Ok(weights::pretrained()?),
            (None, Some(name)) => {
                let candidates = [folders.model(name), folders.run(name).join("best")];
                candidates.into_iter().find(|folder| folder.is_dir()).ok_or_else(|| Error::Job {
                    field: "model",
                    reason: format!("there is no {name:?} in /hello, models/ or runs/"),
                })?
            }
        };
        Ok(weights::load_state(&folder)?)
    }
}

/// Passes on how an evaluation goes.
struct Observing<'a>(&'a JobWatch<'a>);

impl Observer for Observing<'_> {
    fn progress(&mut self, EvalProgress { finished, total, share }: EvalProgress) {
        self.0.progress(share, &format!("{finished} of {total} puzzles"));
    }

    fn should_stop(&mut self) -> bool {
        self.0.should_stop()
    }
}

/// Passes on how a download goes.
struct Transfer<'a> {
    watch: &'a JobWatch<'a>,
    /// The file, its size, and how much has come.
    at: RefCell<(String, Option<u64>, u64)>,
}

impl<'a> Transfer<'a> {
    fn new(watch: &'a JobWatch<'a>) -> Self {
        Self { watch, at: RefCell::default() }
    }
}

impl trm_hub::TransferProgress for Transfer<'_> {
    fn start(&self, file: &str, total: Option<u64>) {
        self.watch.log(&format!("downloads {file}"));
        *self.at.borrow_mut() = (file.to_owned(), total, 0);
    }

    fn advance(&self, bytes: u64) {
        let mut at = self.at.borrow_mut();
        at.2 += bytes;
        let (file, total, come) = &*at;
        let share = total.map_or(0.0, |total| *come as f64 / total.max(1) as f64);
        self.watch.progress(share, &format!("{file}: {:.1} MB", *come as f64 / 1e6));
    }

    fn finish(&self) {}

    fn should_stop(&self) -> bool {
        self.watch.should_stop()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use burn::backend::Flex;

    use super::{
        super::{JobRecord, Jobs},
        *,
    };

    /// A download asks whether it is still wanted, and one that was stopped is no failure.
    #[test]
    fn downloads_stop() {
        let folder = tempfile::tempdir().expect("a folder");
        let worker = DeviceWorker::<Flex> { devices: Vec::new(), models: Vec::new(), data: None };
        let jobs = Jobs::start(folder.path(), 1, worker).expect("started");
        let cancelled = AtomicBool::new(false);
        let record = JobRecord::new(1, Request::DownloadWeights(DownloadWeights::default()));
        let watch = JobWatch::new(&jobs.shared, &cancelled, record);
        let transfer = Transfer::new(&watch);
        assert!(!trm_hub::TransferProgress::should_stop(&transfer));
        cancelled.store(true, Ordering::Relaxed);
        assert!(trm_hub::TransferProgress::should_stop(&transfer));
        for error in [Error::Hub(trm_hub::Error::Stopped), Error::Data(trm_data::Error::Stopped)] {
            assert!(matches!(done(Err(error)), Ok(Done::Stopped(_))));
        }
        assert!(done(Err(Error::NoModel)).is_err());
        jobs.stop();
    }
}
