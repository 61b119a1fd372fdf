//! `trm data`: data sets that are the reference's, reproducible mazes, and what is said about them.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use crate::support::{error, files, generate, golden, json, stdout, text};
use predicates::{prelude::PredicateBooleanExt, str::contains};
use serde_json::Value;
use trm_data::{Cell, Dataset, MazeKey};

fn load(folder: &Path) -> Dataset {
    Dataset::load(folder).expect("a split")
}

/// The mazes of a split, the same whichever way they are turned.
fn keys(split: &Path) -> HashSet<MazeKey> {
    let dataset = load(split);
    (0..dataset.len()).map(|row| dataset.maze(row).expect("a maze").canonical_key()).collect()
}

/// The recipes that come with the repository.
fn recipes() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets");
    let entries = fs::read_dir(folder).expect("the folder of recipes");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut recipes: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|e| e == "toml")).collect();
    recipes.sort();
    assert!(recipes.len() >= 6, "{recipes:?}");
    recipes
}

/// Whoever switches from the reference's builder keeps the same data: arrays byte for byte, JSON by value.
#[test]
fn build_writes_the_references_files() {
    let golden = golden("builder");
    for (augment, name, rows) in [("none", "noaug", 20), ("dihedral", "aug", 160)] {
        let output = tempfile::tempdir().expect("a folder");
        let mut build =
            trm!["data", "build", "--source", &golden, "--output", output.path(), "--augment", augment];
        assert!(stdout(&mut build).contains(&format!("train: 20 mazes in {rows} rows\n")));
        let (mut ours, theirs) = (files(output.path()), files(&golden.join(name)));
        // What the reference does not write down: which puzzle it is.
        for split in ["train", "test"] {
            let kind = ours.remove(&Path::new(split).join("puzzle.json")).expect("the kind");
            assert_eq!(kind, b"{\"puzzle\":\"maze\"}");
        }
        assert_eq!(ours.len(), theirs.len());
        for (file, bytes) in &theirs {
            let ours = &ours[file];
            if file.extension().is_some_and(|extension| extension == "json") {
                let parse = |bytes| serde_json::from_slice::<Value>(bytes).expect("JSON");
                assert_eq!(parse(ours), parse(bytes), "{name}/{}", file.display());
            } else {
                assert!(ours == bytes, "{name}/{} differs", file.display());
            }
        }
    }
}

/// `relabel` takes the mazes of `dihedral`, and each label follows the rule, which most turned ones do not.
#[test]
fn relabel_follows_the_rule() {
    let golden = golden("builder");
    let output = tempfile::tempdir().expect("a folder");
    let mut build =
        trm!["data", "build", "--source", &golden, "--output", output.path(), "--augment", "relabel"];
    build.assert().success();
    assert!(load(&output.path().join("train")).inputs == load(&golden.join("aug/train")).inputs);
    let following =
        |folder: &Path| json(&mut trm!["data", "check", folder, "--json"])["train"]["follow_rule"].as_u64();
    assert_eq!(following(output.path()), Some(160));
    assert!(following(&golden.join("aug")) < Some(80));
}

/// A subsample is the same for the same seed, another for another, and never touches the test split.
#[test]
fn subsamples_follow_the_seed() {
    let golden = golden("builder");
    let folder = tempfile::tempdir().expect("a folder");
    let build = |name: &str, seed: &str| {
        let output = folder.path().join(name);
        let mut build = trm!["data", "build", "--source", &golden, "--output", &output];
        build.args(["--subsample", "5", "--seed", seed]).assert().success();
        output
    };
    let [first, again, other] =
        [("first", "3"), ("again", "3"), ("other", "4")].map(|(name, seed)| build(name, seed));
    assert_eq!(load(&first.join("train")).len(), 5);
    assert!(files(&first) == files(&again));
    assert!(files(&first.join("train")) != files(&other.join("train")));
    assert!(files(&first.join("test")) == files(&other.join("test")));
}

/// The same seed gives the same files whatever the number of threads; another seed gives others.
#[test]
fn generate_is_reproducible() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |name: &str, threads: &str, seed: u64| {
        let output = folder.path().join(name);
        generate(9, 12, 300, seed, &output).env("RAYON_NUM_THREADS", threads).assert().success();
        files(&output)
    };
    let one = run("one", "1", 7);
    assert_eq!(load(&folder.path().join("one/train")).len(), 300);
    assert!(run("two", "2", 7) == one);
    assert!(run("other", "2", 8) != one);
}

/// Mazes have the side and the least path that were asked for, and the labels follow the rule.
#[test]
fn generate_keeps_its_promises() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = generate(8, 10, 50, 1, folder.path());
    let printed = stdout(command.args(["--split", "test"]));
    assert_eq!(printed, format!("{}: 50 mazes in 50 rows\n", text(&folder.path().join("test"))));
    assert!(!folder.path().join("train").exists());
    let report = &json(&mut trm!["data", "check", folder.path(), "--json"])["test"];
    assert_eq!((report["side"].as_u64(), report["mazes"].as_u64()), (Some(8), Some(50)));
    assert_eq!(
        (report["follow_rule"].as_u64(), report["duplicates_up_to_symmetry"].as_u64()),
        (Some(50), Some(0))
    );
    assert!(report["path_cells"]["min"].as_u64() >= Some(10), "{report}");
}

/// `--exclude` keeps the mazes of every split of another data set out, in any orientation.
#[test]
fn exclude_leaves_mazes_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let [known, all, new] = ["known", "all", "new"].map(|name| folder.path().join(name));
    generate(5, 5, 30, 1, &known).assert().success();
    generate(5, 5, 60, 1, &known).args(["--split", "validation"]).assert().success();
    generate(5, 5, 150, 1, &all).assert().success();
    generate(5, 5, 150, 1, &new).arg("--exclude").arg(&known).assert().success();
    let (all, new) = (keys(&all.join("train")), keys(&new.join("train")));
    assert_eq!(new.len(), 150);
    for split in ["train", "validation"] {
        let known = keys(&known.join(split));
        assert!(!known.is_disjoint(&all), "{split}: nothing to exclude, so this shows nothing");
        assert!(known.is_disjoint(&new), "{split}");
    }
}

/// Every recipe of the repository is understood, and one given to the wrong command names the right one.
#[test]
fn recipes_name_their_command() {
    let folder = tempfile::tempdir().expect("a folder");
    for recipe in recipes() {
        let makes_new = fs::read_to_string(&recipe).expect("text").contains("kind = \"generate\"");
        let (wrong, right) = if makes_new { ("build", "generate") } else { ("generate", "build") };
        let message = error(&mut trm!["data", wrong, "--recipe", &recipe, "--output", folder.path()]);
        assert!(message.starts_with(text(&recipe)), "{message}");
        assert!(message.contains(&format!("run `trm data {right}` with it")), "{message}");
    }
    assert!(files(folder.path()).is_empty());
}

/// The tiny recipe generates what it says, and flags override it.
#[test]
fn the_tiny_recipe_generates() {
    let folder = tempfile::tempdir().expect("a folder");
    let recipe =
        recipes().into_iter().find(|path| path.ends_with("maze-6x6-tiny.toml")).expect("it is there");
    let [plain, other] = ["plain", "other"].map(|name| folder.path().join(name));
    trm!["data", "generate", "--recipe", &recipe, "--output", &plain].assert().success();
    let report = json(&mut trm!["data", "check", &plain, "--json"]);
    for (split, mazes) in [("train", 1000), ("test", 100)] {
        assert_eq!(report[split]["follow_rule"].as_u64(), Some(mazes), "{report}");
        assert_eq!(report[split]["side"].as_u64(), Some(6));
    }
    let mut generate = trm!["data", "generate", "--recipe", &recipe, "--output", &other];
    generate.args(["--side", "5", "--seed", "9"]).assert().success();
    assert_eq!(load(&other.join("test")).seq_len(), 25);
}

/// Recipes that build take another source from the flags.
#[test]
fn build_recipes_take_another_source() {
    let golden = golden("builder");
    for recipe in recipes() {
        let output = tempfile::tempdir().expect("a folder");
        let recipe_text = fs::read_to_string(&recipe).expect("text");
        if !recipe_text.contains("kind = \"build\"") {
            continue;
        }
        let mut build =
            trm!["data", "build", "--recipe", &recipe, "--output", output.path(), "--source", &golden];
        build.assert().success();
        let rows = if recipe_text.contains("augment = \"none\"") { 20 } else { 160 };
        assert_eq!(load(&output.path().join("train")).len(), rows, "{}", recipe.display());
    }
}

/// Without a network, what is on the Hub and not in the cache costs one sentence with a remedy.
#[cfg(feature = "hub")]
#[test]
fn offline_needs_the_cache() {
    let cache = tempfile::tempdir().expect("a folder");
    let output = cache.path().join("data");
    let mut by_flag = trm!["data", "build", "--source", "owner/name", "--output", &output, "--offline"];
    let mut by_environment = trm!["data", "build", "--source", "owner/name", "--output", &output];
    by_environment.env("HF_HUB_OFFLINE", "1");
    for command in [&mut by_flag, &mut by_environment] {
        let message = error(command.env("HF_HOME", cache.path()));
        assert!(message.starts_with("owner/name/train.csv is not in the local cache"), "{message}");
        assert!(message.contains("or give a local folder"), "{message}");
    }
    let recipe =
        recipes().into_iter().find(|path| path.ends_with("maze-30x30-fresh.toml")).expect("it is there");
    let mut fresh = trm!["data", "generate", "--recipe", recipe, "--output", &output, "--offline"];
    let message = error(fresh.env("HF_HOME", cache.path()));
    assert!(message.starts_with("sapientinc/maze-30x30-hard-1k/train.csv is not in"), "{message}");
    assert!(!output.exists());
}

/// A folder without what is needed is named, with the remedy.
#[test]
fn missing_files_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("data");
    let message = error(&mut trm!["data", "build", "--source", folder.path(), "--output", &output]);
    assert!(
        message.starts_with(&format!("cannot read {}", text(&folder.path().join("train.csv")))),
        "{message}"
    );
    let file = folder.path().join("test.csv");
    std::fs::write(&file, "").expect("written");
    let message = error(&mut trm!["data", "build", "--source", &file, "--output", &output]);
    assert!(message.contains("is a file; name the folder with train.csv and test.csv"), "{message}");
    let message = error(&mut trm!["data", "check", folder.path()]);
    assert!(message.starts_with(&format!("{}: has no split `train`", text(folder.path()))), "{message}");
    assert!(message.contains("make one with `trm data`"), "{message}");
    let message = error(&mut trm!["data", "check", &output]);
    assert!(message.starts_with(&format!("cannot read {}", text(&output))), "{message}");
}

/// What cannot be drawn is refused at once with the setting to change.
#[test]
fn impossible_mazes_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for (side, min_path, count, reason) in [
        (1, 1, 5, "side = 1"),
        (4, 60, 5, "min_path"),
        (6, 6, 0, "split.count = 0"),
        (2, 1, 100, "lower count"),
    ] {
        let message = error(&mut generate(side, min_path, count, 0, folder.path()));
        assert!(message.contains(reason), "{message}");
    }
}

/// The text of `check` says what its JSON says; whole data and one split are taken alike.
#[test]
fn check_reports_in_text_and_json() {
    let golden = golden("builder");
    let folder = golden.join("noaug");
    let report = json(&mut trm!["data", "check", &folder, "--json"]);
    let all = stdout(&mut trm!["data", "check", &folder]);
    for split in ["train", "test"] {
        let report = &report[split];
        assert_eq!((report["follow_rule"].as_u64(), report["optimal"].as_u64()), (Some(20), Some(20)));
        assert!(all.contains(&format!("{split}  20 rows, 30x30, 20 mazes\n")), "{all}");
        let fingerprint = load(&folder.join(split)).fingerprint();
        assert_eq!(report["fingerprint"].as_str(), Some(&*fingerprint));
        assert!(all.contains(&fingerprint), "{all}");
    }
    assert_eq!(all.matches("follow the rule 20 of 20 (100.0 %)").count(), 2, "{all}");
    let one = stdout(&mut trm!["data", "check", folder.join("test")]);
    assert!(one.contains("20 of 20") && one.lines().count() < all.lines().count(), "{one}");
}

/// Damaged labels are counted, and a label that is no grid is described.
#[test]
fn check_finds_damaged_labels() {
    let folder = tempfile::tempdir().expect("a folder");
    generate(6, 6, 20, 0, folder.path()).assert().success();
    let split = folder.path().join("train");
    let mut dataset = load(&split);
    let damage = |dataset: &mut Dataset, row: usize, token: u8| {
        let label = &mut dataset.labels[36 * row..][..36];
        let path = label.iter_mut().find(|label| **label == Cell::Path.token()).expect("a path");
        *path = token;
    };
    damage(&mut dataset, 3, Cell::Open.token());
    dataset.save(&split).expect("written");
    let printed = stdout(&mut trm!["data", "check", folder.path()]);
    for line in ["follow the rule 19 of 20 (95.0 %)", "valid paths     19 of 20 (95.0 %)"] {
        assert!(printed.contains(line), "{printed}");
    }
    assert!(!printed.contains("not mazes"), "{printed}");

    damage(&mut dataset, 5, trm_data::PAD);
    dataset.save(&split).expect("written");
    let printed = stdout(&mut trm!["data", "check", folder.path()]);
    assert!(printed.contains("follow the rule 18 of 19"), "{printed}");
    assert!(printed.contains("not mazes       1; the first: row 5: row "), "{printed}");
    let report = &json(&mut trm!["data", "check", folder.path(), "--json"])["train"];
    assert_eq!((report["follow_rule"].as_u64(), report["not_mazes"].as_u64()), (Some(18), Some(1)));
}

/// A file that was cut is refused by name.
#[test]
fn damaged_files_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    generate(6, 6, 20, 0, folder.path()).assert().success();
    let inputs = folder.path().join("train/all__inputs.npy");
    let bytes = fs::read(&inputs).expect("read");
    fs::write(&inputs, &bytes[..bytes.len() - 1]).expect("written");
    let message = error(&mut trm!["data", "check", folder.path()]);
    assert!(message.starts_with(text(&inputs)) && message.contains("copy it again"), "{message}");
}

/// `show` prints the maze, its label, and whether the label follows the rule.
#[test]
fn show_prints_maze_and_label() {
    let golden = golden("builder");
    let folder = golden.join("aug");
    for (split, row, rule) in [("test", 7, "follows"), ("train", 1, "does not follow")] {
        let dataset = load(&folder.join(split));
        let (maze, label) = (dataset.maze(row).expect("a maze"), dataset.solution(row).expect("a label"));
        let shown = stdout(&mut trm!["data", "show", &folder, "--split", split, "--index", row.to_string()]);
        let cells = label.count(Cell::Path);
        assert_eq!(shown, format!("{maze}\n\n{label}\n\n{cells} path cells; the label {rule} the rule\n"));
    }
    let message = error(&mut trm!["data", "show", &folder, "--index", "20"]);
    assert!(message.starts_with("there is no maze 20; the split has 20"), "{message}");
}

/// An existing data set is replaced as a whole, where that is asked for.
#[test]
fn generate_replaces_a_split() {
    let folder = tempfile::tempdir().expect("a folder");
    for (side, count) in [(6, 20), (5, 10)] {
        let printed = generate(side, 5, count, 0, folder.path()).arg("--force").assert().success();
        printed.stdout(contains(format!("{count} mazes")));
        let dataset = load(&folder.path().join("train"));
        assert_eq!((dataset.len(), dataset.seq_len()), (count, side * side));
    }
}

/// A data set that is there is not written over unasked, nor are mazes of another side put beside it; another split of the
/// same side may come to it.
#[test]
fn a_data_set_is_not_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let generate = |side: &str, split: &str, more: &[&str]| {
        let mut command = trm!["data", "generate", "--side", side, "--count", "5", "--min-path", "2"];
        command.args(["--split", split]).args(more).arg("--output").arg(folder.path());
        command
    };
    stdout(&mut generate("5", "train", &[]));
    let before = files(folder.path());
    let said = error(&mut generate("5", "train", &["--seed", "1"]));
    assert!(said.contains("has a split train already") && said.contains("--force"), "{said}");
    let said = error(&mut generate("6", "test", &[]));
    assert!(said.contains("mazes of side 5") && said.contains("--force"), "{said}");
    assert_eq!(files(folder.path()), before);
    stdout(&mut generate("5", "test", &[]));
    stdout(&mut generate("5", "train", &["--seed", "1", "--force"]));
    assert_ne!(
        files(folder.path())[Path::new("train/all__inputs.npy")],
        before[Path::new("train/all__inputs.npy")]
    );
}

/// Keys of `dataset.json` that mean nothing here are passed over with a warning, and a split that is missing is answered
/// with those that are there.
#[test]
fn other_builders_data_sets_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    stdout(&mut generate(5, 2, 5, 0, data));
    let json = data.join("train/dataset.json");
    let text = fs::read_to_string(&json).expect("read").replacen('{', "{\"mode\": \"train\", ", 1);
    fs::write(&json, text).expect("written");
    let show = |split: &str| trm!["data", "show", data, "--index", "0", "--split", split];
    show("train").assert().success().stderr(contains("warning: ").and(contains("passed over mode")));
    let said = error(&mut show("val"));
    assert!(said.contains("no split `val`, but train"), "{said}");
}

/// A folder that is there is meant, even if its name could be one on the Hub.
#[test]
fn a_folder_comes_before_the_hub() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("s/mazes")).expect("made");
    let mut build = trm!["data", "build", "--source", "s/mazes", "--output", "out"];
    let said = error(build.current_dir(folder.path()));
    assert!(said.contains("s/mazes/train.csv"), "{said}");
}
