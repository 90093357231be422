//! `nasc latency model`: how long a whole ONNX file takes, whoever made it.

use std::path::PathBuf;

use clap::Args;
use nas_analysis::latency::Setting;
use nas_ir::Precision;
use nas_tract::Tolerance;
use serde_json::json;

use super::item::Item;
use super::means::{Means, MeansArgs, Said, SettingArgs};
use super::rounds::insist;
use super::runner::Runner;
use super::table::{Samples, entry};
use crate::outln;
use crate::render::bar::Bar;
use crate::render::costs::milliseconds;
use crate::render::report::{Failure, counted};
use crate::render::stream;
use crate::services::drawn::drawn;
use crate::services::foreign::{ForeignFile, SizesArgs};
use crate::services::in_tract::timed;
use crate::services::record::{Case, Record};

/// Arguments of `nasc latency model`.
#[derive(Debug, Args)]
pub(super) struct ModelArgs {
    /// The ONNX file.
    #[arg(value_name = "MODEL")]
    pub(super) model: PathBuf,
    /// The sizes of its inputs.
    #[command(flatten)]
    pub(super) sizes: SizesArgs,
    /// What measures it.
    #[command(flatten)]
    pub(super) means: MeansArgs,
    /// What is to be said of it.
    #[command(flatten)]
    pub(super) setting: SettingArgs,
    /// Write JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Times a model and tells the median of its runs.
///
/// # Errors
/// The file is no model, the engine does not run it, or the user stops it.
pub(super) fn run(args: &ModelArgs) -> Result<(), Failure> {
    let file = ForeignFile::read(&args.model)?;
    let graph = file.graph()?;
    let case = drawn(&graph, &args.sizes.sizes(), 1)?;
    let said = Said {
        engine: None,
        version: args.setting.engine_version.as_deref(),
        hardware: None,
        precision: Precision::Fp32,
        threads: args.setting.threads,
        surrounded: false,
    };
    let Means { runner, device, .. } = args.means.start(said)?;
    if matches!(runner, Runner::Served(_)) && graph.has_open_sizes() {
        return Err(Failure::input(format!(
            "the file leaves sizes open, which {} has to be told: time it in tract or by `--runner`, or export it for fixed sizes",
            device.engine
        )));
    }
    let samples = samples(args, runner, case)?;
    let found = entry("", Samples { model: &samples, around: &[] });
    if args.json {
        let Setting { hardware, engine, engine_version, threads, .. } = &device;
        return stream::json(
            &json!({
                "hardware": hardware, "engine": engine, "engine_version": engine_version, "threads": threads,
                "median_ns": found.median, "least_ns": found.least, "samples_ms": samples,
            }),
            true,
        );
    }
    outln!(
        "{}: {} in the median, {} at best, of {}: {}, {} {}, {}",
        args.model.display(),
        milliseconds(found.median),
        milliseconds(found.least),
        counted(samples.len(), "run"),
        device.hardware,
        device.engine,
        device.engine_version,
        counted(device.threads as usize, "thread"),
    )
}

/// The milliseconds of each run.
fn samples(args: &ModelArgs, mut runner: Runner, case: Case) -> Result<Vec<f64>, Failure> {
    let effort = args.means.effort();
    if matches!(runner, Runner::Tract(_)) {
        let (reference, tolerance) = (String::new(), Tolerance::Exact);
        let record = Record { reference, tolerance, cases: vec![case], resized: None };
        return timed(&args.model, &record, args.means.warmup, effort.repeats);
    }
    let shapes = case.inputs.into_iter().map(|(_, tensor)| tensor.dims).collect();
    let model = std::path::absolute(&args.model).map_err(|e| Failure::input(e.to_string()))?;
    let key = args.model.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let item = Item { key, model, shapes };
    let bar = Bar::with_rest()?;
    let mut samples = Vec::new();
    let mut measured = || {
        while samples.len() < effort.repeats {
            if bar.step("run", samples.len(), effort.repeats).is_break() {
                return Err(Failure::Interrupted);
            }
            samples.push(insist(&item, effort.retries, &mut runner, &bar)?);
        }
        Ok(())
    };
    let measured = measured();
    bar.finish();
    measured.map(|()| samples)
}
