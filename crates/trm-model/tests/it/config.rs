//! The configuration: what it computes, what it refuses, and how it is spelled in files.

use std::path::PathBuf;

use crate::support::golden;
use burn::{backend::Flex, tensor::Tensor};
use proptest::prelude::*;
use tempfile::{TempDir, tempdir};
use trm_model::{
    Core, Error, Mixing, PosEncodings, Precision, Preset, QLogits, TrmConfig,
    weights::{Architecture, TensorSpec, layout, read_architecture},
};

fn maze() -> TrmConfig {
    Preset::MazeHard.config()
}

/// Reads `text` as a file of this name.
fn read(name: &str, text: &str) -> trm_model::Result<Architecture> {
    let folder: TempDir = tempdir().expect("a folder");
    let path: PathBuf = folder.path().join(name);
    std::fs::write(&path, text).expect("it can be written");
    read_architecture(path.to_str().expect("a plain path"))
}

/// The message of a file that does not parse.
#[track_caller]
fn complaint(name: &str, text: &str) -> String {
    match read(name, text) {
        Err(Error::ConfigFile { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

/// Every field out of range is named, with its value.
#[test]
fn fields_out_of_range_are_named() {
    type Change = fn(&mut TrmConfig);
    let cases: [(&str, &str, Change); 42] = [
        ("vocab_size", "0", |c| c.vocab_size = 0),
        ("seq_len", "0", |c| c.seq_len = 0),
        ("trained_sides", "[30, 0]", |c| c.trained_sides = vec![30, 0]),
        ("trained_sides", "[4097]", |c| c.trained_sides = vec![4097]),
        ("num_puzzle_identifiers", "0", |c| c.num_puzzle_identifiers = 0),
        ("h_cycles", "0", |c| c.h_cycles = 0),
        ("l_cycles", "0", |c| c.l_cycles = 0),
        ("l_layers", "0", |c| c.l_layers = 0),
        ("hidden_size", "0", |c| c.hidden_size = 0),
        ("num_heads", "0", |c| c.num_heads = 0),
        ("halt_max_steps", "0", |c| c.halt_max_steps = 0),
        ("vocab_size", "16777217", |c| c.vocab_size = (1 << 24) + 1),
        ("seq_len", &usize::MAX.to_string(), |c| c.seq_len = usize::MAX),
        ("hidden_size", &usize::MAX.to_string(), |c| c.hidden_size = usize::MAX),
        ("puzzle_emb_ndim", &usize::MAX.to_string(), |c| c.puzzle_emb_ndim = usize::MAX),
        ("puzzle_emb_len", &usize::MAX.to_string(), |c| c.puzzle_emb_len = usize::MAX),
        ("halt_max_steps", &usize::MAX.to_string(), |c| c.halt_max_steps = usize::MAX),
        // A list of their tensors alone would fill the memory.
        ("l_layers", "16777216", |c| c.l_layers = 1 << 24),
        ("h_layers", "4", |c| c.h_layers = 4), // a TRM has one network
        ("h_layers", "0", |c| c.core = Core::Hrm),
        ("h_layers", "1025", |c| (c.core, c.h_layers) = (Core::Hrm, 1025)),
        ("puzzle_emb_len", "16", |c| (c.core, c.h_layers) = (Core::Hrm, 4)),
        ("num_heads", "7", |c| c.num_heads = 7),
        ("num_heads", "512", |c| c.num_heads = 512), // heads of width 1 have no pairs to rotate
        ("seq_len", "901", |c| (c.pos_encodings, c.seq_len) = (PosEncodings::Rope2d, 901)),
        ("num_heads", "256", |c| (c.pos_encodings, c.num_heads) = (PosEncodings::Rope2d, 256)),
        ("puzzle_emb_ndim", "8193", |c| c.puzzle_emb_ndim = 16 * 512 + 1),
        ("expansion", "0", |c| c.expansion = 0.0),
        ("expansion", "-4", |c| c.expansion = -4.0),
        ("expansion", "NaN", |c| c.expansion = f64::NAN),
        ("expansion", "inf", |c| c.expansion = f64::INFINITY),
        ("expansion", "0.001", |c| c.expansion = 0.001), // rounds to no inner width at all
        ("expansion", "0.005", |c| (c.expansion, c.mixing, c.seq_len) = (0.005, Mixing::MlpT, 81)),
        ("rms_norm_eps", "-0.1", |c| c.rms_norm_eps = -0.1),
        ("rms_norm_eps", "NaN", |c| c.rms_norm_eps = f64::NAN),
        ("rope_theta", "0", |c| c.rope_theta = 0.0),
        ("rope_theta", "inf", |c| c.rope_theta = f64::INFINITY),
        ("halt_exploration_prob", "1.5", |c| c.halt_exploration_prob = 1.5),
        ("halt_exploration_prob", "-0.1", |c| c.halt_exploration_prob = -0.1),
        ("halt_exploration_prob", "NaN", |c| c.halt_exploration_prob = f64::NAN),
        ("hidden_size", "16777216", |c| c.hidden_size = 1 << 24),
        ("hidden_size", "512", |c| (c.num_puzzle_identifiers, c.puzzle_emb_ndim) = (1 << 24, 512)),
    ];
    maze().validate().expect("the preset itself is valid");
    for (field, value, change) in cases {
        let mut config = maze();
        change(&mut config);
        match config.validate() {
            Err(Error::Config { field: met, value: shown, .. }) => assert_eq!((met, &*shown), (field, value)),
            other => panic!("{field} = {value}: {other:?}"),
        }
    }
}

/// Limits that only matter for what uses them do not stand in the way of the rest.
#[test]
fn unusual_networks_are_valid() {
    for config in [
        TrmConfig { num_heads: 512, pos_encodings: PosEncodings::Learned, ..maze() },
        TrmConfig { num_heads: 512, mixing: Mixing::MlpT, ..maze() },
        TrmConfig { puzzle_emb_ndim: 0, puzzle_emb_len: 0, ..maze() },
        TrmConfig { puzzle_emb_ndim: 16 * 512, ..maze() },
        TrmConfig { puzzle_emb_ndim: 1000, puzzle_emb_len: 0, ..maze() },
        TrmConfig { rms_norm_eps: 0.0, halt_exploration_prob: 1.0, halt_max_steps: 1, ..maze() },
    ] {
        config.validate().expect("a network that can be built");
    }
}

/// The figures of the reference: parameters, positions, passes and the work of a pass.
#[test]
fn maze_hard_has_the_references_figures() {
    let maze = maze();
    assert_eq!(maze.num_params(), 6_822_914);
    let others: usize = layout(&maze).iter().filter(|spec| !spec.trained).map(TensorSpec::values).sum();
    assert_eq!(others, 1_536);
    assert_eq!((maze.prefix_len(), maze.total_len(), maze.head_dim()), (16, 916, 64));
    assert_eq!(maze.passes_per_step(), 15);
    let gflop = maze.flops_per_pass() / 1e9;
    assert!((15.85..15.95).contains(&gflop), "{gflop} GFLOP");
}

/// Blocks that a sequence of an HRM goes through: 2 x (2 x 4 + 4) in a step; in training the same for the target of
/// `q_continue`, and the backward pass of the last 4 + 4 costs twice as much as forward.
#[test]
fn an_hrm_counts_both_networks() {
    let hrm = Preset::HrmMazeHard.config();
    let others: usize = layout(&hrm).iter().filter(|spec| !spec.trained).map(TensorSpec::values).sum();
    assert_eq!((others, hrm.prefix_len(), hrm.total_len()), (1_536, 1, 901));
    let block = hrm.flops_per_pass() / 4.0;
    let blocks = |flops: f64| (flops / block).round() as usize;
    assert_eq!((blocks(hrm.flops_per_step()), blocks(hrm.flops_per_training_step())), (24, 24 + 24 + 16));
    let uneven = TrmConfig { h_layers: 3, l_layers: 2, h_cycles: 3, l_cycles: 5, ..hrm };
    assert_eq!(blocks(uneven.flops_per_step()), 3 * (5 * 2 + 3));
    let narrow = TrmConfig { hidden_size: 256, ..uneven };
    assert_eq!(narrow.prefix_len(), 2, "512 numbers fill two positions of 256");
    narrow.validate().expect("a network that can be built");

    let maze = maze();
    assert_eq!(maze.flops_per_step(), 15.0 * maze.flops_per_pass());
    assert_eq!(maze.flops_per_training_step(), 25.0 * maze.flops_per_pass());
}

/// The other presets differ in the vocabulary, the canvas and the mixing of positions.
#[test]
fn presets_have_the_papers_sizes() {
    let sizes = Preset::ALL.map(|preset| (preset.name(), preset.config().num_params()));
    assert_eq!(
        sizes,
        [
            ("maze-hard", 6_822_914),
            ("sudoku-extreme-mlp", 5_028_866),
            ("sudoku-extreme-att", 6_828_034),
            ("arc", 6_829_058),
            ("hrm-maze-hard", 27_270_146),
            ("hrm-sudoku-extreme", 27_275_266),
            ("hrm-arc", 27_276_290),
        ]
    );
    for preset in Preset::ALL {
        preset.config().validate().expect("a preset is valid");
        assert_eq!(preset.name().parse::<Preset>().expect("its name"), preset);
    }
    let message = "maze-easy".parse::<Preset>().expect_err("no such preset").to_string();
    assert!(
        message.contains("maze-easy") && Preset::ALL.iter().all(|p| message.contains(p.name())),
        "{message}"
    );
}

/// Python rounds half to even, then the width goes up to a multiple of 256.
#[test]
fn swiglu_width_is_the_references() {
    let inner = |expansion, width| TrmConfig { expansion, ..maze() }.swiglu_inner(width);
    assert_eq!(inner(4.0, 512), 1536);
    assert_eq!(inner(4.0, 64), 256);
    assert_eq!(inner(4.0, 916), 2560);
    assert_eq!(inner(4.0, 97), 512);
    assert_eq!(inner(4.0, 96), 256); // 256 exactly
    assert_eq!(inner(0.75, 513), 256); // 256.5 to even
    assert_eq!(inner(0.75, 514), 512); // 257
    assert_eq!(inner(0.75, 1025), 512); // 512.5 to even
}

/// Configurations of the reference, and the number of parameters that it logged for them.
#[test]
fn golden_configurations() {
    let folders = [
        ("tiny-att", 131_970),
        ("tiny-mlp", 179_074),
        ("tiny-learned", 135_298),
        ("tiny-noctn", 131_970),
        ("maze-full", 6_822_914),
        ("tiny-hrm", 263_042),
    ];
    for (folder, parameters) in folders {
        let folder = golden(folder);
        let path = folder.join("config.json");
        let Architecture { config, ignored } =
            read_architecture(path.to_str().expect("a plain path")).expect("it reads");
        assert_eq!(config.num_params(), parameters, "{}", path.display());
        assert!(ignored.iter().any(|key| key == "batch_size"), "{ignored:?}");
        let is_hrm = folder.ends_with("tiny-hrm");
        assert_eq!(config.no_act_continue, !folder.ends_with("tiny-noctn") && !is_hrm);
        assert_eq!(config.core == Core::Hrm, is_hrm);
    }
}

/// The reference's spelling as its files have it, with everything that says nothing about the network.
const REFERENCE: &str = r#"{
    "batch_size": 8, "seq_len": 36, "puzzle_emb_ndim": 64, "num_puzzle_identifiers": 3, "vocab_size": 6,
    "H_cycles": 2, "L_cycles": 3, "H_layers": 0, "L_layers": 1, "hidden_size": 64, "expansion": 4,
    "num_heads": 2, "pos_encodings": "learned", "rms_norm_eps": 1e-05, "rope_theta": 10000.0,
    "halt_max_steps": 4, "halt_exploration_prob": 0.25, "forward_dtype": "bfloat16", "mlp_t": true,
    "puzzle_emb_len": 16, "no_ACT_continue": false, "training": {"steps": 5}
}"#;

/// The same in ours.
const OURS: &str = r#"
    seq_len = 36
    puzzle_emb_ndim = 64
    num_puzzle_identifiers = 3
    vocab_size = 6
    h_cycles = 2
    l_cycles = 3
    l_layers = 1
    hidden_size = 64
    expansion = 4.0
    num_heads = 2
    pos_encodings = "learned"
    halt_max_steps = 4
    halt_exploration_prob = 0.25
    forward_dtype = "bf16"
    mlp_t = true
    no_act_continue = false
"#;

/// Both spellings give one architecture; what the reference adds is passed over, and said to be.
#[test]
fn both_spellings_are_read() {
    let reference = read("config.json", REFERENCE).expect("the reference's");
    let ours = read("config.toml", OURS).expect("ours");
    assert_eq!(reference.config, ours.config);
    assert_eq!(reference.ignored, ["batch_size", "training"]);
    assert!(ours.ignored.is_empty());
    let config = reference.config;
    assert_eq!((config.h_cycles, config.l_cycles, config.l_layers), (2, 3, 1));
    assert_eq!((config.no_act_continue, config.forward_dtype), (false, Precision::Bf16));

    let section = format!(r#"{{"arch": {REFERENCE}, "lr": 1e-4}}"#);
    assert_eq!(read("all_config.json", &section).expect("a run's file").config, config);
}

/// An HRM is told by `H_layers` above 0 or by its name. What its code does not look at is passed over; what it has no setting
/// for is as it is there.
#[test]
fn the_references_hrm_is_told_by_layers_or_name() {
    let hrm = REFERENCE.replace("\"H_layers\": 0", "\"H_layers\": 3");
    let found = read("config.json", &hrm).expect("an HRM");
    assert_eq!(found.ignored, ["batch_size", "no_ACT_continue", "puzzle_emb_len", "training"]);
    let TrmConfig { core, h_layers, l_layers, puzzle_emb_len, no_act_continue, .. } = found.config.clone();
    assert_eq!((core, h_layers, l_layers, puzzle_emb_len, no_act_continue), (Core::Hrm, 3, 1, 0, false));

    let named = hrm.replacen('{', r#"{"name": "hrm.hrm_act_v1@HierarchicalReasoningModel_ACTV1","#, 1);
    assert_eq!(read("config.json", &named).expect("an HRM").config, found.config);
    let none = read("config.json", &named.replace("\"H_layers\": 3", "\"H_layers\": 0"));
    assert!(matches!(none, Err(Error::Config { field: "h_layers", .. })), "{none:?}");

    let ours = toml::to_string(&found.config).expect("TOML");
    assert!(ours.contains("core = \"hrm\"") && ours.contains("h_layers = 3"), "{ours}");
    assert_eq!(read("config.toml", &ours).expect("ours").config, found.config);
    let trm = serde_json::to_string(&maze()).expect("JSON");
    assert!(!trm.contains("core") && !trm.contains("h_layers"), "as it was before there were others: {trm}");
}

/// Left out, the optional fields have the reference's defaults.
#[test]
fn optional_fields_have_defaults() {
    let text = r#"{"vocab_size": 6, "seq_len": 36, "num_puzzle_identifiers": 1, "h_cycles": 2, "l_cycles": 3,
        "l_layers": 1, "hidden_size": 64, "num_heads": 2, "expansion": 4, "pos_encodings": "rope",
        "halt_max_steps": 4}"#;
    let config = read("config.json", text).expect("it reads").config;
    assert_eq!((config.puzzle_emb_ndim, config.puzzle_emb_len, config.mixing), (0, 16, Mixing::Attention));
    assert_eq!((config.rms_norm_eps, config.rope_theta), (1e-5, 1e4));
    assert_eq!((config.no_act_continue, config.forward_dtype), (true, Precision::F32));
}

/// A misspelled key in a file of our own would silently change the network.
#[test]
fn unknown_keys_of_our_own_files_are_refused() {
    let reason = complaint("config.toml", &format!("{OURS}\nhiden_size = 3"));
    assert!(reason.contains("hiden_size"), "{reason}");
    let reason = complaint("config.toml", &OURS.replace("l_cycles = 3", ""));
    assert!(reason.contains("l_cycles"), "{reason}");
    let reason = complaint("config.toml", &format!("{OURS}\nH_cycles = 2"));
    assert!(reason.contains("duplicate field `h_cycles`"), "{reason}");
}

/// Values of the wrong kind, and files of another kind, name what they met.
#[test]
fn files_that_do_not_parse_are_refused() {
    for (from, to, part) in [
        ("seq_len = 36", "seq_len = -1", "-1"),
        ("seq_len = 36", "seq_len = 36.5", "36.5"),
        ("seq_len = 36", "seq_len = \"36\"", "string"),
        ("\"learned\"", "\"sine\"", "sine"),
        ("\"bf16\"", "\"float8\"", "float8"),
    ] {
        let reason = complaint("config.toml", &OURS.replacen(from, to, 1));
        assert!(reason.contains(part), "no {part} in {reason}");
    }
    complaint("config.json", "");
    complaint("config.json", OURS);
    complaint("config.json", "[6, 900]");
    complaint("config.json", &"{\"arch\":".repeat(100_000));
    assert!(matches!(
        read("config.toml", &OURS.replace("36", "99999999999")),
        Err(Error::Config { field: "seq_len", .. })
    ));
}

/// A name that is no preset lists those that are; a path that is no file says so.
#[test]
fn names_and_paths() {
    assert_eq!(read_architecture("maze-hard").expect("a preset").config, maze());
    assert!(matches!(read_architecture("maze-easy"), Err(Error::UnknownPreset { .. })));
    assert!(matches!(read_architecture("no/such/config.json"), Err(Error::Read { .. })));
    let folder = tempdir().expect("a folder");
    assert!(matches!(read_architecture(folder.path().to_str().expect("a path")), Err(Error::Read { .. })));
}

/// Files of the reference take the number of identifiers from the data set, so the weights decide.
#[test]
fn identifiers_come_from_the_weights() {
    let arc =
        TrmConfig { num_puzzle_identifiers: 9, hidden_size: 8, num_heads: 1, puzzle_emb_ndim: 8, ..maze() };
    let state = trm_model::weights::StateDict::initial(&arc, 1);
    let architecture =
        Architecture { config: TrmConfig { num_puzzle_identifiers: 1, ..arc.clone() }, ignored: vec![] };
    assert_eq!(architecture.fit(&state), arc);
}

proptest! {
    /// What is written is read back to the last bit.
    #[test]
    fn serde_round_trip(
        sizes in prop::array::uniform8(1_usize..10_000),
        expansion in 0.1..10.0_f64,
        eps in 0.0..1.0_f64,
        theta in 1.0..1e6_f64,
        no_act_continue in any::<bool>(),
        mixing in prop::sample::select(vec![Mixing::Attention, Mixing::MlpT, Mixing::Neighbours, Mixing::Units]),
        pos in prop::sample::select(vec![PosEncodings::Rope, PosEncodings::Learned, PosEncodings::None]),
        forward_dtype in prop::sample::select(vec![Precision::F32, Precision::Bf16]),
    ) {
        let [vocab_size, seq_len, puzzle_emb_ndim, puzzle_emb_len, h_cycles, l_cycles, hidden_size, num_heads] = sizes;
        let config = TrmConfig {
            vocab_size, seq_len, puzzle_emb_ndim, puzzle_emb_len, h_cycles, l_cycles, hidden_size, num_heads,
            expansion, rms_norm_eps: eps, rope_theta: theta, mixing, no_act_continue, pos_encodings: pos,
            forward_dtype, ..maze()
        };
        let json = serde_json::to_string(&config).expect("it serializes");
        prop_assert_eq!(&serde_json::from_str::<TrmConfig>(&json).expect("it parses"), &config);
        let toml = toml::to_string(&config).expect("it serializes");
        prop_assert_eq!(&toml::from_str::<TrmConfig>(&toml).expect("it parses"), &config);
    }

    /// Whatever the sizes, checking them neither panics nor takes memory.
    #[test]
    fn validation_never_panics(
        sizes in prop::array::uniform10(prop_oneof![0..=2_usize, 0..=1024_usize, (0..=64_u32).prop_map(|b| 1_usize.checked_shl(b).unwrap_or(usize::MAX)), Just(usize::MAX)]),
        expansion in prop_oneof![any::<f64>(), 0.0..10.0_f64],
        mixing in prop::sample::select(vec![Mixing::Attention, Mixing::MlpT, Mixing::Neighbours, Mixing::Units]),
        pos in prop::sample::select(vec![PosEncodings::Rope, PosEncodings::Learned, PosEncodings::None]),
    ) {
        let [vocab_size, seq_len, ndim, emb_len, h_cycles, l_cycles, l_layers, hidden_size, num_heads, ids] = sizes;
        let config = TrmConfig {
            vocab_size, seq_len, puzzle_emb_ndim: ndim, puzzle_emb_len: emb_len, h_cycles, l_cycles, l_layers,
            hidden_size, num_heads, num_puzzle_identifiers: ids, expansion, mixing, pos_encodings: pos, ..maze()
        };
        if config.validate().is_ok() {
            let values: usize = layout(&config).iter().map(TensorSpec::values).sum();
            prop_assert!(values <= 1 << 32);
        }
    }
}

/// A model that learnt both logits compares them; one that learnt the first alone compares it to 0.
#[test]
fn models_halt_by_what_they_learnt() {
    let [alone, both] =
        [true, false].map(|no_act_continue| TrmConfig { no_act_continue, ..Preset::MazeHard.config() });
    for (q_halt, q_continue, of_alone, of_both) in [
        (1.0, 2.0, true, false),
        (-1.0, -2.0, false, true),
        (1.0, -1.0, true, true),
        (0.0, 0.0, false, false),
    ] {
        let [q_halt, q_continue] = [q_halt, q_continue]
            .map(|logit: f32| Tensor::<Flex, 1>::from_floats([logit], &Default::default()));
        let q = QLogits { q_halt, q_continue };
        let halts = |config| q.wants_to_halt(config).into_data().iter::<bool>().collect::<Vec<_>>();
        assert_eq!((halts(&alone), halts(&both)), (vec![of_alone], vec![of_both]));
    }
}
