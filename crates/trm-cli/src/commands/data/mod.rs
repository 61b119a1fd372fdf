//! `trm data`: data sets built, drawn, relabelled, checked and shown.

use std::{
    io::{Write, stdout},
    ops::ControlFlow,
    path::Path,
};

use trm_data::{
    BuildOptions, BuildRecipe, BuildSummary, Cell, Dataset, ExcludeSet, GenerateRecipe, Generator,
    GeneratorConfig, Progress, Recipe, Report, SplitRequest, Spread, check, metadata_of, splits,
};

use super::{hub::csv_folder, warn};
use crate::{
    Result,
    flags::{BuildArgs, CheckArgs, DataCommand, GenerateArgs, ShowArgs},
    progress,
    render::{self, HEADING},
};

pub fn run(command: DataCommand) -> Result<()> {
    match command {
        DataCommand::Build(args) => build(args),
        DataCommand::Generate(args) => generate(args),
        DataCommand::Check(args) => run_check(&args),
        DataCommand::Show(args) => show(&args),
    }
}

fn build(args: BuildArgs) -> Result<()> {
    let recipe = match &args.recipe {
        None => None,
        Some(path) => match Recipe::load(path)? {
            Recipe::Build(recipe) => Some(recipe),
            Recipe::Generate(_) => {
                return Err(
                    format!("{}: makes new mazes; run `trm data generate` with it", path.display()).into()
                );
            }
        },
    };
    let from_recipe = recipe.as_ref().map(BuildRecipe::options).unwrap_or_default();
    let options = BuildOptions {
        augment: args.augment.unwrap_or(from_recipe.augment),
        subsample: args.subsample.or(from_recipe.subsample),
        seed: args.seed.unwrap_or(from_recipe.seed),
    };
    let source = args.source.or(recipe.map(|recipe| recipe.source));
    let source = source.ok_or("give --source or --recipe")?;
    check_free(&args.output, &["train", "test"], None, args.force)?;
    let folder = csv_folder(&source, &args.hub)?;
    let summary =
        counting("mazes", |on_progress| trm_data::build(&folder, &args.output, &options, on_progress))?;
    report(&summary, &args.output)
}

fn generate(args: GenerateArgs) -> Result<()> {
    let recipe = match &args.recipe {
        None => {
            let count = args.count.ok_or("give --count or --recipe")?;
            GenerateRecipe {
                mazes: GeneratorConfig::new(0, 0, 0),
                splits: vec![SplitRequest { name: args.split, count }],
                exclude: Vec::new(),
            }
        }
        Some(path) => match Recipe::load(path)? {
            Recipe::Generate(recipe) => recipe,
            Recipe::Build(_) => {
                return Err(format!(
                    "{}: builds from published mazes; run `trm data build` with it",
                    path.display()
                )
                .into());
            }
        },
    };
    let config = GeneratorConfig {
        side: args.side.unwrap_or(recipe.mazes.side),
        min_path: args.min_path.unwrap_or(recipe.mazes.min_path),
        seed: args.seed.unwrap_or(recipe.mazes.seed),
        ..recipe.mazes
    };
    let names: Vec<&str> = recipe.splits.iter().map(|split| split.name.as_str()).collect();
    check_free(&args.output, &names, Some(config.side), args.force)?;
    let mut exclude = ExcludeSet::new();
    for folder in &args.exclude {
        for (_, split) in splits(folder)? {
            exclude.insert_all(&Dataset::load(&split)?)?;
        }
    }
    for source in &recipe.exclude {
        let folder = csv_folder(source, &args.hub)?;
        for file in ["train.csv", "test.csv"] {
            for row in trm_data::csv::read(&folder.join(file))? {
                exclude.insert(&row.maze);
            }
        }
    }
    let mut generator = Generator::new(config)?;
    let summary = counting("mazes", |on_progress| {
        trm_data::generate(&mut generator, &recipe.splits, &mut exclude, &args.output, on_progress)
    })?;
    report(&summary, &args.output)
}

/// Runs a task with a progress bar that counts `what`.
fn counting<T>(
    what: &str,
    task: impl FnOnce(&mut dyn FnMut(Progress) -> ControlFlow<()>) -> trm_data::Result<T>,
) -> trm_data::Result<T> {
    let bar = progress::bar(0, what);
    let result = task(&mut |now| {
        bar.set_length(now.total as u64);
        bar.set_position(now.done as u64);
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    result
}

fn report(summary: &BuildSummary, output: &Path) -> Result<()> {
    for split in &summary.splits {
        let path = output.join(&split.name);
        writeln!(stdout(), "{}: {} mazes in {} rows", path.display(), split.groups, split.rows)?;
    }
    Ok(())
}

/// One split of a data set; the folder may be that split itself. Says what of it was passed over.
pub fn load_split(folder: &Path, split: &str) -> Result<Dataset> {
    let dataset = trm_data::load_split(folder, split)?;
    if let Some(warning) = dataset.metadata.warning() {
        warn(&format!("{}: {warning}", folder.display()));
    }
    Ok(dataset)
}

/// Refuses to write over splits of another data set, or beside some of another side, unless that is wanted.
fn check_free(output: &Path, names: &[&str], side: Option<usize>, force: bool) -> Result<()> {
    if force {
        return Ok(());
    }
    let output_name = output.display();
    for (name, path) in splits(output).unwrap_or_default() {
        if names.contains(&name.as_str()) {
            return Err(format!(
                "{output_name}: has a split {name} already; name another folder, or add --force to write over it"
            )
            .into());
        }
        let cells = metadata_of(&path).map_or(0, |metadata| metadata.seq_len);
        if side.is_some_and(|side| cells != side * side) {
            let there = cells.isqrt();
            return Err(format!(
                "{output_name}: its split {name} has mazes of side {there}; name another folder, or add --force"
            )
            .into());
        }
    }
    Ok(())
}

fn run_check(args: &CheckArgs) -> Result<()> {
    let mut reports = Vec::new();
    for (name, path) in splits(&args.data)? {
        let dataset = load_split(&path, &name)?;
        reports.push((name, dataset.fingerprint(), check(&dataset)));
    }
    let mut out = anstream::stdout();
    if args.json {
        let reports: serde_json::Map<_, _> = reports
            .into_iter()
            .map(|(name, fingerprint, report)| {
                let mut value = serde_json::to_value(report)?;
                value["fingerprint"] = fingerprint.into();
                Ok((name, value))
            })
            .collect::<Result<_>>()?;
        writeln!(out, "{}", serde_json::to_string_pretty(&reports)?)?;
        return Ok(());
    }
    for (name, fingerprint, report) in &reports {
        write!(out, "{HEADING}{name}{HEADING:#}  {}", describe(report))?;
        writeln!(out, "  fingerprint     {fingerprint}\n")?;
    }
    Ok(())
}

fn describe(report: &Report) -> String {
    let spread = |spread: &Option<Spread>| {
        spread.as_ref().map_or("none".into(), |s| {
            format!("{} to {}, median {}, mean {:.1}", s.min, s.max, s.median, s.mean)
        })
    };
    let of_mazes = |count: usize| {
        let share = 100.0 * count as f64 / report.mazes.max(1) as f64;
        format!("{count} of {} ({share:.1} %)", report.mazes)
    };
    let side = report.side.map_or("not square".into(), |side| format!("{side}x{side}"));
    let mut text = format!("{} rows, {side}, {} mazes\n", report.rows, report.mazes);
    let mut line = |name: &str, value: String| text.push_str(&format!("  {name:<15} {value}\n"));
    line("walls", spread(&report.walls));
    line("path cells", spread(&report.path_cells));
    line("follow the rule", of_mazes(report.follow_rule));
    line("valid paths", of_mazes(report.valid));
    line("shortest paths", of_mazes(report.optimal));
    line("duplicates", format!("{}, {} up to symmetry", report.duplicates, report.duplicates_up_to_symmetry));
    if let Some(problem) = &report.first_problem {
        line("not mazes", format!("{}; the first: {problem}", report.not_mazes));
    }
    text
}

fn show(args: &ShowArgs) -> Result<()> {
    let dataset = load_split(&args.data, &args.split)?;
    if args.index >= dataset.len() {
        let rows = dataset.len();
        return Err(format!("there is no maze {}; the split has {rows}, counted from 0", args.index).into());
    }
    let maze = dataset.maze(args.index)?;
    let label = dataset.solution(args.index)?;
    let rule = if maze.solve().as_ref() == Some(&label) { "follows" } else { "does not follow" };
    let mut out = anstream::stdout();
    writeln!(out, "{}\n{}", render::grid(maze.grid(), None), render::grid(&label, None))?;
    writeln!(out, "{} path cells; the label {rule} the rule", label.count(Cell::Path))?;
    Ok(())
}
