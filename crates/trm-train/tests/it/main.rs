//! Training against the reference, runs that are stopped and resumed, recipes, sinks.

mod any_module;
mod aux_labels;
mod bf16;
mod clipping;
mod exploration;
mod golden_parts;
mod golden_run;
mod golden_training;
mod grad_cycles;
mod made_up;
mod micro_batches;
mod mixture;
mod muon;
mod neighbours;
mod parcel;
mod report;
mod run;
mod side_by_side;
mod sinks;
mod small_run;
mod starting;
mod sudoku;
#[path = "../../../trm-model/tests/it/support.rs"]
mod support;
mod tensorboard;
mod toy;
mod training_recipes;
mod unlabelled;
