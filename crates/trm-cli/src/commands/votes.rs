//! `trm eval --from`: the votes of saved answers on the tasks of ARC, without a model.

use std::io::Write;

use serde_json::json;
use trm_eval::SavedAnswers;
use trm_puzzles::arc::{PASSES, Votes};
use trm_train::figures::percent;

use crate::{Result, flags::EvalArgs, render::HEADING};

pub fn run(args: &EvalArgs) -> Result<()> {
    let mut votes = Votes::open(&args.data)?;
    let mut rows = 0;
    for path in &args.from {
        for answer in SavedAnswers::open(path)? {
            let answer = answer?;
            votes
                .add(answer.identifier, &answer.input, &answer.answer, answer.q_halt)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            rows += 1;
        }
    }
    if let Some(path) = &args.submission {
        votes.save_submission(path)?;
    }
    let tasks = votes.tasks().len();
    let passes = PASSES.into_iter().zip(votes.passes()).map(|(most, share)| (format!("pass@{most}"), share));
    let mut out = anstream::stdout();
    if args.json {
        let passes: serde_json::Map<_, _> = passes.map(|(name, share)| (name, share.into())).collect();
        let mut report = json!({ "tasks": tasks, "answers": rows });
        report["passes"] = passes.into();
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?);
    }
    writeln!(out, "{HEADING}{tasks} ARC tasks{HEADING:#}, {rows} answers")?;
    for (name, share) in passes {
        writeln!(out, "  {name:<16} {}", percent(share, 2))?;
    }
    Ok(())
}
