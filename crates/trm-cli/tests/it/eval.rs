//! `trm eval`: the reference's numbers, the metrics, and the ways to stop.

use std::{fs, path::Path};

use crate::support::{self, Fixture, Tensors, error, generate, json, read, stdout, text, tiny_run};
use predicates::str::contains;
use serde_json::{Value, json as value};
use trm_data::{Dataset, Metadata};
use trm_model::weights;

/// Golden evaluations with and without `q_continue`, with and without rows of padding.
const GOLDEN: [(&str, &str); 6] = [
    ("tiny-att", "eval.safetensors"),
    ("tiny-att", "eval_padded.safetensors"),
    ("tiny-noctn", "eval.safetensors"),
    ("tiny-noctn", "eval_padded.safetensors"),
    ("tiny-hrm", "eval.safetensors"),
    ("tiny-hrm", "eval_padded.safetensors"),
];

/// Everything that `--save-steps` writes is what the reference computed, at every supervision step.
#[test]
fn saved_steps_are_the_references() {
    for (folder, file) in GOLDEN {
        let fixture = Fixture::new(folder, file);
        let golden = &fixture.golden;
        let path = fixture.path("saved.safetensors");
        fixture.eval().args(["--halt", "never", "--save-steps", "--save"]).arg(&path).assert().success();
        let saved = read(&path);
        for name in ["inputs", "labels", "puzzle_identifiers"] {
            assert_eq!(saved[name], golden[name], "{folder}/{file} {name}");
        }
        for step in 1..=4 {
            // The reference differs from itself by up to 2e-5, depending on threads and kernels.
            for (name, allowed) in [("logits", 1e-4), ("q_halt_logits", 4e-5), ("q_continue_logits", 4e-5)] {
                let name = format!("step{step}.{name}");
                let distance = saved[&name].greatest_difference(&golden[&name]);
                assert!(distance <= allowed, "{folder}/{file} {name}: {distance:e}");
            }
            let answers = saved[&format!("step{step}.logits")].argmax(6);
            assert_eq!(answers, golden[&format!("step{step}.preds")].values, "{folder}/{file} step {step}");
        }
        for name in ["preds", "steps"] {
            assert_eq!(saved[name], golden[&format!("step4.{name}")], "{folder}/{file} {name}");
        }
        for name in ["logits", "q_halt_logits", "q_continue_logits"] {
            assert_eq!(saved[name], saved[&format!("step4.{name}")], "the last step's {name}");
        }
        assert!(!saved.contains_key("step5.logits"));
    }
}

/// The metrics are the reference's sums over its count; rows of padding count in none of them.
#[test]
fn metrics_are_the_references() {
    for (folder, file) in GOLDEN {
        let fixture = Fixture::new(folder, file);
        let metrics = json(fixture.eval().args(["--halt", "never", "--json"]));
        let sum = |name: &str| fixture.golden[&format!("step4.metric.{name}")].values[0];
        let count = if file.contains("padded") { 6.0 } else { 8.0 };
        assert_eq!((number(&metrics, "count"), sum("count")), (count, count));
        for name in ["exact_accuracy", "accuracy", "q_halt_accuracy", "steps"] {
            let (ours, theirs) = (number(&metrics, name), sum(name) / count);
            assert!((ours - theirs).abs() < 1e-6, "{folder}/{file} {name}: {ours}, the reference's {theirs}");
        }
    }
}

/// Scripts rely on the names in the JSON, and on shares that fit together.
#[test]
fn json_has_the_promised_keys() {
    let fixture = Fixture::new("tiny-att", "eval_padded.safetensors");
    let metrics = json(fixture.eval().arg("--json"));
    let mut keys: Vec<&str> = metrics.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    let mut promised = [
        "count",
        "exact_accuracy",
        "exact_accuracy_ci95",
        "accuracy",
        "q_halt_accuracy",
        "valid_path",
        "optimal_path",
        "steps",
        "seconds",
        "mazes_per_second",
        "max_steps",
        "device",
        "precision",
    ];
    promised.sort_unstable();
    assert_eq!(keys, promised);
    assert_eq!((&metrics["device"], &metrics["precision"]), (&value!("cpu"), &value!("f32")));
    let interval = metrics["exact_accuracy_ci95"].as_array().expect("two numbers");
    let [low, high] = [&interval[0], &interval[1]].map(|bound| bound.as_f64().expect("a number"));
    let exact = number(&metrics, "exact_accuracy");
    assert!(0.0 <= low && low < exact && exact < high && high <= 1.0, "{low} {exact} {high}");
    assert!(number(&metrics, "optimal_path") <= number(&metrics, "valid_path"));
    let rate = number(&metrics, "count") / number(&metrics, "seconds");
    assert!((number(&metrics, "mazes_per_second") / rate - 1.0).abs() < 1e-9);
}

/// People read the same figures as scripts do.
#[test]
fn text_says_what_the_json_says() {
    let fixture = Fixture::new("tiny-att", "eval.safetensors");
    let metrics = json(fixture.eval().arg("--json"));
    let text = stdout(&mut fixture.eval());
    assert!(text.starts_with("8 mazes\n"), "{text}");
    for (name, key) in [
        ("exact accuracy", "exact_accuracy"),
        ("accuracy", "accuracy"),
        ("valid path", "valid_path"),
        ("optimal path", "optimal_path"),
        ("q_halt accuracy", "q_halt_accuracy"),
    ] {
        let line = format!("  {name:<16} {:.2} %", 100.0 * number(&metrics, key));
        assert!(text.lines().any(|printed| printed.starts_with(&line)), "no line {line:?} in\n{text}");
    }
    assert!(text.contains(&format!("{:.2} on average", number(&metrics, "steps"))), "{text}");
}

/// With `--halt q` each maze halts where the reference's logits say, in a batch of any size.
#[test]
fn halting_follows_q_in_any_batch_size() {
    for (folder, file) in GOLDEN {
        let fixture = Fixture::new(folder, file);
        let save = |batch_size: &str| {
            let path = fixture.path(batch_size);
            let mut eval = fixture.eval();
            eval.args(["--halt", "q", "--save-steps", "--batch-size", batch_size, "--save"]).arg(&path);
            eval.assert().success();
            path
        };
        let [alone, three, eight] = ["1", "3", "8"].map(save);
        let (saved, steps) = (read(&alone), halting_steps(&fixture.golden, folder != "tiny-att"));
        assert!(folder == "tiny-noctn" || steps.iter().min() < steps.iter().max(), "all alike: {steps:?}");
        for (row, step) in steps.iter().enumerate() {
            assert_eq!(saved["steps"].row(row), [*step as f64], "{folder}/{file} row {row}");
            let preds = fixture.golden[&format!("step{step}.preds")].row(row);
            assert_eq!(saved["preds"].row(row), preds, "{folder}/{file} row {row}");
        }
        for other in [three, eight] {
            assert_same(&read(&other), &saved, &format!("{folder}/{file}: {}", text(&other)));
        }
    }
}

/// A model with a trained `q_continue` halts where `q_halt` exceeds it, not where it exceeds 0.
#[test]
fn q_continue_holds_a_maze_back() {
    let fixture = Fixture::new("tiny-noctn", "eval.safetensors");
    let [halt, go_on] =
        ["q_halt_logits", "q_continue_logits"].map(|name| &fixture.golden[&format!("step1.{name}")]);
    let leads: Vec<f64> =
        std::iter::zip(&halt.values, &go_on.values).map(|(halt, go_on)| halt - go_on).collect();
    // The golden mazes all halt at once. Raised by the middle of these leads, `q_continue` holds back half.
    let mut sorted = leads.clone();
    sorted.sort_by(f64::total_cmp);
    let raise = (sorted[3] + sorted[4]) / 2.0;
    let (config, mut state) = weights::load_state(&fixture.model()).expect("the model");
    state.0.get_mut("q_head.bias").expect("a q head").values[1] += raise as f32;
    weights::save(&fixture.model(), &config, &state, &weights::ModelCard::default()).expect("written");

    let path = fixture.path("saved.safetensors");
    fixture.eval().args(["--halt", "q", "--max-steps", "2", "--save"]).arg(&path).assert().success();
    let expected: Vec<f64> = leads.iter().map(|lead| if *lead > raise { 1.0 } else { 2.0 }).collect();
    assert_eq!(read(&path)["steps"].values, expected);
    assert_eq!(expected.iter().sum::<f64>(), 12.0);
}

/// Compares saved outputs, as far as the first has rows, bit for bit.
fn assert_same(some: &Tensors, all: &Tensors, context: &str) {
    assert_eq!(some.len(), all.len(), "{context}");
    for (name, tensor) in some {
        let same = tensor.values.iter().zip(&all[name].values).all(|(a, b)| a == b);
        assert!(same, "{context}: {name} differs");
    }
}

/// The step at which each golden row halts.
fn halting_steps(golden: &Tensors, against_q_continue: bool) -> Vec<usize> {
    let halts = |row: usize, step: usize| {
        let q = |name: &str| golden[&format!("step{step}.{name}")].values[row];
        q("q_halt_logits") > if against_q_continue { q("q_continue_logits") } else { 0.0 }
    };
    (0..8).map(|row| (1..4).find(|step| halts(row, *step)).unwrap_or(4)).collect()
}

/// `--limit` evaluates the first rows, and these as in a whole evaluation.
#[test]
fn limit_takes_the_first_rows() {
    let fixture = Fixture::new("tiny-att", "eval.safetensors");
    let [all, some] = ["all", "some"].map(|name| fixture.path(name));
    fixture.eval().arg("--save").arg(&all).assert().success();
    let metrics = json(fixture.eval().args(["--json", "--limit", "3", "--save"]).arg(&some));
    assert_eq!(number(&metrics, "count"), 3.0);
    let (all, some) = (read(&all), read(&some));
    assert_eq!(some["rows"].values, [0.0, 1.0, 2.0]);
    assert_same(&some, &all, "the first 3");
    assert_eq!(number(&json(fixture.eval().args(["--json", "--limit", "9"])), "count"), 8.0);
}

/// `--max-steps` cuts the recursion; steps are saved only on request, even where there is but one.
#[test]
fn max_steps_cuts_the_recursion() {
    let fixture = Fixture::new("tiny-att", "eval.safetensors");
    let path = fixture.path("saved.safetensors");
    let metrics = json(fixture.eval().args(["--json", "--max-steps", "1", "--save"]).arg(&path));
    assert_eq!(number(&metrics, "steps"), 1.0);
    let saved = read(&path);
    assert_eq!(saved["preds"].values, fixture.golden["step1.preds"].values);
    let steps: Vec<&String> = saved.keys().filter(|name| name.starts_with("step1.")).collect();
    assert!(steps.is_empty(), "{steps:?}");
}

/// A table of more identifiers than the data set has fits by its numbers, and is said: it may be another data set's.
#[test]
fn other_identifiers_are_told() {
    let fixture = Fixture::new("tiny-att", "eval.safetensors");
    assert_eq!(json(fixture.eval().arg("--json"))["warning"], Value::Null);
    let data = fixture.path("mazes");
    generate(6, 6, 2, 0, &data).assert().success();
    let mut eval = trm!["eval", "--model", fixture.model(), "--data", &data, "--split", "train", "--json"];
    let warning = json(&mut eval)["warning"].as_str().expect("a warning").to_owned();
    assert!(warning.contains("3 puzzle identifiers") && warning.contains("has 1"), "{warning}");
}

/// `--dtype bf16` computes in bf16: other logits than f32, at the distance of the reference's own bf16.
#[test]
fn bf16_stays_near_f32() {
    let fixture = Fixture::new("tiny-att", "eval.safetensors");
    let [full, half] = ["f32", "bf16"].map(|dtype| {
        let path = fixture.path(dtype);
        let mut eval = fixture.eval();
        eval.args(["--halt", "never", "--dtype", dtype, "--save"]).arg(&path).assert().success();
        read(&path).remove("logits").expect("logits")
    });
    let golden = read(&support::golden("tiny-att").join("eval_bf16.safetensors"));
    let reference = golden["step4.logits"].greatest_difference(&fixture.golden["step4.logits"]);
    let ours = half.greatest_difference(&full);
    assert!(0.0 < ours && ours < 4.0 * reference, "{ours}, the reference's own {reference}");
}

/// Mazes of another side are evaluated where the weights fit them: with a warning where the model has not seen any such, and
/// with more steps on larger boards. How many is said.
#[test]
fn other_sides_are_evaluated_where_weights_fit() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = |side: usize| {
        let data = folder.path().join(format!("data-{side}"));
        generate(side, side, 3, 0, &data).assert().success();
        data
    };
    let eval = |data: &Path| trm!["eval", "--data", data, "--split", "train", "--device", "cpu"];
    let (config, _) = weights::pretrained().expect("a model");
    let [least, greatest] = config.trained_sides();
    let seen = data(least + 1);
    let report = json(eval(&seen).arg("--json"));
    assert_eq!((&report["count"], &report["warning"]), (&value!(3), &Value::Null));
    assert_eq!(report["max_steps"], value!(config.halt_max_steps));
    eval(&seen).assert().success().stderr("");

    for side in [least - 1, greatest + 3] {
        let unseen = data(side);
        let most = config.for_cells(side * side).expect("any side").halt_max_steps;
        let report = json(eval(&unseen).args(["--json", "--limit", "1"]));
        let warning = report["warning"].as_str().expect("a warning");
        assert!(warning.contains(&format!("not {side};")), "{warning}");
        assert_eq!((&report["count"], &report["max_steps"]), (&value!(1), &value!(most)));
        let text =
            eval(&unseen).args(["--limit", "1", "--max-steps", "2", "--halt", "never"]).assert().success();
        let text = text.stderr(contains(format!("warning: {warning}")));
        text.stdout(contains("2.00 on average, at most 2\n"));
    }
}

/// Data that was made for another kind of model is refused before anything is computed.
#[test]
fn data_of_another_kind_is_refused() {
    let fixture = Fixture::new("tiny-att", "eval.safetensors");
    let other = fixture.path("other");
    generate(5, 4, 3, 0, &other).assert().success();
    let mut eval = trm!["eval", "--model", fixture.model(), "--data", &other, "--split", "train"];
    let message = error(&mut eval);
    assert!(message.starts_with("the data set has seq_len 25, but the model 36"), "{message}");

    let mut dataset = fixture.dataset();
    dataset.metadata.num_puzzle_identifiers = 4;
    dataset.save(&fixture.data().join("test")).expect("written");
    let message = error(&mut fixture.eval());
    assert!(message.starts_with("the data set has num_puzzle_identifiers 4, but the model 3"), "{message}");
}

/// A split without puzzles is no evaluation of 0 %: neither `trm eval` nor a training takes it.
#[test]
fn an_empty_split_is_refused() {
    let fixture = Fixture::new("tiny-att", "eval.safetensors");
    let whole = fixture.dataset();
    let empty = Dataset {
        metadata: Metadata { total_groups: 0, total_puzzles: 0, ..whole.metadata.clone() },
        inputs: Vec::new(),
        labels: Vec::new(),
        puzzle_identifiers: Vec::new(),
        puzzle_indices: vec![0],
        group_indices: vec![0],
    };
    whole.save(&fixture.data().join("train")).expect("saved");
    empty.save(&fixture.data().join("test")).expect("saved");
    let said = error(&mut fixture.eval());
    assert!(said.contains("has no puzzles to evaluate"), "{said}");

    let recipe = fixture.path("recipe.toml");
    let data = format!("kind = \"dataset\"\npath = {:?}", text(&fixture.data()));
    let mazes = "kind = \"mazes\"\nside = 4\nmin_path = 2";
    assert!(tiny_run::RECIPE.contains(mazes));
    fs::write(&recipe, tiny_run::RECIPE.replace(mazes, &data)).expect("written");
    let run = fixture.path("run");
    let mut train = trm!["train", recipe, "--output", &run, "--device", "cpu"];
    let cells = format!("model.seq_len={}", whole.metadata.seq_len);
    for setting in ["model.num_puzzle_identifiers=3", &cells] {
        train.args(["--set", setting]);
    }
    let said = error(&mut train);
    assert!(said.contains("has no puzzles to evaluate"), "{said}");
    assert!(!run.exists(), "a run was begun");
}

/// A missing split, data set or model is named.
#[test]
fn missing_folders_are_named() {
    let fixture = Fixture::new("tiny-att", "eval.safetensors");
    let message = error(fixture.eval().args(["--split", "train"]));
    let wanted = format!("{}: has no split `train`, but test", text(&fixture.data()));
    assert!(message.contains(&wanted), "{message}");
    let message = error(&mut trm!["eval", "--model", fixture.path("none"), "--data", fixture.data()]);
    assert!(message.contains(text(&fixture.path("none"))), "{message}");
}

/// The folder of one split is a data set too.
#[test]
fn a_split_is_a_data_set() {
    let fixture = Fixture::new("tiny-att", "eval.safetensors");
    let data = fixture.data().join("test");
    let metrics = json(&mut trm!["eval", "--model", fixture.model(), "--data", data, "--json"]);
    assert_eq!(number(&metrics, "count"), 8.0);
}

/// Outputs that could not be saved are refused before the work, with an error that names the file.
#[test]
fn unwritable_outputs_are_refused_at_once() {
    let fixture = Fixture::new("tiny-att", "eval.safetensors");
    fs::write(fixture.path("file"), "").expect("written");
    let path = fixture.path("file").join("saved.safetensors");
    let assert = fixture.eval().arg("--save").arg(&path).assert();
    assert.code(1).stderr(contains(text(&path))).stdout("");
}

/// Ctrl-C ends an evaluation with the figures, and the outputs, of what was finished.
///
/// Linux tells when the handler is in place: before that, the signal would end the process at once.
#[test]
#[cfg(target_os = "linux")]
fn interrupt_reports_what_is_finished() {
    use std::{
        process::{Child, Command, Stdio},
        thread::sleep,
        time::{Duration, Instant},
    };

    /// Ends the process when the test fails.
    struct Guard(Option<Child>);
    impl Drop for Guard {
        fn drop(&mut self) {
            if let Some(mut child) = self.0.take() {
                let _ = child.kill().and_then(|()| child.wait());
            }
        }
    }

    let fixture = Fixture::new("tiny-att", "eval.safetensors");
    let halts = halting_steps(&fixture.golden, false);
    let quick = halts.iter().filter(|step| **step < 4).count();
    assert!(0 < quick && quick < 8, "{halts:?}");

    // Some mazes halt after a step or two; the others never do, for hours.
    let path = fixture.path("saved.safetensors");
    let mut command = Command::new(env!("CARGO_BIN_EXE_trm"));
    command.arg("eval").arg("--model").arg(fixture.model()).arg("--data").arg(fixture.data());
    command.args(["--device", "cpu", "--max-steps", "100000000", "--json", "--save"]).arg(&path);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let pid = child.id();
    let mut guard = Guard(Some(child));

    let deadline = Instant::now() + Duration::from_secs(60);
    let catches_interrupt = || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("a mask");
        u64::from_str_radix(mask.trim(), 16).expect("hexadecimal") & 2 != 0
    };
    while !catches_interrupt() {
        assert!(Instant::now() < deadline, "no handler after a minute");
        sleep(Duration::from_millis(10));
    }
    sleep(Duration::from_secs(2));
    let kill = Command::new("kill").args(["-INT", &pid.to_string()]).status().expect("kill runs");
    assert!(kill.success());
    let child = guard.0.as_mut().expect("a child");
    while child.try_wait().expect("waited").is_none() {
        assert!(Instant::now() < deadline, "still running a minute after the start");
        sleep(Duration::from_millis(10));
    }
    let output = guard.0.take().expect("a child").wait_with_output().expect("the output");

    assert_eq!(output.status.code(), Some(1));
    let metrics: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let count = number(&metrics, "count");
    assert!(0.0 < count && count < 8.0, "{metrics}");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    let message = format!("error: interrupted; the figures are those of the {count} of 8 mazes");
    assert!(stderr.starts_with(&message), "{stderr}");
    assert_eq!(read(&path)["rows"].values.len() as f64, count);
}

fn number(metrics: &Value, key: &str) -> f64 {
    metrics[key].as_f64().unwrap_or_else(|| panic!("{key} is no number in {metrics}"))
}

/// Several attempts at each puzzle: what each choice reaches stands beside what one attempt and the best of them do; outputs
/// are kept of one attempt only.
#[test]
fn rollouts_tell_what_every_choice_reaches() {
    let fixture = Fixture::new("tiny-att", "eval.safetensors");
    let metrics =
        json(fixture.eval().args(["--rollouts", "3", "--noise", "1.5", "--choose", "majority", "--json"]));
    let rollouts = &metrics["rollouts"];
    assert_eq!(rollouts["attempts"], 3);
    let choices: Vec<&str> = rollouts["choices"]
        .as_array()
        .expect("choices")
        .iter()
        .filter_map(|c| c["choice"].as_str())
        .collect();
    assert!(choices.starts_with(&["q", "majority", "cells", "change"]), "{choices:?}");
    assert_eq!(rollouts["choices"][1]["exact_accuracy"], metrics["exact_accuracy"]);
    let said = stdout(fixture.eval().args(["--rollouts", "2"]));
    assert!(said.contains("any attempt") && said.contains("pass@2") && said.contains("by change"), "{said}");

    let path = fixture.path("saved.safetensors");
    let said = error(fixture.eval().args(["--rollouts", "2", "--save"]).arg(&path));
    assert!(said.contains("one attempt"), "{said}");
}
