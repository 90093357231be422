//! `nasc sample`: networks drawn uniformly from those of a space that keep its requirements, and
//! further limits.

use std::path::PathBuf;

use clap::Args;
use nas_analysis::{Draw, Sampler, SamplerWithin};
use nas_ir::diagram::Entangled;
use nas_ir::requirement::Requirement;
use nas_ir::{Assignment, Checked, Limit, Space};
use nas_passes::specialise;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::input::{self, DropArgs, Input};
use crate::report::Failure;

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
}

/// Networks drawn uniformly: one JSON object a line, with decisions and costs.
///
/// # Errors
/// The file is at fault, or no network keeps the limits.
pub fn run(args: &SampleArgs) -> Result<(), Failure> {
    let (space, limits) = Input::with(args.drop.of(&args.file), |program, compiler| {
        let space = input::space(program, compiler, args.space.as_deref())?;
        let limits = args.claim.as_deref().map(|claim| compiler.limits(claim));
        Ok((space, limits.map(|limits| limits.ok_or(Failure::Reported)).transpose()?))
    })?;
    let limits = limits.unwrap_or_default();
    if limits.iter().any(|limit| input::lacks_table(&space, limit)) {
        return Err(Failure::input(format!("space `{}` has no latency table", space.name)));
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
        println!("{line}");
    }
    Ok(())
}

/// Networks drawn uniformly from those of a space that keep its requirements, without end; the same
/// seed draws the same ones.
///
/// # Errors
/// The decisions are too entangled to be counted.
pub fn draw<'s>(
    space: &'s Checked<Space>,
    seed: u64,
) -> Result<impl Iterator<Item = Result<Assignment, Failure>> + use<'s>, Failure> {
    draw_within(space, seed, &[])
}

/// As [`draw`], whatever the space requires.
///
/// # Errors
/// The decisions are too entangled to be counted.
pub fn draw_any(
    space: &Checked<Space>,
    seed: u64,
) -> Result<impl Iterator<Item = Assignment> + use<>, Failure> {
    let sampler = Sampler::new(space).map_err(entangled(space))?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Ok(std::iter::repeat_with(move || sampler.draw(&mut rng)))
}

/// As [`draw`], within further limits.
fn draw_within<'s>(
    space: &'s Checked<Space>,
    seed: u64,
    limits: &[Requirement],
) -> Result<Box<dyn Iterator<Item = Result<Assignment, Failure>> + 's>, Failure> {
    let requirements: Vec<&Requirement> = input::known_requirements(space).chain(limits).collect();
    if requirements.is_empty() {
        return Ok(Box::new(draw_any(space, seed)?.map(Ok)));
    }
    let mut texts: Vec<&str> = requirements.iter().map(|r| r.text.as_str()).collect();
    texts.dedup();
    let claim = texts.join(" and ");
    let limits: Vec<Limit> = requirements.iter().map(|r| r.limit.clone()).collect();
    let sampler = SamplerWithin::new(space, &limits).map_err(entangled(space))?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Ok(Box::new(std::iter::repeat_with(move || match sampler.draw(&mut rng) {
        Draw::Network(assignment) => Ok(assignment),
        Draw::NoneLeft => Err(Failure::input(format!("no network keeps `{claim}`"))),
        Draw::GaveUp(tries) => Err(Failure::input(format!(
            "none of {tries} networks that were drawn keeps `{claim}`: those that do, if there are any, are too rare to be drawn"
        ))),
    })))
}

fn entangled(space: &Space) -> impl Fn(Entangled) -> Failure {
    |error| Failure::input(space.entanglement(&error))
}
