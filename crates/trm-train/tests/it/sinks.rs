//! The file of records: whole lines, and after a kill the same file as without one.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use crate::made_up::records;
use tempfile::TempDir;
use trm_train::{Event, EventSink, JsonLines, Record};

fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run/metrics.jsonl");
    (folder, path)
}

fn write(path: &Path, step: u64, records: &[Record]) {
    let mut sink = JsonLines::open(path, step).expect("it opens");
    for record in records {
        sink.event(&Event::Record(record.clone())).expect("it is written");
    }
}

/// What goes in comes out, a line each; other events leave no line.
#[test]
fn records_are_lines() {
    let (_folder, path) = file();
    let records = records(20, 20, 10, true);
    let mut sink = JsonLines::open(&path, 0).expect("it opens");
    sink.event(&Event::Started { step: 0, total_steps: 20 }).expect("fine");
    for record in &records {
        sink.event(&Event::Record(record.clone())).expect("it is written");
    }
    sink.event(&Event::Saved { step: 20, path: path.clone() }).expect("fine");
    sink.event(&Event::Warning("warm".to_owned())).expect("fine");
    assert_eq!(JsonLines::read(&path).expect("it reads"), records);
    let text = fs::read_to_string(&path).expect("text");
    assert_eq!((text.lines().count(), text.ends_with('\n')), (22, true));
    assert!(text.starts_with("{\"kind\":\"step\",\"step\":1,"), "{text}");
}

/// Killed in the middle of a line after step 17, resumed from the checkpoint of step 10.
#[test]
fn a_resumed_run_leaves_the_file_of_an_undisturbed_one() {
    let records = records(30, 30, 5, false);
    let (_folder, undisturbed) = file();
    write(&undisturbed, 0, &records);

    let (_folder, path) = file();
    let first: Vec<Record> = records.iter().filter(|record| record.step() <= 17).cloned().collect();
    write(&path, 0, &first);
    let torn = fs::OpenOptions::new().append(true).open(&path).expect("the file");
    (&torn).write_all(b"{\"kind\":\"step\",\"st").expect("a part of a line");
    assert_eq!(JsonLines::read(&path).expect("it reads"), first);
    let rest: Vec<Record> = records.iter().filter(|record| record.step() > 10).cloned().collect();
    write(&path, 10, &rest);
    assert_eq!(fs::read(&path).expect("bytes"), fs::read(&undisturbed).expect("bytes"));

    // Resumed from the checkpoint of step 30, which does not know yet that the evaluation was made.
    write(&path, 30, &records[records.len() - 1..]);
    assert_eq!(fs::read(&path).expect("bytes"), fs::read(&undisturbed).expect("bytes"));

    // A new run in the folder begins with an empty file.
    write(&path, 0, &[]);
    assert_eq!(fs::read(&path).expect("bytes"), b"");
}

/// A damaged line in the middle is an error that names it, and nothing is thrown away.
#[test]
fn a_damaged_file_is_refused() {
    let (_folder, path) = file();
    write(&path, 0, &records(3, 3, 0, false));
    let damaged = fs::read_to_string(&path).expect("text").replacen("\"step\":2", "\"step\":two", 1);
    fs::write(&path, &damaged).expect("written");
    for error in [JsonLines::read(&path).err(), JsonLines::open(&path, 1).err()] {
        let message = error.expect("an error").to_string();
        assert!(message.contains("metrics.jsonl: line 2: "), "{message}");
    }
    assert_eq!(fs::read_to_string(&path).expect("text"), damaged);
    let missing = JsonLines::read(&path.with_extension("none")).expect_err("no file").to_string();
    assert!(missing.contains("metrics.none"), "{missing}");
}
