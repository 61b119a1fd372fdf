//! `trm data build` and `trm data generate`: data sets from published files, and fresh ones.

use std::{
    io::{Write, stdout},
    ops::ControlFlow,
    path::Path,
};

use trm_data::{
    BuildRecipe, BuildSummary, DatasetRecipe, GenerateRecipe, Origin, Progress, SplitRequest, metadata_of,
    splits,
};
use trm_puzzles::{BuildRequest, DrawRequest, Puzzle, maze::Mazes, puzzle_of};

use crate::{
    Result,
    commands::hub::csv_folder,
    flags::{BuildArgs, GenerateArgs},
    progress,
};

pub fn build(args: BuildArgs) -> Result<()> {
    let puzzle = args.puzzle.unwrap_or(&Mazes);
    let recipe = args.recipe.as_deref().map(|path| recipe_of(path, of_build)).transpose()?;
    let from_recipe = recipe.as_ref().map(BuildRecipe::options).unwrap_or_default();
    let augment = args.augment.as_deref().or(recipe.as_ref().map(|recipe| recipe.augment.name()));
    let source = args.source.or(recipe.as_ref().map(|recipe| recipe.source.clone()));
    let source = source.ok_or_else(|| match puzzle.hub_data() {
        Some(id) => format!("give --source, a folder or {id} on the Hub; or --recipe"),
        None => "give --source, the folder with the published files".to_owned(),
    })?;
    if let (None, Origin::Hub(id)) = (puzzle.hub_data(), &source)
        && !Path::new(id).is_dir()
    {
        let plural = puzzle.plural();
        return Err(format!("{id}: no such folder; name the one with the published files of {plural}").into());
    }
    check_free(&args.output, &["train", "test"], puzzle, None, args.force)?;
    let folder = csv_folder(&source, &args.hub)?;
    let request = BuildRequest {
        augment,
        subsample: args.subsample.or(from_recipe.subsample),
        min_difficulty: args.min_difficulty,
        subsets: &args.subsets,
        test_subset: args.test_subset.as_deref(),
        seed: args.seed.unwrap_or(from_recipe.seed),
        reference_types: args.reference_types,
        ..BuildRequest::new(&folder, &args.output)
    };
    let summary = counting(puzzle, |on_progress| puzzle.build(&request, on_progress))?;
    report(puzzle, &summary, &args.output)
}

pub fn generate(args: GenerateArgs) -> Result<()> {
    let puzzle = args.puzzle.unwrap_or(&Mazes);
    let recipe = args.recipe.as_deref().map(|path| recipe_of(path, of_generate)).transpose()?;
    let (mazes, splits, exclude) = match recipe {
        Some(recipe) => (Some(recipe.mazes), recipe.splits, recipe.exclude),
        None => {
            let count = args.count.ok_or("give --count or --recipe")?;
            (None, vec![SplitRequest { name: args.split, count }], Vec::new())
        }
    };
    let side = args.side.or(mazes.map(|mazes| mazes.side)).ok_or("give --side or --recipe")?;
    let names: Vec<&str> = splits.iter().map(|split| split.name.as_str()).collect();
    check_free(&args.output, &names, puzzle, Some(side), args.force)?;
    let published = exclude.iter().map(|source| csv_folder(source, &args.hub)).collect::<Result<Vec<_>>>()?;
    let request = DrawRequest {
        seed: args.seed.or(mazes.map(|mazes| mazes.seed)).unwrap_or(0),
        min_path: args.min_path.or(mazes.map(|mazes| mazes.min_path)),
        densities: mazes.map(|mazes| [mazes.min_density, mazes.max_density]),
        givens: args.givens,
        augment: args.augment,
        exclude: &args.exclude,
        exclude_published: &published,
        ..DrawRequest::new(side, &splits, &args.output)
    };
    let summary = counting(puzzle, |on_progress| puzzle.draw(&request, on_progress))?;
    report(puzzle, &summary, &args.output)
}

/// What a recipe says to a command; `pick` says with what else to use it, where it is for another.
fn recipe_of<T>(path: &Path, pick: impl FnOnce(DatasetRecipe) -> Result<T, &'static str>) -> Result<T> {
    pick(DatasetRecipe::load(path)?).map_err(|remedy| format!("{}: {remedy}", path.display()).into())
}

fn of_build(recipe: DatasetRecipe) -> Result<BuildRecipe, &'static str> {
    match recipe {
        DatasetRecipe::Build(recipe) => Ok(recipe),
        DatasetRecipe::Generate(_) => Err("makes new mazes; run `trm data generate` with it"),
    }
}

fn of_generate(recipe: DatasetRecipe) -> Result<GenerateRecipe, &'static str> {
    match recipe {
        DatasetRecipe::Generate(recipe) => Ok(recipe),
        DatasetRecipe::Build(_) => Err("builds from published mazes; run `trm data build` with it"),
    }
}

/// Runs a task with a progress bar that counts puzzles.
fn counting<T>(
    puzzle: &dyn Puzzle,
    task: impl FnOnce(&mut dyn FnMut(Progress) -> ControlFlow<()>) -> trm_puzzles::Result<T>,
) -> trm_puzzles::Result<T> {
    let bar = progress::bar(0, puzzle.plural());
    let result = task(&mut |now| {
        bar.set_length(now.total as u64);
        bar.set_position(now.done as u64);
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    result
}

fn report(puzzle: &dyn Puzzle, summary: &BuildSummary, output: &Path) -> Result<()> {
    for split in &summary.splits {
        let (path, noun) = (output.join(&split.name), puzzle.plural());
        writeln!(stdout(), "{}: {} {noun} in {} rows", path.display(), split.groups, split.rows)?;
    }
    Ok(())
}

/// Refuses to write over splits of another data set, or beside some of another puzzle or side, unless that is wanted.
fn check_free(
    output: &Path,
    names: &[&str],
    puzzle: &dyn Puzzle,
    side: Option<usize>,
    force: bool,
) -> Result<()> {
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
        let metadata = metadata_of(&path).ok();
        // Whose boards may be of several puzzles is taken for the one that is wanted.
        let there = metadata.as_ref().and_then(|metadata| puzzle_of(&path, metadata, None).ok());
        if let Some(there) = there.filter(|there| there.name() != puzzle.name()) {
            let there = there.plural();
            return Err(format!(
                "{output_name}: its split {name} holds {there}; name another folder, or add --force"
            )
            .into());
        }
        let cells = metadata.map_or(0, |metadata| metadata.seq_len);
        if side.is_some_and(|side| cells != side.saturating_mul(side)) {
            let (there, noun) = (cells.isqrt(), puzzle.plural());
            return Err(format!(
                "{output_name}: its split {name} has {noun} of side {there}; name another folder, or add --force"
            )
            .into());
        }
    }
    Ok(())
}
