//! Tasks: pairs of grids that show a rule, and pairs that ask for it, in the JSON of the published files.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::grid::Grid;

/// An input and the output that its task wants for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Pair {
    /// What is given.
    pub input: Grid,
    /// What is wanted.
    pub output: Grid,
}

/// A task: its pairs all follow one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its name, of letters, digits, `_` and `-`.
    pub id: String,
    /// The pairs that show the rule.
    pub train: Vec<Pair>,
    /// The pairs whose outputs are asked for.
    pub test: Vec<Pair>,
    /// Whether the file has the test pairs first, which is then the order of all pairs.
    pub test_first: bool,
}

impl Task {
    /// All pairs, in the order of the file.
    pub fn pairs(&self) -> impl Iterator<Item = &Pair> + Clone {
        let (first, then) =
            if self.test_first { (&self.test, &self.train) } else { (&self.train, &self.test) };
        first.iter().chain(then)
    }
}

/// `{"train": [{"input": …, "output": …}, …], "test": […]}`, in the order of the file.
impl Serialize for Task {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        let mut parts = [("train", &self.train), ("test", &self.test)];
        if self.test_first {
            parts.reverse();
        }
        for (name, pairs) in parts {
            map.serialize_entry(name, pairs)?;
        }
        map.end()
    }
}

/// What a file says of a task; a test pair may be without an output.
#[derive(Debug)]
pub(super) struct Parts {
    pub train: Vec<Pair>,
    pub test: Vec<(Grid, Option<Grid>)>,
    pub test_first: bool,
}

impl<'de> Deserialize<'de> for Parts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TaskParts)
    }
}

struct TaskParts;

impl<'de> Visitor<'de> for TaskParts {
    type Value = Parts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a task: an object with `train` and `test`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parts, A::Error> {
        let (mut train, mut test, mut test_first) = (None, None, false);
        while let Some(key) = map.next_key::<String>()? {
            let part = match key.as_str() {
                "train" => &mut train,
                "test" => &mut test,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let Numbered::<PairParts>(pairs) = map.next_value().map_err(within(&key))?;
            if pairs.is_empty() {
                return Err(A::Error::custom(format_args!("`{key}` has no pairs")));
            }
            if part.replace(pairs).is_some() {
                return Err(A::Error::custom(format_args!("`{key}` stands there twice")));
            }
            if key == "test" {
                test_first = train.is_none();
            }
        }
        let (Some(train), Some(test)) = (train, test) else {
            return Err(A::Error::custom("`train` or `test` is missing"));
        };
        let whole = |(number, PairParts { input, output }): (usize, PairParts)| match output {
            Some(output) => Ok(Pair { input, output }),
            None => Err(A::Error::custom(format_args!("train, pair {}: it has no `output`", number + 1))),
        };
        Ok(Parts {
            train: train.into_iter().enumerate().map(whole).collect::<Result<_, _>>()?,
            test: test.into_iter().map(|pair| (pair.input, pair.output)).collect(),
            test_first,
        })
    }
}

#[derive(serde::Deserialize)]
struct PairParts {
    #[serde(deserialize_with = "input")]
    input: Grid,
    #[serde(default, deserialize_with = "output")]
    output: Option<Grid>,
}

fn input<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Grid, D::Error> {
    Grid::deserialize(deserializer).map_err(within("input"))
}

fn output<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Grid>, D::Error> {
    Grid::deserialize(deserializer).map(Some).map_err(within("output"))
}

/// Adds a place to an error.
fn within<E: serde::de::Error>(place: &str) -> impl FnOnce(E) -> E {
    move |error| E::custom(format_args!("{place}, {error}"))
}

/// A list whose errors say which of its elements they are about, counted from 1.
#[derive(Debug)]
pub(super) struct Numbered<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Numbered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<T> {
            type Value = Numbered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of pairs or grids")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                loop {
                    let place = format!("pair {}", list.len() + 1);
                    match elements.next_element().map_err(within(&place))? {
                        Some(element) => list.push(element),
                        None => return Ok(Numbered(list)),
                    }
                }
            }
        }

        deserializer.deserialize_seq(Elements(PhantomData))
    }
}

/// What belongs to each task of a file, in the order of the file; none stands there twice.
#[derive(Debug)]
pub(super) struct ByTask<T>(pub Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ByTask<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tasks<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Tasks<T> {
            type Value = ByTask<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a task under each name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut tasks, mut names) = (Vec::new(), HashSet::new());
                while let Some(id) = map.next_key::<String>()? {
                    if !is_name(&id) {
                        let problem = "is no name of a task: letters, digits, `_` and `-`, at most 64";
                        return Err(A::Error::custom(format_args!("{:?} {problem}", shortened(&id))));
                    }
                    if !names.insert(id.clone()) {
                        return Err(A::Error::custom(format_args!("the task {id} stands there twice")));
                    }
                    let task = map.next_value().map_err(within(&format!("task {id}")))?;
                    tasks.push((id, task));
                }
                Ok(ByTask(tasks))
            }
        }

        deserializer.deserialize_map(Tasks(PhantomData))
    }
}

/// Names are parts of the names in `identifiers.json`, so only plain ones are taken.
pub(super) fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (1..=64).contains(&name.len()) && name.chars().all(plain)
}

fn shortened(text: &str) -> String {
    text.chars().take(32).collect()
}
