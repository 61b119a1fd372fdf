//! Mazes that people saved: a JSON file each.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{api::Refusal, grid_json::Rows};

/// The folder of saved mazes; made when the first one is saved.
#[derive(Clone)]
pub struct SavedMazes {
    folder: PathBuf,
    /// How many are kept at most.
    limit: usize,
}

/// A saved maze.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Sample {
    /// What its author calls it.
    pub name: String,
    /// When it was saved (RFC 3339).
    pub created_at: String,
    /// The maze.
    pub input_maze: Rows,
    /// The model's answer, if it was saved too.
    pub solved_maze: Option<Rows>,
    /// The label; null if there is no path.
    pub target_maze: Option<Rows>,
}

/// A saved maze in a list.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct SampleEntry {
    /// Its file, for `/get_custom`.
    pub file: String,
    /// When it was saved (RFC 3339).
    pub created_at: String,
    /// What its author calls it.
    pub name: String,
    /// Rows and columns.
    pub side: usize,
}

impl SavedMazes {
    /// The samples in a folder.
    pub fn new(folder: PathBuf, limit: usize) -> Self {
        Self { folder, limit }
    }

    /// All of them, the newest first. What is in the folder and no sample is passed over.
    pub fn list(&self) -> Result<Vec<SampleEntry>, Refusal> {
        let mut entries: Vec<SampleEntry> = self
            .names()?
            .into_iter()
            .filter_map(|file| {
                let Sample { name, created_at, input_maze, .. } = self.read(&file).ok()?;
                Some(SampleEntry { file, created_at, name, side: input_maze.len() })
            })
            .collect();
        entries.sort_by(|a, b| (&b.created_at, &b.file).cmp(&(&a.created_at, &a.file)));
        Ok(entries)
    }

    fn names(&self) -> Result<Vec<String>, Refusal> {
        match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(Refusal::unavailable(format!("the saved mazes cannot be listed: {error}"))),
            Ok(entries) => {
                let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
                Ok(names.filter(|name| is_sample_file(name)).collect())
            }
        }
    }

    /// One of them.
    pub fn get(&self, file: &str) -> Result<Sample, Refusal> {
        if !is_sample_file(file) {
            return Err(Refusal::not_found(format!(
                "there is no saved maze {file:?}; /list_custom lists them"
            )));
        }
        self.read(file).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                Refusal::not_found(format!("there is no saved maze {file:?}; /list_custom lists them"))
            }
            _ => Refusal::unavailable(format!("the saved maze {file} cannot be read: {error}")),
        })
    }

    fn read(&self, file: &str) -> io::Result<Sample> {
        Ok(serde_json::from_slice(&fs::read(self.folder.join(file))?)?)
    }

    /// Saves a maze, and gives the name of its file.
    pub fn save(&self, sample: &Sample) -> Result<String, Refusal> {
        if self.names()?.len() >= self.limit {
            let limit = self.limit;
            return Err(Refusal::conflict(format!(
                "{limit} mazes are saved, and no more are kept; remove some files"
            )));
        }
        let stamp: String = sample.created_at.chars().filter(char::is_ascii_digit).collect();
        let file = format!("{stamp}-{:08x}.json", rand::random::<u32>());
        let json = serde_json::to_vec(sample).map_err(|error| Refusal::broken(error.to_string()))?;
        trm_data::files::write_atomic(&self.folder.join(&file), &json)
            .map_err(|error| Refusal::unavailable(error.to_string()))?;
        Ok(file)
    }
}

/// The time now, to the second.
pub fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

/// Whether a name is one that [`SavedMazes::save`] gives: nothing else is opened, inside the folder or out of it.
fn is_sample_file(name: &str) -> bool {
    let stem = name.strip_suffix(".json").unwrap_or_default();
    !stem.is_empty()
        && Path::new(name).file_name().is_some_and(|file| file == name)
        && stem.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(created_at: &str) -> Sample {
        let input_maze = vec![vec![3, 4], vec![2, 2]];
        let name = format!("<b>{created_at}</b>");
        Sample { name, created_at: created_at.into(), input_maze, solved_maze: None, target_maze: None }
    }

    /// What is saved comes back, the newest first, and the folder is not made before.
    #[test]
    fn keeps_what_is_saved() {
        let folder = tempfile::tempdir().expect("a folder");
        let samples = SavedMazes::new(folder.path().join("samples"), 2);
        assert_eq!(samples.list(), Ok(Vec::new()));
        assert!(!folder.path().join("samples").exists());
        let (old, new) = (sample("2026-01-01T00:00:00Z"), sample("2026-01-02T00:00:00Z"));
        let file = samples.save(&old).expect("saved");
        samples.save(&new).expect("saved");
        fs::write(folder.path().join("samples/note.json"), "{").expect("written");
        assert_eq!(samples.get(&file), Ok(old));
        let names: Vec<String> =
            samples.list().expect("listed").into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["<b>2026-01-02T00:00:00Z</b>", "<b>2026-01-01T00:00:00Z</b>"]);
        assert!(samples.save(&new).is_err(), "a third one, with the unreadable file");
    }

    /// Names that lead elsewhere are no names of samples.
    #[test]
    fn opens_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("secret.json"), "{}").expect("written");
        let samples = SavedMazes::new(folder.path().join("samples"), 2);
        for name in
            ["../secret.json", "..", "", ".json", "/etc/passwd", "a/../b.json", "..\\secret.json", "a\0.json"]
        {
            let refusal = samples.get(name).expect_err(name);
            assert_eq!(refusal.code, "not_found", "{name}");
        }
    }
}
