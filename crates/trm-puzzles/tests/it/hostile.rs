//! Damaged and hostile files of Sudokus end in one sentence with the file, the line and a remedy.

use std::fs;

use trm_data::Dataset;
use trm_puzzles::sudoku::{self, BuildOptions, ExcludeSet};

use crate::unwatched;

const QUESTION: &str = "1..4..12.1..4...";
const ANSWER: &str = "1234341221434321";

/// Every kind of damage is said, with its line; nothing is written.
#[test]
fn broken_csv_files_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let [source, output] = ["source", "output"].map(|name| folder.path().join(name));
    fs::create_dir_all(&source).expect("made");
    let good = format!("source,question,answer,rating\nx,{QUESTION},{ANSWER},7\n");
    fs::write(source.join("train.csv"), &good).expect("written");
    let fails = |content: &[u8], min_difficulty| {
        fs::write(source.join("test.csv"), content).expect("written");
        let options = BuildOptions { min_difficulty, ..BuildOptions::default() };
        let error = sudoku::build(&source, &output, &options, &mut unwatched()).expect_err("refused");
        let text = error.to_string();
        assert!(text.contains(&source.join("test.csv").display().to_string()), "{text}");
        assert!(!output.exists() && !text.contains('\n'));
        text
    };
    let with = |line: &str| fails(format!("{good}{line}\n").as_bytes(), None);
    assert!(with("x,1..4,1234,7").contains("line 3: 4 cells are no Sudoku; give 16, 36 or 81"));
    assert!(with(&format!("x,{},{ANSWER},7", QUESTION.replace('4', "5"))).contains("row 1, column 4: '5'"));
    assert!(
        with(&format!("x,{},{ANSWER},7", QUESTION.replacen('.', "1", 1)))
            .contains("the digit 1 stands in row 1")
    );
    assert!(
        with(&format!("x,{QUESTION},{},7", ANSWER.replacen('2', "3", 1))).contains("a digit comes twice")
    );
    assert!(with(&format!("x,{QUESTION},{QUESTION},7")).contains("it has empty cells"));
    assert!(with(&format!("x,{QUESTION},2143342112344312,7")).contains("it changes a given"));
    assert!(with(&format!("x,{},{},7", ".".repeat(81), ".".repeat(81))).contains("this board has 81 cells"));
    assert!(with(&format!("x,{QUESTION}")).contains("not a usable CSV file"));
    assert!(fails(b"", None).contains("names no column `question`"));
    assert!(fails(b"question,answer,rating\n", None).contains("it has no boards; is it the right file?"));
    assert!(fails(b"question,answer\n\xff,\xfe\n", None).contains("no UTF-8"));
    assert!(fails(b"\xff\xfeq\0", None).contains("UTF-16"));
    assert!(fails(b"question,answer\n1,2\n", Some(1)).contains("names no column `rating`"));
    let rated = format!("question,answer,rating\n{QUESTION},{ANSWER},much\n");
    assert!(fails(rated.as_bytes(), Some(1)).contains("line 2: the rating \"much\" is no whole number"));
    fs::write(source.join("train.csv"), good.replace(",7", ",99")).expect("written");
    assert!(fails(good.as_bytes(), Some(50)).contains("lower --min-difficulty"));
    fs::remove_file(source.join("test.csv")).expect("removed");
    let error =
        sudoku::build(&source, &output, &BuildOptions::default(), &mut unwatched()).expect_err("missing");
    assert!(error.to_string().starts_with("cannot read"), "{error}");
}

/// Rows that are no Sudokus are counted and the first is described; as boards to exclude they are refused by their row.
#[test]
fn damaged_rows_are_counted() {
    let token = |sign| if sign == b'.' { 1 } else { sign - b'0' + 1 };
    let tokens = |text: &str| -> Vec<u8> { text.bytes().map(token).collect() };
    let mut inputs: Vec<u8> = (0..4).flat_map(|_| tokens(QUESTION)).collect();
    let mut labels: Vec<u8> = (0..4).flat_map(|_| tokens(ANSWER)).collect();
    // The second has padding in it, the third a wrong label, the last several solutions.
    inputs[16 + 5] = 0;
    labels[32] = 3;
    inputs[48..].fill(1);
    let dataset = Dataset::of_rows(6, 16, inputs, labels);
    let figures = sudoku::check(&dataset);
    assert_eq!((figures.rows, figures.sudokus, figures.not_sudokus), (4, 3, 1));
    assert_eq!((figures.unique, figures.valid), (2, 2));
    assert_eq!((figures.duplicates, figures.duplicates_up_to_symmetry), (1, 0));
    let problem = figures.first_problem.expect("a problem");
    assert_eq!(problem, "row 1: row 2, column 2: token 0 is no cell; Sudoku tokens are 1 (empty) to 5 here");
    let error = ExcludeSet::new().insert_all(&dataset).expect_err("no Sudoku");
    assert!(
        error.to_string().starts_with("row 1: row 2, column 2") || error.to_string().starts_with("row 2: ")
    );
    // Boards of another puzzle are no crash.
    let other = Dataset::of_rows(6, 900, vec![2; 900], vec![2; 900]);
    assert_eq!(sudoku::check(&other).not_sudokus, 1);
}
