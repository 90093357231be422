//! The `nasc-train` binary: what `nasc` does on libtorch, started by it in its place.

mod beginning;
mod compute;
mod demo;
mod engine;
mod eval;
mod expected;
mod file_images;
mod int8;
mod int8_model;
mod integers;
mod integers_file;
mod memory;
mod pace;
mod package;
mod predictions;
mod profile;
mod progress;
mod reference;
mod retrain;
mod scores;
mod search;
mod teacher;
mod times;
mod training;
mod tuning;
mod tuning_backend;
mod whole;

use nasc::TrainCommand;
use nasc::render::report::Failure;

/// As in `nasc`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    nasc::train_main(run)
}

fn run(command: TrainCommand) -> Result<(), Failure> {
    match command {
        TrainCommand::Search(args) => search::run(args),
        TrainCommand::Retrain(args) => retrain::run(&args),
        TrainCommand::Eval(args) => eval::run(&args),
        TrainCommand::Int8(args) => int8::run(&args),
        TrainCommand::Demo(args) => demo::run(&args),
        TrainCommand::Export(args) => match args.package.as_deref() {
            Some(folder) => package::run(&args, folder),
            None => nasc::commands::export::run(&args, Some(&reference::libtorch())),
        },
    }
}
