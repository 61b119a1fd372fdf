//! Draws new mazes, labels them by the benchmark's rule, judges an answer, and saves a data set.
//!
//! `cargo run --example generate_mazes [DIR]`

use std::{env, error::Error, ops::ControlFlow, path::Path};

use trm_data::{Cell, Dataset, ExcludeSet, Generator, GeneratorConfig, SplitRequest, check, generate, judge};

fn main() -> Result<(), Box<dyn Error>> {
    // Mazes of 10x10 cells whose shortest path has at least 12 cells; the seed fixes them.
    let config = GeneratorConfig::new(10, 12, 7);
    for labelled in Generator::new(config)?.next_batch(2) {
        let maze = &labelled.maze;
        println!("{maze}\n\n{}\n", labelled.solution);

        // The label is one of the shortest paths. Another tie-break is as short, but not exact.
        let verdict = judge(maze, &labelled.solution);
        assert!(verdict.valid_path && verdict.optimal && verdict.exact);
        println!("{} path cells, {} walls\n", verdict.path_cells, maze.grid().count(Cell::Wall));
    }

    // A data set on disk, in the layout of the PyTorch reference; no maze is in both splits.
    if let Some(folder) = env::args().nth(1) {
        let splits = [("train", 1000), ("test", 100)]
            .map(|(name, count)| SplitRequest { name: name.to_owned(), count });
        let mut known = ExcludeSet::new();
        let mut go_on = |_| ControlFlow::Continue(());
        generate(&mut Generator::new(config)?, &splits, &mut known, Path::new(&folder), &mut go_on)?;
        let report = check(&Dataset::load(&Path::new(&folder).join("test"))?);
        println!("{folder}: {} of {} test labels follow the rule", report.follow_rule, report.rows);
    }
    Ok(())
}
