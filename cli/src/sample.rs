//! `nasc sample`: networks drawn uniformly from a space, or from those that keep limits.

use std::path::PathBuf;

use clap::Args;
use nas_compiler::analyse::{Entangled, Limit, Sampler, SamplerWithin};
use nas_compiler::requirement::Requirement;
use nas_compiler::{Assignment, Checked, Space, specialise};
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
    let mut draws = draw_within(&space, args.seed, &limits)?;
    for _ in 0..args.n {
        let network = specialise(&space, &draws.next().ok_or_else(|| none_left(&args.claim))?);
        let choices: indexmap::IndexMap<String, String> = network.choices.iter().cloned().collect();
        let mut line = json!({ "choices": choices });
        if let (Some(line), serde_json::Value::Object(costs)) =
            (line.as_object_mut(), json!(network.costs()))
        {
            line.extend(costs);
        }
        println!("{line}");
    }
    Ok(())
}

fn none_left(claim: &Option<String>) -> Failure {
    let claim = claim.as_deref().unwrap_or("the claim");
    Failure::input(format!("no network was found of which `{claim}` is true"))
}

/// Networks drawn uniformly, without end; the same seed draws the same ones.
///
/// # Errors
/// The decisions are too entangled to be counted.
pub fn draw(
    space: &Checked<Space>,
    seed: u64,
) -> Result<impl Iterator<Item = Assignment> + use<>, Failure> {
    let sampler = Sampler::new(space).map_err(entangled)?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Ok(std::iter::repeat_with(move || sampler.draw(&mut rng)))
}

/// So many draws may break a limit that cannot be counted, one after the other.
const MAX_REJECTED: usize = 100_000;

/// Networks drawn uniformly from those that keep all limits; ends where none is found. Sums are
/// counted, so that none is drawn in vain; what is no sum is looked at after the draw.
fn draw_within<'a>(
    space: &'a Checked<Space>,
    seed: u64,
    limits: &'a [Requirement],
) -> Result<Box<dyn Iterator<Item = Assignment> + 'a>, Failure> {
    if limits.is_empty() {
        return Ok(Box::new(draw(space, seed)?));
    }
    let asks = |measure| limits.iter().any(|r| r.limit.form.0.iter().any(|(m, _)| *m == measure));
    if asks(nas_compiler::Measure::Latency) && space.device.latency.is_none() {
        return Err(Failure::input(format!("space `{}` has no latency table", space.name)));
    }
    let sums: Vec<Limit> = limits.iter().filter(|r| r.is_sum()).map(|r| r.limit.clone()).collect();
    let sampler = SamplerWithin::new(space, &sums).map_err(entangled)?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let others: Vec<&Requirement> = limits.iter().filter(|r| !r.is_sum()).collect();
    Ok(Box::new(std::iter::from_fn(move || {
        (0..MAX_REJECTED).find_map(|_| {
            let assignment = sampler.draw(&mut rng)?;
            let costs = || specialise(space, &assignment).costs();
            let keeps = others.is_empty()
                || others.iter().all(|limit| limit.is_kept(&costs()) == Some(true));
            keeps.then_some(assignment)
        })
    })))
}

fn entangled(error: Entangled) -> Failure {
    Failure::input(error.to_string())
}
