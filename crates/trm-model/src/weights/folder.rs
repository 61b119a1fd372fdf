//! The native folder of a model: `config.json`, `model.safetensors` and a model card, as the Hub wants it.

use std::{fmt::Write, fs, path::Path};
use trm_kernels::Kernels;

use super::{CONFIG_FILE, MODEL_FILE, StateDict, safetensors};
use crate::{Error, Result, Trm, TrmConfig};

const CARD_FILE: &str = "README.md";

/// What a model card says beside the architecture.
#[derive(Clone, Debug, Default)]
pub struct ModelCard {
    /// The model's name.
    pub name: String,
    /// Where the weights come from, in a sentence or a paragraph of Markdown.
    pub origin: String,
}

/// Writes a model folder; the configuration comes last, so that a folder that has one is whole.
///
/// # Errors
/// Those of [`StateDict::check`], [`Error::Write`].
pub fn save(folder: &Path, config: &TrmConfig, state: &StateDict, card: &ModelCard) -> Result<()> {
    config.validate()?;
    state.check(config)?;
    let model_path = folder.join(MODEL_FILE);
    let config_json = serde_json::to_string_pretty(config)
        .map_err(|error| Error::ConfigFile { path: folder.join(CONFIG_FILE), reason: error.to_string() })?;
    safetensors::write(&model_path, &state.named())?;
    trm_data::files::write_atomic(&folder.join(CARD_FILE), card.to_markdown(config, state).as_bytes())?;
    trm_data::files::write_atomic(&folder.join(CONFIG_FILE), format!("{config_json}\n").as_bytes())?;
    Ok(())
}

/// Reads the architecture and the weights of a model folder.
///
/// # Errors
/// [`Error::Read`], [`Error::ConfigFile`], [`Error::Config`], [`Error::Checkpoint`], and those of
/// [`StateDict::check`].
pub fn load_state(folder: &Path) -> Result<(TrmConfig, StateDict)> {
    let config = read_config(folder)?;
    let path = folder.join(MODEL_FILE);
    let state = parse_state(&config, &path, &read(&path)?)?;
    Ok((config, state))
}

/// Reads the architecture of a model folder.
pub(super) fn read_config(folder: &Path) -> Result<TrmConfig> {
    let path = folder.join(CONFIG_FILE);
    parse_config(&path, &read(&path)?)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// The architecture from the contents of a model folder's file; the path is for errors.
pub(crate) fn parse_config(path: &Path, config: &[u8]) -> Result<TrmConfig> {
    let fail = |reason: String| Error::ConfigFile { path: path.to_owned(), reason };
    let text = trm_data::text::decode(config).map_err(|error| fail(error.to_string()))?;
    let config: TrmConfig = serde_json::from_str(text).map_err(|error| fail(error.to_string()))?;
    config.validate()?;
    Ok(config)
}

/// The weights of this architecture from the contents of a model folder's file; the path is for errors.
pub(crate) fn parse_state(config: &TrmConfig, path: &Path, model: &[u8]) -> Result<StateDict> {
    let (state, _) = safetensors::read(path, model)?;
    state.check(config)?;
    Ok(state)
}

/// Loads a model folder onto a device.
///
/// # Errors
/// Those of [`load_state`].
pub fn load<B: Kernels>(folder: &Path, device: &B::Device) -> Result<Trm<B>> {
    let (config, state) = load_state(folder)?;
    Trm::from_state(&config, &state, device)
}

impl ModelCard {
    fn to_markdown(&self, config: &TrmConfig, state: &StateDict) -> String {
        let mut card = format!(
            "---\nlibrary_name: trm\ntags: [trm, tiny-recursive-model, burn]\n---\n\n# {}\n\n{}\n\n",
            self.name, self.origin,
        );
        let _ = writeln!(
            card,
            "A {}: {} trained weights ({} values in the file), hidden size {}, {} with {}, {} H cycles of {} L \
             cycles, at most {} supervision steps.\n",
            config.core.part().title(),
            config.num_params(),
            state.values(),
            config.hidden_size,
            config.core.part().layers(config),
            config.mixing,
            config.h_cycles,
            config.l_cycles,
            config.halt_max_steps,
        );
        let _ = writeln!(
            card,
            "It reads {} tokens out of {} kinds and answers with as many. `{CONFIG_FILE}` holds the architecture, \
             `{MODEL_FILE}` the weights under the reference's names; linear weights are `[out, in]`.\n",
            config.seq_len, config.vocab_size,
        );
        card.push_str("```sh\ntrm eval --model . --data DATA --split test\n```\n");
        card
    }
}
