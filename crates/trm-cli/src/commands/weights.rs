//! `trm weights`: model folders and checkpoints fetched, pushed, imported, exported and shown.

use std::{
    io::{Write, stdout},
    path::Path,
};

use indicatif::{BinaryBytes, DecimalBytes};
use serde_json::json;
use trm_data::metadata_of;
use trm_hub::{Upload, published, resolve_weights};
use trm_model::{
    TrmConfig,
    weights::{self, CheckpointFormat, Imported, Listing},
};

use super::hub::connect;
use crate::{
    Result,
    flags::{ExportArgs, FetchArgs, HubArgs, ImportArgs, KnownArgs, PushArgs, WeightsCommand},
    messages::warn,
    progress::Transfer,
};

pub fn run(command: WeightsCommand) -> Result<()> {
    match command {
        WeightsCommand::Known(args) => known(&args),
        WeightsCommand::Fetch(args) => fetch(&args),
        WeightsCommand::Push(args) => push(&args),
        WeightsCommand::Import(args) => import(&args),
        WeightsCommand::Export(args) => export(&args),
        WeightsCommand::Show(args) => show(&args.path, args.state.as_deref()),
    }
}

fn known(args: &KnownArgs) -> Result<()> {
    let mut out = stdout();
    if args.json {
        let list = published::CHECKPOINTS.iter().map(|checkpoint| {
            json!({
                "name": checkpoint.to_string(),
                "task": checkpoint.task.to_string(),
                "arch": checkpoint.arch,
                "score": checkpoint.score.map(|score| score.to_string()),
                "bytes": checkpoint.bytes,
                "licence": checkpoint.licence,
            })
        });
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&list.collect::<Vec<_>>())?)?);
    }
    let mut task = None;
    for checkpoint in &published::CHECKPOINTS {
        if task.replace(checkpoint.task) != Some(checkpoint.task) {
            writeln!(out, "{}", checkpoint.task)?;
        }
        let score = checkpoint.score.map_or_else(|| "no score".to_owned(), |score| score.to_string());
        let (size, licence) =
            (DecimalBytes(checkpoint.bytes).to_string(), checkpoint.licence.unwrap_or("no licence"));
        writeln!(out, "  {checkpoint:<77} {:<18} {score:<29} {size:>9}  {licence}", checkpoint.arch)?;
    }
    Ok(writeln!(out, "Fetch one with `trm weights fetch NAME --output DIR`.")?)
}

fn fetch(args: &FetchArgs) -> Result<()> {
    let hub = connect(&args.hub)?;
    let found = resolve_weights(&hub, &args.weights, &Transfer::default())?;
    let origin = format!("Downloaded from the Hub: `{}`, file `{}`.", found.repo, found.file);
    let known = found.published.map(|checkpoint| checkpoint.arch);
    let arch = args.arch.as_deref().or(known);
    let adopted =
        weights::adopt(&found.path, found.config.as_deref(), (arch, args.cells), &args.output, &origin)?;
    if let Some(imported) = adopted {
        return say_imported(&found.path, arch.unwrap_or_default(), &imported, &args.output);
    }
    let name = Path::new(&found.file).file_name().unwrap_or(found.file.as_ref());
    let target = args.output.join(name);
    trm_data::files::write_atomic(&target, &std::fs::read(&found.path)?)?;
    let path = target.display();
    writeln!(stdout(), "{path}: a checkpoint; make a model folder of it with")?;
    Ok(writeln!(stdout(), "  trm weights import {path} --arch PRESET|FILE --output DIR")?)
}

fn push(args: &PushArgs) -> Result<()> {
    let mut upload = Upload::model(&args.model)?;
    let (config, _) = weights::load_state(&args.model)?;
    upload.private = args.private;
    if let Some(message) = &args.message {
        upload.message.clone_from(message);
    }
    if let Some(branch) = &args.revision {
        upload = upload.to_branch(branch)?;
    }
    let mut out = stdout();
    if !args.json {
        writeln!(out, "{}: a model folder, {} trained weights", args.model.display(), config.num_params())?;
        for file in upload.files() {
            writeln!(out, "  {:<20} {}", file.name, BinaryBytes(file.size))?;
        }
    }
    let commit = if args.dry_run {
        None
    } else {
        let hub = connect(&HubArgs { offline: false })?;
        Some(hub.upload(&args.repo, &upload, &Transfer::default())?)
    };
    if args.json {
        let files = upload.files().iter().map(|file| json!({"name": file.name, "bytes": file.size}));
        let report = json!({
            "repo": args.repo.to_string(),
            "branch": upload.branch(),
            "message": upload.message,
            "files": files.collect::<Vec<_>>(),
            "commit": commit.map(|commit| json!({"id": commit.id, "url": commit.url})),
        });
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?);
    }
    match commit {
        Some(commit) => writeln!(out, "{}", commit.url)?,
        None => writeln!(out, "nothing was sent; without --dry-run this becomes a commit to {}", args.repo)?,
    }
    Ok(())
}

fn import(args: &ImportArgs) -> Result<()> {
    let name = args.file.file_name().unwrap_or_default().to_string_lossy();
    let origin = format!("Imported from the checkpoint `{name}` with the architecture `{}`.", args.arch);
    let cells = match &args.data {
        Some(data) => Some(metadata_of(data)?.seq_len),
        None => args.cells,
    };
    let (state, dtype) = (args.state.as_deref(), args.dtype.into());
    let imported = weights::import(&args.file, state, &args.arch, cells, &args.output, dtype, &origin)?;
    say_imported(&args.file, &args.arch, &imported, &args.output)
}

/// Says what was made, and what of the checkpoint and of its architecture's file was passed over.
fn say_imported(file: &Path, arch: &str, imported: &Imported, output: &Path) -> Result<()> {
    if !imported.ignored.is_empty() {
        let ignored = imported.ignored.join(", ");
        warn(&format!("{arch}: passed over {ignored}, which say nothing of the network"));
    }
    say_passed_over(file, &imported.passed_over);
    Ok(writeln!(
        stdout(),
        "{}: a model folder with {} trained weights",
        output.display(),
        imported.config.num_params()
    )?)
}

/// Says what a checkpoint holds beside the weights.
fn say_passed_over(file: &Path, names: &[String]) {
    if !names.is_empty() {
        warn(&format!("{}: passed over {}, which are no weights", file.display(), names.join(", ")));
    }
}

fn export(args: &ExportArgs) -> Result<()> {
    let (config, state) = weights::load_state(&args.model)?;
    weights::export_checkpoint(&config, &state, &args.output)?;
    Ok(writeln!(
        stdout(),
        "{}: {} tensors under the reference's names",
        args.output.display(),
        state.0.len()
    )?)
}

fn show(path: &Path, key: Option<&str>) -> Result<()> {
    if path.is_dir() {
        let (config, listing) = weights::list_folder(path)?;
        describe(&format!("a model folder, {} trained weights", config.num_params()), Some(&config), &listing)
    } else {
        let listing = weights::list_checkpoint(path, key)?;
        say_passed_over(path, &listing.passed_over);
        let kind = match listing.format {
            CheckpointFormat::Torch => "a torch.save checkpoint",
            CheckpointFormat::Safetensors => "a safetensors file",
        };
        describe(kind, None, &listing)
    }
}

fn describe(kind: &str, config: Option<&TrmConfig>, listing: &Listing) -> Result<()> {
    let mut out = stdout();
    writeln!(out, "{kind}: {} tensors, {} values", listing.tensors.len(), listing.values())?;
    for (name, tensor) in &listing.tensors {
        writeln!(out, "  {name:<45} {:<5} {:?}", tensor.precision.to_string(), tensor.shape)?;
    }
    if let Some(config) = config {
        writeln!(out, "{}", serde_json::to_string_pretty(config)?)?;
    }
    Ok(())
}
