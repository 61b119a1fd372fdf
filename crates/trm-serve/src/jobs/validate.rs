//! Validation of job requests before they begin.

use trm_hub::RepoId;
use trm_model::Preset;

use super::{
    PrepareDataset, Request,
    folders::{Folders, plain_name},
    request::LARGEST_SEED,
};
use crate::{Error, Result};

/// Cells of all mazes that one job draws: 2 GB with their labels.
const LARGEST_DATA_SET: usize = 1_000_000_000;

impl Request {
    /// Checks what can be checked before the job is begun.
    ///
    /// # Errors
    /// [`Error::Job`], and what a recipe or a name on the Hub is refused with.
    pub fn validate(&self, folders: &Folders) -> Result<()> {
        match self {
            Self::PrepareDataset(request) => {
                plain_name("name", &request.name)?;
                request.source.parse::<RepoId>()?;
                if request.seed > LARGEST_SEED {
                    let reason = format!("is {}; take 0 to {LARGEST_SEED}", request.seed);
                    return Err(Error::Job { field: "seed", reason });
                }
                match request.generator() {
                    Some(config) => {
                        config.validate()?;
                        request.fits(config.side)
                    }
                    None => Ok(()),
                }
            }
            Self::DownloadWeights(request) => {
                plain_name("name", &request.name)?;
                request.weights.splitn(3, '/').take(2).collect::<Vec<_>>().join("/").parse::<RepoId>()?;
                request.arch.as_deref().map(str::parse::<Preset>).transpose()?;
                Ok(())
            }
            Self::RunTraining(request) => {
                let recipe = request.recipe(folders)?;
                plain_name("name", request.name(&recipe))
            }
            Self::RunEvalLocal(request) => {
                let names =
                    [("model", &request.model), ("dataset", &request.dataset), ("split", &request.split)];
                names.into_iter().try_for_each(|(field, name)| match name {
                    Some(name) => plain_name(field, name),
                    None => Ok(()),
                })?;
                let counts = [("max_steps", request.max_steps), ("limit", request.limit)];
                match counts.into_iter().find(|(_, count)| *count == Some(0)) {
                    Some((field, _)) => Err(Error::Job { field, reason: "is 0; take 1 or more".into() }),
                    None => Ok(()),
                }
            }
        }
    }
}

impl PrepareDataset {
    /// Checks that the mazes to draw fit in memory, where they are until all are drawn.
    fn fits(&self, side: usize) -> Result<()> {
        let largest = LARGEST_DATA_SET / (side * side);
        match self.train.checked_add(self.test) {
            Some(count) if count <= largest => Ok(()),
            _ => {
                let (train, test) = (self.train, self.test);
                let reason =
                    format!("{train} and {test} in `test` are too many; of this side take {largest} in all");
                Err(Error::Job { field: "train", reason })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use trm_train::DataRecipe;

    use super::{
        super::{DownloadWeights, RunEvalLocal, RunTraining},
        *,
    };

    /// No request leads out of the state folder.
    #[test]
    fn names_stay_in_their_folders() {
        let folders = Folders::new(Path::new("/state"));
        for name in ["", ".", "..", "../x", "/etc", "a/b", "a\\b", "a\0", ".hidden", &"x".repeat(65)] {
            let name = name.to_owned();
            for request in [
                Request::PrepareDataset(PrepareDataset { name: name.clone(), ..Default::default() }),
                Request::DownloadWeights(DownloadWeights { name: name.clone(), ..Default::default() }),
                Request::RunTraining(RunTraining { name: Some(name.clone()), ..Default::default() }),
                Request::RunEvalLocal(RunEvalLocal { model: Some(name.clone()), ..Default::default() }),
                Request::RunEvalLocal(RunEvalLocal { split: Some(name.clone()), ..Default::default() }),
                Request::RunTraining(RunTraining {
                    set: vec![r#"data.exclude=["/etc"]"#.into()],
                    ..Default::default()
                }),
                Request::RunTraining(RunTraining {
                    recipe: Some("/etc/passwd".into()),
                    ..Default::default()
                }),
            ] {
                let error = request.validate(&folders).expect_err("refused");
                assert!(matches!(error, Error::Job { .. }), "{error}");
            }
        }
        for request in [
            Request::PrepareDataset(PrepareDataset::default()),
            Request::DownloadWeights(DownloadWeights::default()),
            Request::RunTraining(RunTraining::default()),
            Request::RunEvalLocal(RunEvalLocal::default()),
        ] {
            request.validate(&folders).expect("the defaults are valid");
        }
        let set = vec![r#"data.exclude=["mine"]"#.into()];
        let recipe = RunTraining { set, ..Default::default() }.recipe(&folders).expect("valid");
        let DataRecipe::Mazes(mazes) = recipe.data else { panic!("fresh mazes") };
        assert_eq!(mazes.exclude, [Path::new("/state/data/mine")]);
    }

    /// A job draws no more mazes than fit in memory.
    #[test]
    fn data_sets_are_bounded() {
        let folders = Folders::new(Path::new("/state"));
        let of = |train, test| {
            let request = PrepareDataset { side: Some(10), train, test, ..Default::default() };
            Request::PrepareDataset(request).validate(&folders)
        };
        of(9_000_000, 1_000_000).expect("as many as fit");
        for (train, test) in [(9_000_000, 1_000_001), (usize::MAX, 1)] {
            let error = of(train, test).expect_err("too many").to_string();
            assert!(error.starts_with("train: ") && error.contains("10000000 in all"), "{error}");
        }
    }
}
