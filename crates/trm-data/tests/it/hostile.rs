//! Damaged and hostile files end in an error that names the file: never in a panic, never in a huge allocation.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use trm_data::{
    Dataset, DatasetRecipe, Error, GeneratorConfig, Maze, Origin, SplitRequest, csv, generate, npy,
};
use trm_data::{ExcludeSet, Generator};

/// A file in the layout of npy version 1.0 with this header text and data.
fn npy_file(folder: &TempDir, header: &str, data: &[u8]) -> PathBuf {
    let path = folder.path().join("array.npy");
    let length = (header.len() as u16).to_le_bytes();
    fs::write(&path, [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()).expect("written");
    path
}

fn header(descr: &str, order: &str, shape: &str) -> String {
    format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n")
}

/// The error inside, after checking that the message names the file.
fn inner(error: Error, path: &Path) -> Error {
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    match error {
        Error::InFile { error, .. } => *error,
        other => other,
    }
}

/// Header claims are compared with the size of the file before memory is taken: 1 GB, 16 EB and overflowing products.
#[test]
fn huge_claims_are_refused_before_allocating() {
    let folder = tempfile::tempdir().expect("folder");
    for shape in
        ["(1000000, 1000)", "(4294967296, 4294967296)", "(18446744073709551615, 255)", "(3, 3)", "(1, 1)"]
    {
        let path = npy_file(&folder, &header("|u1", "False", shape), &[1, 2, 3, 4]);
        let error = inner(npy::read_matrix(&path).expect_err(shape), &path);
        assert!(matches!(error, Error::NpyLength { .. }), "{shape}: {error}");
    }
    for start in [
        &b"\x93NUMPY\x02\x00\xff\xff\xff\x3f"[..],
        b"\x93NUMPY\x03\x00\xff\xff\xff\xff",
        b"\x93NUMPY\x01\x00\xff\xff",
    ] {
        let path = folder.path().join("array.npy");
        fs::write(&path, [start, &[b' '; 5000]].concat()).expect("written");
        let error = inner(npy::read_vector(&path).expect_err("long header"), &path);
        assert!(error.to_string().contains("header claims"), "{error}");
    }
}

/// Types, orders and ranks that are not read are named.
#[test]
fn wrong_arrays_are_named() {
    let folder = tempfile::tempdir().expect("folder");
    let fails = |header: &str, data: &[u8]| {
        let path = npy_file(&folder, header, data);
        inner(npy::read_matrix(&path).expect_err(header), &path)
    };
    for descr in ["<f4", "|i4", "<b4", "=i4", "<i3", "|O", "<U4", ""] {
        assert!(
            matches!(fails(&header(descr, "False", "(1, 1)"), &[0; 4]), Error::NpyType { .. }),
            "{descr}"
        );
    }
    assert!(matches!(fails(&header("|u1", "False", "(4,)"), &[0; 4]), Error::NpyRank { .. }));
    assert!(matches!(fails(&header("|u1", "False", "()"), &[0; 4]), Error::NpyRank { .. }));
    let error = fails(&header("<i2", "False", "(1, 2)"), &[1, 0, 0, 1]);
    assert!(error.to_string().contains("element 1 is 256"), "{error}");
    let error = fails(&header("|i1", "False", "(1, 1)"), &[0xff]);
    assert!(error.to_string().contains("element 0 is -1"), "{error}");
    let error = fails(&header("<u8", "False", "(1, 1)"), &[0xff; 8]);
    assert!(error.to_string().contains("element 0 is 18446744073709551615"), "{error}");
    let nested = format!("{{'descr': {}", "[".repeat(4000));
    for text in [
        "",
        "{",
        "}",
        "{}",
        "{:}",
        "{'shape': (}",
        "{'descr': '|u1'}",
        "garbage",
        nested.as_str(),
        "{'a': 1}",
    ] {
        let error = fails(text, &[]);
        assert!(matches!(error, Error::NpyHeader { .. } | Error::NpyType { .. }), "{text}: {error}");
    }
}

/// Every integer type that numpy users are likely to have is read.
#[test]
fn common_integer_types_are_read() {
    let folder = tempfile::tempdir().expect("folder");
    for descr in ["|u1", "|i1", "<u2", ">u2", "<i2", "<i4", ">i4", "<u4", ">u4", "<i8", ">i8", "<u8", ">u8"] {
        let size = usize::from(descr.as_bytes()[2] - b'0');
        let mut data = vec![0; size];
        data[if descr.starts_with('>') { size - 1 } else { 0 }] = 7;
        let path = npy_file(&folder, &header(descr, "False", "(1, 1)"), &data);
        assert_eq!(npy::read_matrix(&path).expect(descr), (vec![7], [1, 1]));
    }
    let path = npy_file(&folder, &header("|b1", "False", "(1, 2)"), &[0, 1]);
    assert_eq!(npy::read_matrix(&path).expect("booleans"), (vec![0, 1], [1, 2]));
    let path = npy_file(&folder, &header("<i2", "False", "(2,)"), &[0xfe, 0xff, 2, 0]);
    assert_eq!(npy::read_vector(&path).expect("signed"), [-2, 2]);
}

/// An array in Fortran order, as pandas writes it, is the one in C order.
#[test]
fn either_order_is_read() {
    let folder = tempfile::tempdir().expect("folder");
    let path = npy_file(&folder, &header("<u2", "True", "(2, 3)"), &[1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6, 0]);
    assert_eq!(npy::read_matrix(&path).expect("read"), (vec![1, 2, 3, 4, 5, 6], [2, 3]));
    let path = npy_file(&folder, &header("|u1", "True", "(0, 3)"), &[]);
    assert_eq!(npy::read_matrix(&path).expect("empty"), (vec![], [0, 3]));
    let path = npy_file(&folder, &header("<i4", "True", "(2,)"), &[1, 0, 0, 0, 2, 0, 0, 0]);
    assert_eq!(npy::read_vector(&path).expect("a row"), [1, 2]);
}

/// What a builder leaves out that nothing needs is made up for, and what it adds is passed over by name.
#[test]
fn metadata_of_other_builders_are_read() {
    let (folder, good) = saved();
    let split = folder.path().join("train");
    let json = split.join("dataset.json");
    let text = fs::read_to_string(&json).expect("metadata");
    let mut value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let object = value.as_object_mut().expect("an object");
    for key in ["total_puzzles", "total_groups", "mean_puzzle_examples"] {
        assert!(object.remove(key).is_some(), "{key}");
    }
    object.insert("mode".into(), "train".into());
    fs::write(&json, format!("\u{feff}{value}")).expect("written");
    let mut loaded = Dataset::load(&split).expect("loaded");
    assert_eq!(std::mem::take(&mut loaded.metadata.unknown_keys), ["mode"]);
    assert_eq!(loaded, good);
    let needed = text.replace("\"vocab_size\"", "\"vocabulary\"");
    fs::write(&json, needed).expect("written");
    let error = Dataset::load(&split).expect_err("no vocabulary").to_string();
    assert!(error.contains("vocab_size"), "{error}");
}

/// A small good data set in a folder.
fn saved() -> (TempDir, Dataset) {
    let folder = tempfile::tempdir().expect("folder");
    let mut generator = Generator::new(GeneratorConfig::new(4, 2, 0)).expect("generator");
    let splits = [SplitRequest { name: "train".to_owned(), count: 3 }];
    generate(&mut generator, &splits, &mut ExcludeSet::new(), folder.path(), &mut |_| {
        ControlFlow::Continue(())
    })
    .expect("generated");
    let dataset = Dataset::load(&folder.path().join("train")).expect("loaded");
    (folder, dataset)
}

/// A data set whose files contradict each other is refused, with the field that is off.
#[test]
fn inconsistent_data_sets_are_refused() {
    let (_, good) = saved();
    let refused = |change: &dyn Fn(&mut Dataset), field: &str| {
        let mut dataset = good.clone();
        change(&mut dataset);
        let error = dataset.validate().expect_err(field);
        assert!(matches!(&error, Error::Inconsistent { field: found, .. } if *found == field), "{error}");
        let folder = tempfile::tempdir().expect("folder");
        assert!(dataset.save(folder.path()).is_err());
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 0, "nothing is written");
    };
    refused(&|d| d.inputs[0] = 9, "inputs");
    refused(&|d| d.labels[20] = 6, "labels");
    refused(&|d| d.labels.truncate(16), "labels");
    refused(&|d| d.inputs.truncate(47), "inputs");
    refused(&|d| d.puzzle_identifiers[1] = 1, "puzzle_identifiers");
    refused(&|d| d.puzzle_identifiers[1] = -1, "puzzle_identifiers");
    refused(&|d| d.puzzle_identifiers.truncate(2), "group_indices");
    refused(&|d| d.puzzle_indices[1] = 2, "puzzle_indices");
    refused(&|d| d.puzzle_indices[0] = 1, "puzzle_indices");
    refused(&|d| d.puzzle_indices.clear(), "puzzle_indices");
    refused(&|d| d.group_indices[3] = 4, "group_indices");
    refused(&|d| d.metadata.total_groups = 9, "total_groups");
    refused(&|d| d.metadata.total_groups = usize::MAX, "total_groups");
    refused(&|d| d.metadata.seq_len = 0, "seq_len");
    refused(&|d| d.metadata.vocab_size = 300, "vocab_size");
    refused(&|d| d.metadata.sets.clear(), "sets");
}

/// Each file of a data set, cut off at any length or gone, is an error that names it or the metadata.
#[test]
fn truncated_or_missing_files_are_refused() {
    let (folder, _) = saved();
    let split = folder.path().join("train");
    let files = fs::read_dir(&split).expect("listed").map(|entry| entry.expect("entry").path());
    for path in files {
        let whole = fs::read(&path).expect("file");
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).expect("cut");
            let error = Dataset::load(&split).expect_err("cut file");
            assert!(error.to_string().contains(&split.display().to_string()), "{error}");
        }
        fs::write(&path, [&whole[..], b"more"].concat()).expect("longer");
        assert!(Dataset::load(&split).is_err(), "{}", path.display());
        fs::remove_file(&path).expect("removed");
        assert!(matches!(Dataset::load(&split), Err(Error::Read { .. })));
        fs::write(&path, whole).expect("restored");
    }
    assert!(Dataset::load(&split).is_ok());
}

/// Metadata cannot lead outside the folder, and indices cannot be negative.
#[test]
fn metadata_and_indices_are_not_trusted() {
    let (folder, good) = saved();
    let split = folder.path().join("train");
    let json = split.join("dataset.json");
    let text = fs::read_to_string(&json).expect("metadata");
    for (from, to) in
        [("[\"all\"]", "[\"../all\"]"), ("[\"all\"]", "[]"), ("\"seq_len\":16", "\"seq_len\":4"), ("{", "[")]
    {
        fs::write(&json, text.replacen(from, to, 1)).expect("written");
        let error = Dataset::load(&split).expect_err(to);
        assert!(error.to_string().contains(&split.display().to_string()), "{error}");
    }
    fs::write(&json, text).expect("restored");
    npy::write_vector(&split.join("all__puzzle_indices.npy"), &[0, -1, 2, 3]).expect("written");
    assert!(Dataset::load(&split).is_err());
    npy::write_vector(&split.join("all__puzzle_indices.npy"), &[]).expect("written");
    assert!(Dataset::load(&split).is_err());
    assert!(good.input(usize::MAX).is_empty() && good.maze(3).is_err());
}

/// Several sets of one split are joined, and what was joined can be saved and read again.
#[test]
fn several_sets_are_joined() {
    let (folder, good) = saved();
    let split = folder.path().join("train");
    for entry in fs::read_dir(&split).expect("listed").map(|entry| entry.expect("entry")) {
        let name = entry.file_name().into_string().expect("name");
        if let Some(field) = name.strip_prefix("all__") {
            fs::copy(entry.path(), split.join(format!("more__{field}"))).expect("copied");
        }
    }
    let json = split.join("dataset.json");
    let text = fs::read_to_string(&json).expect("metadata");
    let text =
        text.replace("[\"all\"]", "[\"all\",\"more\"]").replace("\"total_groups\":3", "\"total_groups\":6");
    fs::write(&json, text).expect("written");
    let joined = Dataset::load(&split).expect("joined");
    assert_eq!((joined.len(), joined.group_indices.clone()), (6, (0..=6).collect()));
    assert_eq!(joined.input(4), good.input(1));
    let copy = tempfile::tempdir().expect("folder");
    joined.save(copy.path()).expect("saved");
    assert_eq!(Dataset::load(copy.path()).expect("loaded"), joined);
}

/// CSV files that are missing, binary or cut are errors that name the file.
#[test]
fn broken_csv_files_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("train.csv");
    let no_file = inner(csv::read(&path).expect_err("missing"), &path);
    assert!(matches!(no_file, Error::Read { .. }));
    for content in
        [&b"\xff\xfe\x00"[..], b"question,answer\nS\xffG ,S  G\n", b"question,answer\nS  G\n", b"\"question"]
    {
        fs::write(&path, content).expect("written");
        inner(csv::read(&path).expect_err("broken"), &path);
    }
}

/// Recipes with misspelt, missing or unusable fields are refused; texts for grids as well.
#[test]
fn broken_recipes_and_mazes_are_refused() {
    let generate = "kind = \"generate\"\n[mazes]\nside = 4\nmin_path = 2\nseed = 0\n";
    let split =
        |name: &str, count: &str| format!("{generate}[[split]]\nname = \"{name}\"\ncount = {count}\n");
    assert!(split("train", "5").parse::<DatasetRecipe>().is_ok());
    let bad = [
        String::new(),
        "kind = \"build\"".to_owned(),
        "kind = \"bake\"\nsource = \"a/b\"".to_owned(),
        "kind = \"build\"\nsource = \"a/b\"\naugmnt = \"none\"".to_owned(),
        "kind = \"build\"\nsource = \"a/b\"\naugment = \"all\"".to_owned(),
        generate.to_owned(),
        split("../train", "5"),
        split("train", "0"),
        split("train", "-1"),
        split("train", "5") + "[[split]]\nname = \"train\"\ncount = 1\n",
        split("train", "5").replace("side = 4", "side = 1"),
        split("train", "5").replace("side = 4", "side = 4\nmin_density = nan"),
        split("train", "5").replace("side = 4", "side = 4\nmax_density = 0.2"),
        split("train", "5").replace("min_path = 2", "min_path = 15"),
        split("train", "5").replace("min_path", "min_paths"),
    ];
    for text in bad {
        assert!(text.parse::<DatasetRecipe>().is_err(), "{text}");
    }
    for text in ["", "S", "SG\n", "S \n", "S G\n   \n", "\u{1F600}", "SG\nSG", &"#".repeat(1 << 20)] {
        assert!(text.parse::<Maze>().is_err());
    }
}

/// A source is a hub data set only when it looks like one.
#[test]
fn sources_are_told_apart() {
    let hub = |text: &str| matches!(Origin::from(text.to_owned()), Origin::Hub(_));
    assert!(hub("sapientinc/maze-30x30-hard-1k"));
    for folder in
        ["./data/mazes", "../mazes", "/data/mazes", "mazes", "a/b/c", "~/mazes", "C:\\data/mazes", "a/"]
    {
        assert!(!hub(folder), "{folder}");
    }
}
