//! Differences between two recipes, for people.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::Recipe;

impl Recipe {
    /// The keys in which `new` differs, each `key: old, now new`; stages and entries of a mixture are numbered from 1. Where files lie does not count, as the fingerprint of
    /// the data says whether it is the same; nor does what a run that has begun started from, or when to save or to evaluate.
    pub fn differences(&self, new: &Self) -> Vec<String> {
        let (old, new) = (self.flat(), new.flat());
        let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let shown = |value: Option<&String>| value.map_or("not set", String::as_str).to_owned();
        keys.into_iter()
            .filter(|key| {
                !matches!(
                    key.as_str(),
                    "data.path" | "data.exclude" | "training.start_from" | "evaluation.every"
                )
            })
            .filter(|key| !key.starts_with("checkpoint."))
            .filter(|key| old.get(*key) != new.get(*key))
            .map(|key| format!("{key}: {}, now {}", shown(old.get(key)), shown(new.get(key))))
            .collect()
    }

    fn flat(&self) -> BTreeMap<String, String> {
        let mut flat = BTreeMap::new();
        let table = Table::try_from(self).unwrap_or_default();
        flatten("", &Value::Table(table), &mut flat);
        flat
    }
}

fn flatten(prefix: &str, value: &Value, flat: &mut BTreeMap<String, String>) {
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&path, value, flat);
            }
        }
        Value::Array(entries) if entries.iter().any(Value::is_table) => {
            for (number, entry) in entries.iter().enumerate() {
                flatten(&format!("{prefix}.{}", number + 1), entry, flat);
            }
        }
        value => {
            flat.insert(prefix.to_owned(), value.to_string());
        }
    }
}
