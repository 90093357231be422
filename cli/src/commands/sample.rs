//! `nasc sample`: networks drawn uniformly from those of a space that read their input and keep its
//! requirements, and further limits.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use nas_passes::specialise;
use serde_json::json;

use crate::render::report::Failure;
use crate::render::stream;
use crate::services::draw::{draw_within, lacks_table};
use crate::services::input::{DropArgs, Input};
use crate::services::pick;

/// Arguments of `nasc sample`.
#[derive(Debug, Args)]
pub struct SampleArgs {
    /// The file.
    pub file: PathBuf,
    /// Whether what the target cannot run is left out.
    #[command(flatten)]
    pub drop: DropArgs,
    /// How many networks.
    #[arg(short, default_value_t = 1)]
    pub n: usize,
    /// The same seed draws the same networks.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// The space, where the file has several.
    #[arg(long)]
    pub space: Option<String>,
    /// Only networks of which this is true, such as `macs <= 300M and params <= 5M`.
    #[arg(long = "where", value_name = "CLAIM")]
    pub claim: Option<String>,
    /// Also networks of which an output depends on no input.
    #[arg(long)]
    pub constant: bool,
}

/// Networks drawn uniformly: one JSON object a line, with decisions and costs.
///
/// # Errors
/// The file is at fault, or no network keeps the limits.
pub fn run(args: &SampleArgs) -> Result<(), Failure> {
    let (mut space, limits) = Input::with(args.drop.of(&args.file), |program, compiler| {
        let space = pick::space(program, compiler, args.space.as_deref())?;
        let limits = args.claim.as_deref().map(|claim| compiler.limits(claim, &space));
        Ok((space, limits.map(|limits| limits.ok_or(Failure::Reported)).transpose()?))
    })?;
    if args.constant {
        Arc::make_mut(&mut space).admit_constant();
    }
    let limits = limits.unwrap_or_default();
    if limits.iter().any(|limit| lacks_table(&space, limit)) {
        return Err(Failure::held(format!("space `{}` has no latency table", space.name)));
    }
    for assignment in draw_within(&space, args.seed, &limits)?.take(args.n) {
        let network = specialise(&space, &assignment?);
        let choices: indexmap::IndexMap<String, String> = network.choices.iter().cloned().collect();
        let mut line = json!({ "choices": choices });
        if let (Some(line), serde_json::Value::Object(costs)) =
            (line.as_object_mut(), json!(nas_analysis::costs(&network)))
        {
            line.extend(costs);
        }
        stream::json(&line, false)?;
    }
    Ok(())
}
