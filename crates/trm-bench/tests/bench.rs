//! The benchmark, on the CPU: it finds wrong numbers, and its report can be read and compared.

use std::fs;

use burn::backend::Flex;
use tempfile::tempdir;
use trm_bench::{About, Options, Report, Work, bench};
use trm_model::{Precision, Preset, TrmConfig, weights::pretrained};

fn options() -> Options {
    let config = TrmConfig {
        seq_len: 16,
        hidden_size: 32,
        num_heads: 2,
        l_layers: 1,
        h_cycles: 2,
        l_cycles: 1,
        puzzle_emb_ndim: 0,
        puzzle_emb_len: 1,
        ..Preset::MazeHard.config()
    };
    Options {
        config,
        batches: vec![1, 3],
        works: Work::ALL.to_vec(),
        micro_batch: None,
        precision: Precision::F32,
        seconds: 0.01,
        golden: None,
        against_cpu: true,
        evaluation: None,
    }
}

fn run(options: &Options) -> Report {
    let about = About { program: "a test".to_owned(), ..About::default() };
    bench::<Flex>(&Default::default(), about, options, &mut |_, _| ()).expect("a report")
}

/// Every piece of work is timed, a model is evaluated under both rules, and the file that is written says the same.
#[test]
fn a_report_is_whole_and_can_be_read_back() {
    let (config, state) = pretrained().expect("it comes along");
    let (options, about) = (Options { evaluation: Some((config, state, 5)), ..options() }, About::default());
    let mut told = Vec::new();
    let mut tell = |_: &str, found: &Report| told.push(found.measurements.len());
    let report = bench::<Flex>(&Default::default(), about, &options, &mut tell).expect("a report");
    assert!(report.failures.is_empty(), "{:?}", report.failures);
    assert_eq!(told.last(), Some(&report.measurements.len()), "what was found is told as it comes");
    assert!(told.is_sorted() && told[0] == 0, "{told:?}");
    assert!(report.parity_holds() && report.parity.len() == 3, "{:?}", report.parity);
    assert_eq!(report.measurements.len(), 2 * Work::ALL.len());
    for row in &report.measurements {
        assert!(row.error.is_none() && row.seconds.is_some_and(|seconds| seconds > 0.0), "{row:?}");
        assert!(row.runs >= 3 && row.utilisation.is_some_and(|share| share > 0.0), "{row:?}");
    }
    let steps: Vec<f64> = report.evaluations.iter().map(|row| row.steps).collect();
    assert!(steps.contains(&24.0) && steps.iter().any(|steps| *steps < 24.0), "{steps:?}");

    let folder = tempdir().expect("a folder");
    let path = folder.path().join("report.json");
    fs::write(&path, serde_json::to_string(&report).expect("JSON")).expect("written");
    let read = Report::read(&path).expect("read");
    assert_eq!(serde_json::to_value(&read).expect("JSON"), serde_json::to_value(&report).expect("JSON"));

    let twice = Report {
        measurements: report
            .measurements
            .iter()
            .cloned()
            .map(|row| trm_bench::Measurement { seconds: row.seconds.map(|seconds| 2.0 * seconds), ..row })
            .collect(),
        ..report.clone()
    };
    let table = report.to_text(Some(&twice));
    assert_eq!(table.matches("2.00 times as fast").count(), report.measurements.len(), "{table}");
}

/// The reference's numbers are met; those of another recursion are found to be wrong.
#[test]
fn golden_numbers_that_are_wrong_are_found() {
    let golden = trm_testing::golden("tiny-att");
    let folder = tempdir().expect("a folder");
    let copy = folder.path().join("tiny-att");
    fs::create_dir(&copy).expect("made");
    for name in ["checkpoint.pt", "config.json", "eval.safetensors"] {
        fs::copy(golden.join(name), copy.join(name)).expect("copied");
    }
    let checked = || {
        let golden = Some(folder.path().to_owned());
        run(&Options { golden, against_cpu: false, works: vec![], ..options() })
    };
    let right = checked();
    assert!(right.parity_holds() && right.parity.len() == 1, "{:?}", right.parity);

    let config = fs::read_to_string(copy.join("config.json")).expect("read");
    let other = config.replace("\"L_cycles\": 3", "\"L_cycles\": 2");
    assert_ne!(config, other);
    fs::write(copy.join("config.json"), other).expect("written");
    let wrong = checked();
    assert!(!wrong.parity_holds() && wrong.to_text(None).contains("FAIL"), "{:?}", wrong.parity);
}
