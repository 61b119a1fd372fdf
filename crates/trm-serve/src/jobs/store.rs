//! The database of jobs.

use std::path::{Path, PathBuf};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::JobRecord;
use crate::{Error, Result};

/// JSON by number. A number is not given twice, also after the newest job is gone.
const JOBS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("jobs");

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

    /// Adds a job with the next number.
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

fn json(record: &JobRecord) -> Vec<u8> {
    serde_json::to_vec(record).unwrap_or_else(|error| unreachable!("a record is JSON: {error}"))
}
