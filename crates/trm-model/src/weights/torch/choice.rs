//! The one dictionary of a checkpoint that holds a network's weights.

use std::rc::Rc;

use super::{
    super::names::{is_network, strip},
    unpickle::{TensorRef, Value},
};

/// The tensors of the dictionary, and the names of what was passed over.
pub(super) struct Chosen {
    pub tensors: Vec<(Rc<str>, Rc<TensorRef>)>,
    pub passed_over: Vec<String>,
}

/// More dictionaries of tensors than this are not told apart.
const MAX_DICTIONARIES: usize = 1000;
/// Names of what was passed over that are told.
const MAX_TOLD: usize = 10;

/// A dictionary with tensors, and its keys from the outermost on: `model`, or `trainer.ema`.
struct Candidate<'a> {
    key: String,
    entries: &'a [(Rc<str>, Value)],
}

impl Candidate<'_> {
    fn floats(&self) -> impl Iterator<Item = (&Rc<str>, &Rc<TensorRef>)> {
        self.entries.iter().filter_map(|(name, value)| match value {
            Value::Tensor(tensor) if is_float(tensor) => Some((name, tensor)),
            _ => None,
        })
    }

    fn is_network(&self) -> bool {
        is_network(self.floats().map(|(name, _)| strip(name)))
    }
}

fn is_float(tensor: &TensorRef) -> bool {
    ["FloatStorage", "DoubleStorage", "HalfStorage", "BFloat16Storage"].contains(&tensor.storage.kind)
}

/// Finds the dictionary: the one with the key `chosen`; else the only one whose names are those of a network; else the only
/// one with tensors at all.
pub(super) fn choose(value: &Value, chosen: Option<&str>) -> Result<Chosen, String> {
    let outermost = match value {
        Value::Dict(entries) => entries,
        Value::Foreign(what) => return Err(format!("it holds {what}, instead of a state dictionary")),
        _ => {
            return Err(
                "it holds a whole object instead of a state dictionary; save model.state_dict()".into()
            );
        }
    };
    let mut all = Vec::new();
    find("", outermost, &mut all);
    let of_floats: Vec<&Candidate<'_>> =
        all.iter().filter(|candidate| candidate.floats().next().is_some()).collect();
    let networks: Vec<&Candidate<'_>> =
        of_floats.iter().copied().filter(|candidate| candidate.is_network()).collect();
    let keys = |candidates: &[&Candidate<'_>]| {
        let keys = candidates.iter().take(MAX_TOLD).map(|candidate| format!("`{}`", candidate.key));
        keys.collect::<Vec<_>>().join(", ")
    };
    let found = match (chosen, networks[..].as_ref(), of_floats[..].as_ref()) {
        (Some(key), _, among) => among.iter().find(|candidate| candidate.key == key).ok_or_else(|| {
            format!("it has no dictionary of tensors with the key `{key}`; there are {}", keys(among))
        })?,
        (None, [only], _) | (None, [], [only]) => only,
        (None, [], []) => return Err(no_floats(&all)),
        (None, [], among) => {
            let keys = keys(among);
            return Err(format!(
                "it holds several dictionaries of tensors, {keys}, none with names of such a network, as lm_head.weight; choose one by its key (--state)"
            ));
        }
        (None, among, _) => {
            let keys = keys(among);
            return Err(format!(
                "it holds the weights of several networks, {keys}; choose one by its key (--state)"
            ));
        }
    };
    let tensors = found.floats().map(|(name, tensor)| (name.clone(), tensor.clone())).collect();
    Ok(Chosen { tensors, passed_over: passed_over(outermost, found) })
}

/// Gathers the dictionaries that hold tensors, outer ones first. They nest no deeper than the interpreter lets them.
fn find<'a>(key: &str, entries: &'a [(Rc<str>, Value)], all: &mut Vec<Candidate<'a>>) {
    if all.len() >= MAX_DICTIONARIES {
        return;
    }
    if entries.iter().any(|(_, value)| matches!(value, Value::Tensor(_))) {
        all.push(Candidate { key: key.to_owned(), entries });
    }
    for (name, value) in entries {
        if let Value::Dict(inner) = value {
            let key = if key.is_empty() { name.to_string() } else { format!("{key}.{name}") };
            find(&key, inner, all);
        }
    }
}

/// Why there are no weights.
fn no_floats(all: &[Candidate<'_>]) -> String {
    let tensor = all.iter().flat_map(|candidate| candidate.entries).find_map(|(name, value)| match value {
        Value::Tensor(tensor) => Some((name, tensor.storage.kind)),
        _ => None,
    });
    match tensor {
        Some((name, kind)) => {
            format!("the tensor `{name}`: it is stored as {kind}, and weights are floats")
        }
        None => "it holds no state dictionary".into(),
    }
}

/// What stands beside the weights, and beside their dictionary.
fn passed_over(outermost: &[(Rc<str>, Value)], found: &Candidate<'_>) -> Vec<String> {
    let beside = outermost.iter().filter(|(name, value)| {
        let leads_there = found.key == **name || found.key.starts_with(&format!("{name}."));
        !found.key.is_empty() && !leads_there && !matches!(value, Value::None)
    });
    let within =
        found.entries.iter().filter(|(_, value)| !matches!(value, Value::Tensor(tensor) if is_float(tensor)));
    let names: Vec<String> = within.chain(beside).map(|(name, _)| name.to_string()).collect();
    let more = names.len().saturating_sub(MAX_TOLD);
    let told = names.into_iter().take(MAX_TOLD);
    if more > 0 { told.chain([format!("{more} more")]).collect() } else { told.collect() }
}
