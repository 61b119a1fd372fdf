//! The recipes that come with the repository.

use std::fs;
use std::path::Path;

use trm_data::DatasetRecipe;

/// Every recipe can be read and begins by saying what it makes, how large it is, how long it takes and how to run it.
#[test]
fn all_recipes_are_valid_and_documented() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets");
    let paths: Vec<_> =
        fs::read_dir(folder).expect("datasets").map(|entry| entry.expect("entry").path()).collect();
    let recipes = paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    let mut count = 0;
    for path in recipes {
        let recipe = DatasetRecipe::load(path).expect("recipe");
        let verb = match recipe {
            DatasetRecipe::Build(_) => "build",
            DatasetRecipe::Generate(_) => "generate",
        };
        let text = fs::read_to_string(path).expect("text");
        let name = path.file_name().and_then(|name| name.to_str()).expect("name");
        let command = format!("# Command: trm data {verb} --recipe datasets/{name} ");
        for line in ["# Size: ", "# Time: ", &command] {
            assert!(text.contains(line), "{name} has no line {line:?}");
        }
        count += 1;
    }
    assert!(count >= 6, "{count} recipes");
}
