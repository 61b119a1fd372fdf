//! The database of jobs.

use std::path::{Path, PathBuf};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::JobRecord;
use crate::{Error, Result};

/// JSON by number.
const JOBS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("jobs");

/// How many of the newest jobs are remembered after their end.
const KEPT: u64 = 1000;

/// The database of jobs: a change is on the disk, whole, when it returns.
pub struct Store {
    database: Database,
    path: PathBuf,
}

impl Store {
    /// Opens the database, and makes it if it is missing.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::File`].
    pub fn open(path: &Path) -> Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|cause| Error::File { path: folder.to_owned(), cause })?;
        }
        let failed =
            |error: redb::Error| Error::Database { path: path.to_owned(), reason: error.to_string() };
        let database = Database::create(path).map_err(|error| failed(error.into()))?;
        let store = Self { database, path: path.to_owned() };
        store.attempt(|database| {
            let write = database.begin_write()?;
            write.open_table(JOBS)?;
            Ok(write.commit()?)
        })?;
        Ok(store)
    }

    /// All jobs by number.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn all(&self) -> Result<Vec<JobRecord>> {
        let rows = self.attempt(|database| {
            let table = database.begin_read()?.open_table(JOBS)?;
            table.iter()?.map(|row| Ok(row?.1.value().to_vec())).collect::<Result<Vec<_>, redb::Error>>()
        })?;
        rows.iter().map(|row| self.parse(row)).collect()
    }

    /// One job.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn get(&self, id: u64) -> Result<Option<JobRecord>> {
        let row = self.attempt(|database| {
            let table = database.begin_read()?.open_table(JOBS)?;
            Ok(table.get(id)?.map(|row| row.value().to_vec()))
        })?;
        row.map(|row| self.parse(&row)).transpose()
    }

    /// Adds a job with the next number. Of those that have ended, the oldest are forgotten.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn add(&self, new: impl FnOnce(u64) -> JobRecord) -> Result<JobRecord> {
        self.attempt(|database| {
            let write = database.begin_write()?;
            let record = {
                let mut table = write.open_table(JOBS)?;
                let last = table.last()?.map_or(0, |(id, _)| id.value());
                let record = new(last + 1);
                table.insert(record.id, json(&record).as_slice())?;
                let oldest_kept = record.id.saturating_sub(KEPT);
                table.retain_in(..=oldest_kept, |_, row| !has_ended(row))?;
                record
            };
            write.commit()?;
            Ok(record)
        })
    }

    /// Replaces what is known about a job.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn put(&self, record: &JobRecord) -> Result<()> {
        self.attempt(|database| {
            let write = database.begin_write()?;
            write.open_table(JOBS)?.insert(record.id, json(record).as_slice())?;
            Ok(write.commit()?)
        })
    }

    fn attempt<T>(&self, task: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T> {
        task(&self.database).map_err(|error| self.broken(&error.to_string()))
    }

    fn parse(&self, row: &[u8]) -> Result<JobRecord> {
        serde_json::from_slice(row).map_err(|error| self.broken(&error.to_string()))
    }

    fn broken(&self, reason: &str) -> Error {
        Error::Database { path: self.path.clone(), reason: reason.to_owned() }
    }
}

/// Whether nothing more will happen to the job in this row. One that cannot be read is kept, for people to look at.
fn has_ended(row: &[u8]) -> bool {
    serde_json::from_slice::<JobRecord>(row).is_ok_and(|record| record.state.is_final())
}

fn json(record: &JobRecord) -> Vec<u8> {
    serde_json::to_vec(record).unwrap_or_else(|error| unreachable!("a record is JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{DownloadWeights, JobState, Request},
        *,
    };

    /// Old jobs that have ended are forgotten; those that wait are not, however old.
    #[test]
    fn forgets_old_jobs_that_have_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("jobs.redb")).expect("opened");
        let request = || Request::DownloadWeights(DownloadWeights::default());
        for (id, state) in [
            (1, JobState::Finished),
            (2, JobState::Queued),
            (3, JobState::Cancelled),
            (1001, JobState::Failed),
            (1002, JobState::Finished),
            (2000, JobState::Finished),
        ] {
            store.put(&JobRecord { state, ..JobRecord::new(id, request()) }).expect("put");
        }
        let added = store.add(|id| JobRecord::new(id, request())).expect("added");
        assert_eq!(added.id, 2001);
        let ids: Vec<u64> = store.all().expect("read").iter().map(|record| record.id).collect();
        assert_eq!(ids, [2, 1002, 2000, 2001]);
    }
}
