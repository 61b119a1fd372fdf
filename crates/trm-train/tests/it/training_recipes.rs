//! Recipes: those that come with the crate, overrides, and what is wrong with others.

use trm_data::{Dataset, Generator, GeneratorConfig};
use trm_model::Core;
use trm_train::{DataRecipe, Recipe};

/// Every recipe that comes with the crate is valid, and complete TOML gives it back.
#[test]
fn recipes_that_come_with_the_crate() {
    for name in Recipe::builtin_names() {
        let recipe = Recipe::load(name, &[]).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(recipe.name, name);
        assert_eq!(Recipe::from_toml("again", &recipe.to_toml(), &[]).expect("complete"), recipe);
    }
}

/// The paper's numbers.
#[test]
fn maze_hard_is_the_paper_s() {
    let recipe = Recipe::load("maze-hard", &[]).expect("a recipe");
    assert_eq!(recipe.training.batch_size, 768);
    assert_eq!(recipe.training.epochs, Some(50_000));
    assert_eq!(recipe.model.num_params(), 6_822_914);
    assert_eq!(
        (recipe.optimizer.lr, recipe.optimizer.weight_decay, recipe.optimizer.warmup_steps),
        (1e-4, 1.0, 2000)
    );
    assert!(matches!(recipe.data, DataRecipe::Dataset { .. }));
}

/// The settings of the HRM's authors: their networks, no moving average, a constant rate after the warm-up.
#[test]
fn hrm_recipes_are_the_authors() {
    let recipe = |name| Recipe::load(name, &[]).expect("a recipe");
    for (name, parameters, cells) in [
        ("hrm-maze-hard", 27_270_146, 900),
        ("hrm-sudoku-extreme", 27_275_266, 81),
        ("hrm-arc", 27_276_290, 900),
    ] {
        let Recipe { model, optimizer, training, .. } = recipe(name);
        assert_eq!((model.core, model.num_params(), model.seq_len), (Core::Hrm, parameters, cells));
        assert_eq!((model.prefix_len(), model.no_act_continue, training.batch_size), (1, false, 768));
        assert_eq!((optimizer.lr, optimizer.warmup_steps, optimizer.min_lr_ratio), (1e-4, 2000, 1.0));
        assert_eq!(optimizer.ema_rate, 0.0);
    }
    let decays = |name| {
        let optimizer = recipe(name).optimizer;
        (optimizer.weight_decay, optimizer.puzzle_emb_weight_decay, optimizer.puzzle_emb_lr)
    };
    assert_eq!(["hrm-maze-hard", "hrm-sudoku-extreme"].map(decays), [(1.0, 1.0, 1e-4); 2]);
    assert_eq!(decays("hrm-arc"), (0.1, 0.1, 1e-2));
    // The reference's spelling changes a preset, and does not meet the preset's own.
    let set = ["model.H_layers=2".to_owned(), "model.L_cycles=3".to_owned()];
    let changed = Recipe::load("hrm-maze-hard", &set).expect("a recipe").model;
    assert_eq!((changed.h_layers, changed.l_cycles, changed.l_layers), (2, 3, 4));
}

/// Overrides take TOML values, bare words, whole numbers for floats, and sections that the recipe leaves out.
#[test]
fn overrides() {
    let set =
        ["optimizer.lr=1", "optimizer.token_loss=softmax", "model.l_cycles=6", "optimizer.clip_norm=0.5"];
    let set: Vec<String> = set.iter().map(|text| (*text).to_owned()).collect();
    let recipe = Recipe::load("maze-small", &set).expect("a recipe");
    assert_eq!((recipe.optimizer.lr, recipe.model.l_cycles, recipe.optimizer.clip_norm), (1.0, 6, Some(0.5)));
    assert_eq!(recipe.optimizer.token_loss, trm_train::loss::TokenLoss::Softmax);
}

/// What cannot be used is refused with the name of its key.
#[test]
fn wrong_values_name_their_key() {
    for (set, parts) in [
        ("training.batchsize=4", vec!["batchsize"]),
        ("model.hidden=4", vec!["hidden"]),
        ("optimiser.lr=4", vec!["optimiser"]),
        ("training.batch_size=0", vec!["training.batch_size = 0"]),
        ("training.batch_size=many", vec!["many"]),
        ("training.micro_batch_size=7", vec!["training.micro_batch_size = 7", "must divide"]),
        ("training.epochs=3", vec!["training.steps", "contradicts training.epochs"]),
        ("data.side=1", vec!["side = 1"]),
        ("model.seq_len=49", vec!["model.seq_len = 49", "mazes of side"]),
        ("data.min_path=10000", vec!["path of 10000"]),
        ("optimizer.lr=-1", vec!["optimizer.lr = -1"]),
        ("optimizer.lr=nan", vec!["optimizer.lr = NaN"]),
        ("optimizer.beta_2=1.5", vec!["optimizer.beta_2 = 1.5"]),
        ("evaluation.metric=luck", vec!["luck", "exact_accuracy"]),
        ("evaluation.every=0", vec!["evaluation.every = 0"]),
        ("checkpoint.keep=0", vec!["checkpoint.keep = 0"]),
        ("name=../x", vec!["name = ../x"]),
        ("model.num_heads=3", vec!["num_heads"]),
        (
            "training.curriculum=[{until_step=5},{until_step=5}]",
            vec!["training.curriculum.until_step = 5, 5"],
        ),
        ("optimizer.label_smoothing=1", vec!["optimizer.label_smoothing = 1", "below 1"]),
        ("training.latent_noise=-1", vec!["training.latent_noise = -1"]),
        ("training.restart_noise=inf", vec!["training.restart_noise = inf"]),
        ("lr", vec!["--set lr", "section.key=value"]),
        ("seed.x=1", vec!["seed is not a section"]),
    ] {
        let error = match Recipe::load("maze-small", &[set.to_owned()]) {
            Ok(_) => panic!("{set} is taken"),
            Err(error) => error.to_string(),
        };
        for part in parts {
            assert!(error.contains(part), "{set}: `{part}` in: {error}");
        }
    }
}

/// A name that is neither a file nor a known recipe lists those there are.
#[test]
fn unknown_names_list_the_known_ones() {
    let error = Recipe::load("maze-harder", &[]).expect_err("unknown").to_string();
    assert!(error.contains("maze-harder") && error.contains("maze-hard-fresh"), "{error}");
}

/// A data set that is there says how large its puzzles are; a preset and the recipe itself come before it.
#[test]
fn a_data_set_says_its_sizes() {
    let folder = tempfile::tempdir().expect("a folder");
    let mazes = Generator::new(GeneratorConfig::new(5, 3, 1)).expect("a generator").take(3);
    Dataset::of_mazes(mazes).expect("mazes").save(&folder.path().join("train")).expect("saved");
    let recipe = |model: &str, path: &str| {
        let text = format!(
            "name = 'x'\nseed = 0\n[model]\n{model}\n[data]\nkind = 'dataset'\npath = {path:?}\n[optimizer]\n\
             lr = 1e-3\nweight_decay = 0\nwarmup_steps = 1\n[training]\nbatch_size = 2\nsteps = 3\n[checkpoint]\n\
             every = 1\nkeep = 1\n"
        );
        Recipe::from_toml("test", &text.replace("weight_decay = 0\n", "weight_decay = 0.0\n"), &[])
    };
    let path = folder.path().to_str().expect("a path");
    let own = "hidden_size = 16\nnum_heads = 2\nh_cycles = 1\nl_cycles = 1\nl_layers = 1\nexpansion = 1.0\n\
               pos_encodings = 'rope'\nhalt_max_steps = 2";
    let model = recipe(own, path).expect("a recipe").model;
    assert_eq!((model.seq_len, model.vocab_size, model.num_puzzle_identifiers), (25, 6, 1));
    let model = recipe(&format!("{own}\nvocab_size = 9"), path).expect("a recipe").model;
    assert_eq!((model.seq_len, model.vocab_size), (25, 9));
    assert_eq!(recipe("preset = 'maze-hard'", path).expect("a recipe").model.seq_len, 900);
    let error = recipe(own, "/nowhere").expect_err("no sizes").to_string();
    assert!(error.contains("vocab_size"), "{error}");
}
