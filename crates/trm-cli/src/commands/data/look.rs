//! `trm data check` and `trm data show`: what is in a data set.

use std::io::Write;

use serde_json::Value;
use trm_data::{Dataset, splits};
use trm_puzzles::Puzzle;

use super::open::{load_split, puzzle_in};
use crate::{
    Result,
    flags::{CheckArgs, ShowArgs},
    render::{self, HEADING},
};

/// One split, looked at by the rules of its puzzle.
struct Looked {
    name: String,
    fingerprint: String,
    summary: String,
    lines: Vec<(&'static str, String)>,
    json: Value,
}

impl Looked {
    fn new(name: String, dataset: &Dataset, puzzle: Option<&dyn Puzzle>) -> Self {
        let fingerprint = dataset.fingerprint();
        let (summary, lines, mut json) = match puzzle.map(|puzzle| puzzle.report(dataset)) {
            Some(report) => (report.summary, report.lines, report.json),
            None => {
                let (rows, cells) = (dataset.len(), dataset.seq_len());
                let summary = format!("{rows} rows of {cells} tokens, which are no puzzle that trm knows");
                (summary, Vec::new(), serde_json::json!({ "rows": rows, "seq_len": cells }))
            }
        };
        json["fingerprint"] = fingerprint.as_str().into();
        json["puzzle"] = puzzle.map(Puzzle::name).into();
        Self { name, fingerprint, summary, lines, json }
    }
}

pub fn check(args: &CheckArgs) -> Result<()> {
    let mut looked = Vec::new();
    for (name, path) in splits(&args.data)? {
        let dataset = load_split(&path, &name)?;
        let puzzle = puzzle_in(&path, &name, &dataset, args.puzzle)?;
        looked.push(Looked::new(name, &dataset, puzzle));
    }
    let mut out = anstream::stdout();
    if args.json {
        let reports: serde_json::Map<_, _> =
            looked.into_iter().map(|looked| (looked.name, looked.json)).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&reports)?)?;
        return Ok(());
    }
    for Looked { name, fingerprint, summary, lines, .. } in &looked {
        writeln!(out, "{HEADING}{name}{HEADING:#}  {summary}")?;
        for (name, value) in lines {
            writeln!(out, "  {name:<15} {value}")?;
        }
        writeln!(out, "  fingerprint     {fingerprint}\n")?;
    }
    Ok(())
}

pub fn show(args: &ShowArgs) -> Result<()> {
    let dataset = load_split(&args.data, &args.split)?;
    let Some(puzzle) = puzzle_in(&args.data, &args.split, &dataset, args.puzzle)? else {
        let cells = dataset.seq_len();
        return Err(format!(
            "{}: rows of {cells} tokens are no puzzle that trm can show",
            args.data.display()
        )
        .into());
    };
    let index = args.index;
    if index >= dataset.len() {
        let (noun, rows) = (puzzle.noun(), dataset.len());
        return Err(format!("there is no {noun} {index}; the split has {rows}, counted from 0").into());
    }
    let (question, label) = (dataset.input(index), dataset.label(index));
    let described = puzzle.describe(question, label).map_err(|error| format!("row {index}: {error}"))?;
    let board = puzzle.board(dataset.seq_len(), dataset.metadata.vocab_size);
    let board = board.ok_or("the puzzle has no such board")?;
    let mut out = anstream::stdout();
    for tokens in [question, label] {
        writeln!(out, "{}\n", render::board(puzzle, &board, question, tokens, None))?;
    }
    Ok(writeln!(out, "{described}")?)
}
