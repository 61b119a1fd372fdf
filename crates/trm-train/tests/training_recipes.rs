//! Recipes: those that come with the crate, overrides, and what is wrong with others.

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
