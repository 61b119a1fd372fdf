//! How the command is called: help, wrong usage, and devices that this build lacks.

use crate::support::trm;
use predicates::{
    prelude::*,
    str::{contains, is_empty},
};

/// Every command, as its words.
const COMMANDS: [&str; 24] = [
    "",
    "data",
    "data build",
    "data generate",
    "data check",
    "data show",
    "weights",
    "weights known",
    "weights fetch",
    "weights push",
    "weights import",
    "weights export",
    "weights show",
    "train",
    "report",
    "pack",
    "unpack",
    "eval",
    "bench",
    "solve",
    "serve",
    "lend",
    "completions",
    "man",
];

/// `--help` and `--version` answer on standard output, and successfully, wherever they are asked.
#[test]
fn help_and_version_everywhere() {
    for command in COMMANDS {
        let usage = format!("Usage: {}", ["trm", command].join(" ").trim_end());
        let help = trm().args(command.split_whitespace()).arg("--help").assert().success();
        help.stdout(contains(usage)).stderr(is_empty());
        let version = trm().args(command.split_whitespace()).arg("--version").assert().success();
        version.stdout(contains(env!("CARGO_PKG_VERSION"))).stderr(is_empty());
    }
}

/// What cannot be understood exits with 2, says what it was, and prints nothing on standard output.
#[test]
fn wrong_usage_exits_with_2() {
    for (line, names) in [
        ("", "Usage: trm"),
        ("train", "train"),
        ("data", "Usage: trm data"),
        ("data fetch", "fetch"),
        ("weights quantize", "quantize"),
        ("weights push m", "OWNER/NAME"),
        ("weights push m maze", "write it as owner/name"),
        ("weights push m lab/maze --message=", "--message"),
        ("eval --model m", "--data"),
        ("eval --model m --data d --fast", "--fast"),
        ("eval --model m --data d --halt maybe", "[possible values: never, q]"),
        ("eval --model m --data d --dtype f8", "[possible values: auto, f32, bf16, f16]"),
        ("bench --work sleep", "take pass, supervision-step, evaluation, training-step"),
        ("bench --batch 2,0", "must be at least 1"),
        ("eval --model m --data d --batch-size 0", "must be at least 1"),
        ("eval --model m --data d --limit -1", "-1"),
        ("eval --model m --data d --max-steps x", "invalid digit"),
        ("eval --model m --data d --device tpu", "take cpu, wgpu, cuda or auto"),
        ("eval --model m --data d --device cuda:x", "`x` is not the number of a device"),
        ("eval --model m --data d --save-steps", "--save"),
        ("solve --max-steps 0", "must be at least 1"),
        ("solve --json --steps", "cannot be used with"),
        ("solve one two", "two"),
        ("data build --output d", "--source"),
        ("data build --source s", "--output"),
        ("data build --source s --output d --augment flip", "write none, dihedral or relabel"),
        ("data build --puzzle chess --source s --output d", "the puzzles are maze, sudoku"),
        ("data build --puzzle sudoku --recipe r.toml --output d", "cannot be used with"),
        ("data generate --output d --side 6 --min-path 6", "--count"),
        ("data generate --output d --side 6 --count 6", "--min-path"),
        ("data generate --puzzle sudoku --output d --count 6", "--side"),
        ("data generate --recipe r.toml --count 3 --output d", "cannot be used with"),
        ("data generate --recipe r.toml --split test --output d", "cannot be used with"),
        ("data show d", "--index"),
        ("pack run", "--output"),
        ("pack run --output p --part-mib 0", "must be at least 1"),
        ("unpack p", "--output"),
        ("weights import f --output d", "--arch"),
        ("weights export m", "--output"),
        ("completions", "<SHELL>"),
        ("completions csh", "[possible values: bash, elvish, fish, powershell, zsh]"),
        ("man", "<DIR>"),
    ] {
        let assert = trm().args(line.split_whitespace()).assert().code(2);
        let assert = assert.stdout(is_empty());
        assert.stderr(contains(names).and(contains("panicked").not()));
    }
}

/// A device that is not built in is refused with what is, before any work.
#[test]
#[cfg(not(feature = "cuda"))]
fn missing_devices_name_the_ones_there_are() {
    for (device, name) in [("cuda", "cuda"), ("cuda:0,3", "cuda:0,3")] {
        let message = crate::support::error(trm!["solve", "-", "--device", device].write_stdin("S \n G"));
        let start = format!("{name} is not in this build, which has cpu");
        assert!(message.starts_with(&start), "{message}");
        assert!(message.contains("--features cuda") && message.contains("--device cpu"), "{message}");
    }
}

/// A binary without access to the Hub says how to build one with it, and takes folders as ever.
#[cfg(not(feature = "hub"))]
#[test]
fn the_hub_is_a_feature() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("output");
    for arguments in
        [["weights", "fetch", "owner/name"].as_slice(), &["data", "build", "--source", "owner/name"]]
    {
        let said = crate::support::error(trm![].args(arguments).arg("--output").arg(&output));
        assert!(said.contains("build trm with --features hub"), "{said}");
        assert!(!output.exists());
    }
}

/// A binary without the server says how to build one with it, whatever it was to serve.
#[cfg(not(feature = "serve"))]
#[test]
fn the_server_is_a_feature() {
    for arguments in [&["serve"][..], &["serve", "--listen", "127.0.0.1:9", "--allow-jobs"]] {
        let said = crate::support::error(trm![].args(arguments));
        assert!(said.contains("build trm with --features serve"), "{said}");
    }
}
