//! Which puzzle a data set holds, and what every puzzle of the list must bring.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use trm_data::{Dataset, SplitRequest, kind, split_dir};
use trm_puzzles::{BuildRequest, DrawRequest, Error, PUZZLES, Puzzle, named, names, puzzle_of};

use crate::unwatched;

/// Tokens of zeros: only sizes matter.
fn dataset(cells: usize, vocab_size: usize) -> Dataset {
    Dataset::of_rows(vocab_size, cells, vec![1; cells], vec![1; cells])
}

fn told(folder: &Path, cells: usize, vocab_size: usize, asked: Option<&str>) -> Result<&'static str, Error> {
    let asked = asked.map(|name| named(name).expect("a puzzle"));
    puzzle_of(folder, &dataset(cells, vocab_size).metadata, asked).map(Puzzle::name)
}

/// The kind is what is written, else what is asked for, else the only one that fits; contradictions and doubt are named with
/// a remedy.
#[test]
fn kinds_are_written_told_or_asked_for() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path();
    let said = |cells, vocab_size, asked| {
        let error = told(path, cells, vocab_size, asked).expect_err("refused").to_string();
        assert!(error.starts_with(&path.display().to_string()), "{error}");
        error
    };
    for (cells, vocab_size, name) in
        [(81, 11, "sudoku"), (36, 8, "sudoku"), (36, 6, "maze"), (900, 6, "maze"), (900, 12, "arc")]
    {
        assert_eq!(told(path, cells, vocab_size, None).expect("told"), name);
    }
    assert!(said(16, 6, None).contains("may be maze or sudoku; say which with --puzzle NAME"));
    assert_eq!(told(path, 16, 6, Some("sudoku")).expect("asked for"), "sudoku");
    assert!(said(900, 13, None).contains("no puzzle here has boards of 900 cells with 13 tokens"));
    assert!(said(81, 11, Some("maze")).contains("maze has no boards of 81 cells with 11 tokens"));

    kind::write(path, "sudoku").expect("written");
    assert_eq!(told(path, 16, 6, None).expect("written"), "sudoku");
    assert!(said(16, 6, Some("maze")).contains("holds the puzzle sudoku, not maze"));
    assert!(said(900, 6, None).contains("sudoku has no boards of 900 cells"));
    kind::write(path, "chess").expect("written");
    assert!(said(16, 6, None).contains("there is no puzzle \"chess\"; the puzzles are maze, sudoku, arc"));
    // Another data set in its place is not taken for the old kind.
    dataset(36, 6).save(path).expect("saved");
    assert_eq!(told(path, 36, 6, None).expect("told"), "maze");
}

/// Every puzzle has a name and boards of its own, and its data sets say what they hold, built or drawn. ARC has neither a solver
/// nor a generator, and says so.
#[test]
fn every_puzzle_of_the_list_is_whole() {
    assert_eq!(names().into_iter().collect::<HashSet<_>>().len(), PUZZLES.len());
    let subsets = ["training", "evaluation"].map(str::to_owned);
    for (puzzle, golden) in PUZZLES.into_iter().zip(["builder", "sudoku-builder", "arc-builder/input"]) {
        let folder = tempfile::tempdir().expect("folder");
        let [built, drawn] = ["built", "drawn"].map(|name| folder.path().join(name));
        let source = trm_testing::golden(golden);
        let is_arc = puzzle.name() == "arc";
        let request = BuildRequest::new(&source, &built);
        let of_arc = BuildRequest { subsets: &subsets, test_subset: Some("evaluation"), ..request };
        puzzle.build(if is_arc { &of_arc } else { &request }, &mut unwatched()).expect("built");
        let splits = [SplitRequest { name: "train".to_owned(), count: 5 }];
        let min_path = (puzzle.name() == "maze").then_some(4);
        let request = DrawRequest { min_path, ..DrawRequest::new(6, &splits, &drawn) };
        let mut made = vec![(&built, "train", 12), (&built, "test", 4)];
        match puzzle.draw(&request, &mut unwatched()) {
            Ok(_) => made.push((&drawn, "train", 5)),
            Err(error) => assert!(is_arc && error.to_string().contains("no program makes new tasks")),
        }
        for (folder, split, rows) in made {
            let dir = split_dir(folder, split).expect("a split");
            assert_eq!(split_dir(&dir, split).expect("a split"), dir);
            let dataset = Dataset::load(&dir).expect("a split");
            assert!(dataset.len() >= rows);
            assert_eq!(kind::read(&dir).expect("read").as_deref(), Some(puzzle.name()));
            assert_eq!(puzzle_of(&dir, &dataset.metadata, None).expect("told").name(), puzzle.name());
            let board = puzzle.board(dataset.seq_len(), dataset.metadata.vocab_size).expect("a board");
            assert_eq!((board.cells(), board.vocab_size()), (dataset.seq_len(), dataset.metadata.vocab_size));
            let (question, label) = (dataset.input(0), dataset.label(0));
            puzzle.check(question).expect("well formed");
            match puzzle.solve(question) {
                Ok(solved) => assert_eq!(solved, label),
                Err(error) => assert!(is_arc && error.to_string().contains("no program solves it")),
            }
            assert!(puzzle.grade(question, label).iter().all(|holds| *holds));
            assert!(!puzzle.grade(question, question).iter().any(|holds| *holds));
            assert_eq!(puzzle.read(&board.text(question)).expect("printed").1, question);
            assert!(!puzzle.describe(question, label).expect("a sentence").contains("not"));
            let report = puzzle.report(&dataset);
            assert_eq!(report.json["rows"].as_u64(), Some(dataset.len() as u64));
            assert!(report.summary.contains(puzzle.plural()) && !report.lines.is_empty());
        }
        assert!(fs::read_to_string(built.join("identifiers.json")).expect("read").contains("<blank>"));
    }
}

/// A puzzle refuses the settings of another, and asks for those it needs.
#[test]
fn settings_of_other_puzzles_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let [maze, sudoku, arc] = ["maze", "sudoku", "arc"].map(|name| named(name).expect("it is there"));
    let splits = [SplitRequest { name: "train".to_owned(), count: 1 }];
    let draw = DrawRequest::new(9, &splits, folder.path());
    let build = BuildRequest::new(folder.path(), folder.path());
    let drawn = |puzzle: &dyn Puzzle, request: DrawRequest<'_>| {
        puzzle.draw(&request, &mut unwatched()).expect_err("refused").to_string()
    };
    let built = |puzzle: &dyn Puzzle, request: BuildRequest<'_>| {
        puzzle.build(&request, &mut unwatched()).expect_err("refused").to_string()
    };
    assert!(drawn(maze, draw).contains("maze needs --min-path"));
    assert!(drawn(maze, DrawRequest { givens: Some(30), ..draw }).contains("maze has no --givens"));
    assert!(drawn(sudoku, DrawRequest { min_path: Some(3), ..draw }).contains("sudoku has no --min-path"));
    assert!(
        drawn(sudoku, DrawRequest { side: 5, ..draw }).contains("side = 5 cannot be used; choose 4, 6 or 9")
    );
    assert!(
        built(maze, BuildRequest { min_difficulty: Some(3), ..build })
            .contains("maze has no --min-difficulty")
    );
    assert!(built(maze, BuildRequest { augment: Some("5"), ..build }).contains("augment = 5 cannot be used"));
    assert!(built(sudoku, BuildRequest { augment: Some("relabel"), ..build }).contains("augment = relabel"));
    let subsets = ["arc-1".to_owned()];
    for puzzle in [maze, sudoku] {
        let with_subsets = BuildRequest { subsets: &subsets, ..build };
        assert!(built(puzzle, with_subsets).contains(&format!("{} has no --subsets", puzzle.name())));
        assert!(built(puzzle, BuildRequest { test_subset: Some("x"), ..build }).contains("no --test-subset"));
    }
    assert!(built(arc, BuildRequest { subsample: Some(3), ..build }).contains("arc has no --subsample"));
    assert!(built(arc, BuildRequest { augment: Some("none"), ..build }).contains("augment = none"));
    assert!(built(arc, build).contains("arc-agi_training_challenges.json"));
    assert!(fs::read_dir(folder.path()).expect("listed").next().is_none(), "nothing is written");
}
