//! Subsets: the published files of challenges and solutions, and which of them the reference's sets are made of.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::Path;

use serde::de::DeserializeOwned;
use trm_data::text;

use super::grid::Grid;
use super::task::{ByTask, Numbered, Pair, Parts, Task, is_name};
use crate::{Error, Result};

/// Which subsets a data set is made of, and which of them is the test set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subsets {
    /// The names of the subsets, in the order of the data set.
    pub names: Vec<String>,
    /// The one whose test pairs make the split `test`; those of the others are for training.
    pub test: String,
}

/// The reference's sets by short name: their subsets, and the test set.
const SETS: [(&str, [&str; 3], &str); 2] = [
    ("arc-1", ["training", "evaluation", "concept"], "evaluation"),
    ("arc-2", ["training2", "evaluation2", "concept"], "evaluation2"),
];

impl Subsets {
    /// The subsets that were asked for by name, or one of the reference's sets, `arc-1` or `arc-2`; without any, `arc-1`.
    ///
    /// # Errors
    /// [`Error::Setting`] for what is no name, or a test set that is none of the subsets; [`Error::Missing`] without one.
    pub fn chosen(names: &[String], test: Option<&str>) -> Result<Self> {
        let set = match names {
            [] => Some("arc-1"),
            [only] => Some(only.as_str()),
            _ => None,
        };
        let chosen = match SETS.into_iter().find(|(name, ..)| Some(*name) == set) {
            Some((_, names, own)) => {
                Self { names: names.map(str::to_owned).to_vec(), test: test.unwrap_or(own).to_owned() }
            }
            None => {
                let remedy = "say which of the subsets is the test set";
                let missing = || Error::Missing { puzzle: "arc", setting: "--test-subset", remedy };
                Self { names: names.to_vec(), test: test.ok_or_else(missing)?.to_owned() }
            }
        };
        if let Some(name) = chosen.names.iter().find(|name| !is_name(name)) {
            let remedy = "give names as in arc-agi_NAME_challenges.json, or arc-1 or arc-2";
            return Err(Error::Setting { field: "subsets", value: format!("{name:?}"), remedy });
        }
        if !chosen.names.contains(&chosen.test) {
            let remedy = "name one of the subsets";
            return Err(Error::Setting { field: "test_subset", value: format!("{:?}", chosen.test), remedy });
        }
        Ok(chosen)
    }

    /// The tasks of every subset, in the order of the files `arc-agi_NAME_challenges.json` in a folder.
    ///
    /// # Errors
    /// Those of [`read_subset`]; [`Error::ArcTask`] for a task in two subsets.
    pub fn read(&self, folder: &Path) -> Result<Vec<Vec<Task>>> {
        let subsets: Vec<Vec<Task>> =
            self.names.iter().map(|name| read_subset(folder, name)).collect::<Result<_>>()?;
        let mut found = HashMap::new();
        for (name, tasks) in self.names.iter().zip(&subsets) {
            for task in tasks {
                if let Some(before) = found.insert(&task.id, name) {
                    return Err(Error::ArcTask {
                        task: task.id.clone(),
                        problem: format!("is in the subsets {before} and {name}"),
                        remedy: "leave one of them out",
                    });
                }
            }
        }
        Ok(subsets)
    }
}

/// The tasks of a subset: `arc-agi_NAME_challenges.json`, with the outputs of `arc-agi_NAME_solutions.json` where there is such
/// a file. A test pair whose output is nowhere gets [`Grid::unknown`], as in the reference.
///
/// # Errors
/// [`Error::Data`] for a file that cannot be read, [`Error::InFile`] around what is wrong in it.
pub fn read_subset(folder: &Path, name: &str) -> Result<Vec<Task>> {
    let path = |part: &str| folder.join(format!("arc-agi_{name}_{part}.json"));
    let (challenges, solutions) = (path("challenges"), path("solutions"));
    let ByTask(found) = read::<ByTask<Parts>>(&challenges)?;
    let mut outputs: HashMap<String, Vec<Grid>> = match read::<ByTask<Numbered<Grid>>>(&solutions) {
        Ok(ByTask(solved)) => solved.into_iter().map(|(id, Numbered(outputs))| (id, outputs)).collect(),
        Err(error) if is_missing(&error) => HashMap::new(),
        Err(error) => return Err(error),
    };
    let with = |(id, parts): (String, Parts)| {
        let outputs = outputs.remove(&id);
        task(id, parts, outputs).map_err(|error| error.in_file(&solutions))
    };
    let tasks = found.into_iter().map(with).collect::<Result<Vec<_>>>()?;
    match outputs.into_keys().min() {
        Some(task) => {
            let problem = format!("is not in {}", challenges.display());
            Err(Error::ArcTask { task, problem, remedy: "take the two files from one source" }
                .in_file(&solutions))
        }
        None => Ok(tasks),
    }
}

/// The tasks of a file that has challenges and solutions in one, such as `test_puzzles.json`.
///
/// # Errors
/// Those of [`read_subset`].
pub fn read_tasks(path: &Path) -> Result<Vec<Task>> {
    let ByTask(found) = read::<ByTask<Parts>>(path)?;
    found.into_iter().map(|(id, parts)| task(id, parts, None)).collect()
}

fn task(id: String, parts: Parts, outputs: Option<Vec<Grid>>) -> Result<Task> {
    let Parts { train, test, test_first } = parts;
    let (wanted, found) = (test.len(), outputs.as_ref().map_or(test.len(), Vec::len));
    if found != wanted {
        let problem = format!("has {wanted} test pairs, but {found} solutions");
        return Err(Error::ArcTask { task: id, problem, remedy: "take the two files from one source" });
    }
    let mut outputs = outputs.into_iter().flatten();
    let pair = |(input, own): (Grid, Option<Grid>)| Pair {
        input,
        output: outputs.next().or(own).unwrap_or_else(Grid::unknown),
    };
    let test = test.into_iter().map(pair).collect();
    Ok(Task { id, train, test, test_first })
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    serde_json::from_str(&text::read(path)?).map_err(|cause| Error::ArcJson { cause }.in_file(path))
}

fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Data(trm_data::Error::Read { cause, .. }) if cause.kind() == ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Short names stand for the reference's sets; what does not fit is refused.
    #[test]
    fn subsets_are_chosen_by_name() {
        let chosen = |names: &[&str], test| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            Subsets::chosen(&names, test).map_err(|error| error.to_string())
        };
        let first = chosen(&["training", "evaluation", "concept"], Some("evaluation"));
        assert_eq!(chosen(&["arc-1"], None), first);
        assert_eq!(chosen(&[], None), first);
        assert_eq!(chosen(&["arc-2"], None).expect("a set").test, "evaluation2");
        assert_eq!(chosen(&["arc-1"], Some("concept")).expect("a set").test, "concept");
        assert!(chosen(&["concept"], None).expect_err("no test set").contains("arc needs --test-subset"));
        assert!(chosen(&["concept"], Some("x")).expect_err("another").contains("name one of the subsets"));
        assert!(
            chosen(&["../x"], Some("../x")).expect_err("no name").contains("arc-agi_NAME_challenges.json")
        );
    }
}
