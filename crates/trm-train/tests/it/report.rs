//! The report of a run, whatever is there of it.

use std::{fs, path::Path};

use crate::made_up::{answered, records};
use trm_train::{Event, EventSink, JsonLines, Record, Sample, Samples, report};

const RECIPE: &str = "name = \"a <b>bold</b> & \\\"quoted\\\" run\"\n\n[training]\nsteps = 40000\n# <script>alert(1)</script>\n";

fn write(dir: &Path, records: &[Record]) {
    let mut sink = JsonLines::open(&dir.join("metrics.jsonl"), 0).expect("it opens");
    for record in records {
        sink.event(&Event::Record(record.clone())).expect("it is written");
    }
}

/// Everything there can be, long: one page below a megabyte that needs nothing else, with all text escaped.
#[test]
fn a_whole_run_is_one_page() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("recipe.toml"), RECIPE).expect("written");
    write(folder.path(), &records(40_000, 40_000, 2000, true));
    let (dataset, outcomes) = answered(30, 108, 12);
    let maze = trm_puzzles::named("maze").ok();
    let samples = Samples::choose(40_000, maze, &dataset, &outcomes, 4);
    samples.save(&folder.path().join("samples.json")).expect("written");

    let page = report(folder.path()).expect("a report");
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    for outside in ["http:", "https:", "src=", "href=", "url(", "@import", "<b>bold", "<script>alert"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("<h1>a &lt;b&gt;bold&lt;/b&gt; &amp; &quot;quoted&quot; run</h1>"));
    assert!(page.contains("40,000 of 40,000 steps in 6h 40m"));
    assert_eq!(page.matches("<figure class=\"chart\">").count(), 8);
    assert_eq!(page.matches("<figure class=\"maze\">").count(), 7);
    assert_eq!(page.matches("role=\"img\" aria-label=").count(), 15);
    assert_eq!(page.matches("<tr class=\"best\">").count(), 1);
    assert_eq!(page.matches("<th scope=\"row\">").count(), 20);
    // Opened and closed alike.
    for tag in ["svg", "figure", "section", "div", "table", "dl", "ul", "p", "main"] {
        let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

/// Before the first step, before the first evaluation, in the middle of a line, and with puzzles that are no mazes.
#[test]
fn an_unfinished_run_has_a_report_too() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("recipe.toml"), RECIPE).expect("written");
    assert!(report(folder.path()).expect("a report").contains("0 of 40,000 steps"));

    for steps in [1, 2, 300] {
        write(folder.path(), &records(steps, 40_000, 0, true));
        let page = report(folder.path()).expect("a report");
        assert!(page.contains("There was no evaluation yet.") && page.contains("nothing yet"));
        assert!(!page.contains("NaN") && !page.contains("inf"), "{page}");
    }
    let metrics = folder.path().join("metrics.jsonl");
    let mut torn = fs::read(&metrics).expect("bytes");
    torn.truncate(torn.len() - 20);
    fs::write(&metrics, torn).expect("written");
    assert!(report(folder.path()).expect("a report").contains("299 of 40,000 steps"));

    // Sudoku: no paths, and samples that cannot be drawn. There need not be a recipe.
    fs::remove_file(folder.path().join("recipe.toml")).expect("removed");
    fs::remove_file(&metrics).expect("removed");
    write(folder.path(), &records(300, 300, 100, false));
    let sudoku = Sample {
        row: 0,
        input: vec![1; 81],
        label: vec![2; 81],
        answer: vec![2; 81],
        steps: 2,
        q_halt: 1.0,
        exact: true,
        valid: None,
        optimal: None,
    };
    let samples = Samples { step: 300, samples: vec![sudoku], ..Samples::default() };
    samples.save(&folder.path().join("samples.json")).expect("written");
    let page = report(folder.path()).expect("a report");
    assert!(
        !page.contains("Sample mazes")
            && !page.contains("<dt>Shortest path</dt>")
            && page.contains("puzzles/s")
    );
    let name = folder.path().file_name().expect("a name").to_string_lossy().into_owned();
    assert!(page.contains(&format!("<h1>{name}</h1>")));
}

/// A folder without a run, and damaged files, are errors that name them.
#[test]
fn what_is_no_run_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let message = |dir: &Path| report(dir).expect_err("no report").to_string();
    assert!(message(folder.path()).contains("holds no run"));
    fs::write(folder.path().join("metrics.jsonl"), "{}\n").expect("written");
    assert!(message(folder.path()).contains("metrics.jsonl: line 1: "));
    fs::write(folder.path().join("metrics.jsonl"), "").expect("written");
    fs::write(folder.path().join("samples.json"), "[").expect("written");
    assert!(message(folder.path()).contains("samples.json"));
}

/// The first exact answers, then the first others; what they hold survives the file.
#[test]
fn samples_are_some_of_each_kind() {
    let (dataset, mut outcomes) = answered(10, 12, 12);
    outcomes[0].labelled = 0;
    let maze = trm_puzzles::named("maze").ok();
    let samples = Samples::choose(7, maze, &dataset, &outcomes, 2);
    let rows: Vec<usize> = samples.samples.iter().map(|sample| sample.row).collect();
    assert_eq!(rows, [4, 8, 1, 2]);
    assert!(samples.samples.iter().all(|sample| sample.exact == (sample.row % 4 == 0)));
    let first = &samples.samples[0];
    assert_eq!((first.input.len(), first.valid, first.optimal), (100, Some(true), Some(true)));
    assert_eq!((&first.answer, first.label.as_slice()), (&first.label, dataset.label(4)));
    assert_eq!(samples.samples[2].valid, Some(false));

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("samples.json");
    samples.save(&path).expect("written");
    assert_eq!(Samples::load(&path).expect("read"), samples);
    assert_eq!(Samples::choose(0, maze, &dataset, &[], 2).samples, []);
}
