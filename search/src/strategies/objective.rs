//! What is refused of objectives, at the line where they are written.

use miette::{Diagnostic, SourceSpan};
use nas_grammar::Source;
use nas_ir::recipe::common::METRICS;
use nas_ir::recipe::formula::word;
use nas_ir::recipe::objective::NoGradient;
use nas_ir::recipe::{Recipe, Variable, Weighed};
use nas_ir::{Checked, Metric, Space};
use thiserror::Error;

use crate::error::{Refusal, RunError};

/// An objective that the strategy has no way to optimise.
#[derive(Debug, Error, Diagnostic)]
#[error("`strategy {strategy}` cannot optimise `{objective}`")]
#[diagnostic(code(nas::search::objective))]
struct NotOptimised {
    strategy: &'static str,
    objective: String,
    #[source_code]
    file: Source,
    #[label("{why}")]
    at: Option<SourceSpan>,
    why: String,
    #[help]
    help: String,
}

/// An objective that reads a metric which networks of the space do not have.
#[derive(Debug, Error, Diagnostic)]
#[error("the networks of `{space}` have no `{metric}`")]
#[diagnostic(code(nas::search::task_metric))]
struct MetricOfOthers {
    space: String,
    metric: String,
    #[source_code]
    file: Source,
    #[label("this reads `{metric}`")]
    at: Option<SourceSpan>,
    #[help]
    help: String,
}

/// Where the objective of a recipe is written.
fn place(recipe: &Recipe) -> (Source, Option<SourceSpan>) {
    match &recipe.objective.at {
        Some((file, span)) => (file.clone(), Some((*span).into())),
        None => (Source::new("", ""), None),
    }
}

fn not_optimised(recipe: &Recipe, why: String, help: &str) -> Refusal {
    let (file, at) = place(recipe);
    let goals = recipe.objective.goals.iter().map(ToString::to_string);
    let objective = goals.collect::<Vec<_>>().join(", ");
    let (strategy, help) = (recipe.strategy.name, help.to_owned());
    Refusal::new(NotOptimised { strategy, objective, file, at, why, help })
}

/// What a strategy that trains choices adds to their loss.
///
/// # Errors
/// [`RunError::Refused`] where the objective has no such form.
pub(super) fn weighed(space: &Checked<Space>, recipe: &Recipe) -> Result<Weighed, RunError> {
    recipe.objective.weighed().map_err(|why| RunError::Refused {
        strategy: recipe.strategy.name,
        space: space.name.clone(),
        refused: vec![not_optimised(
            recipe,
            why.label(),
            match why {
                NoGradient::Goals => FRONT,
                _ => HELP,
            },
        )],
    })
}

/// What is said of several goals, where a strategy goes by one value.
pub(super) fn several(recipe: &Recipe) -> Vec<Refusal> {
    let several = (recipe.objective.goals.len() > 1)
        .then(|| not_optimised(recipe, NoGradient::Goals.label(), FRONT));
    several.into_iter().collect()
}

/// What is said of goals where proxies score networks: they tell no metric of the task.
pub(super) fn of_proxies(recipe: &Recipe) -> Option<Refusal> {
    let help = "leave the objective out: networks are ranked by their proxies, and limits on what they cost are written \
                as `require` in the space";
    let why = "proxies tell no metric that it could read".to_owned();
    (!recipe.objective.goals.is_empty()).then(|| not_optimised(recipe, why, help))
}

/// The most goals that an objective may have: volumes of more take too long, and of many networks hardly one
/// dominates another.
const MOST: usize = 4;

/// What is said of more goals than that.
pub(super) fn too_many(recipe: &Recipe) -> Vec<Refusal> {
    let help = "keep the four that matter most, or put two of them into one formula";
    let goals = recipe.objective.goals.len();
    let too_many = (goals > MOST).then(|| not_optimised(recipe, format!("{goals} goals"), help));
    too_many.into_iter().collect()
}

/// What takes several goals.
const FRONT: &str = "search by `strategy nsga2 { }`, which finds the front of several goals; or write one formula that weighs \
                     them against each other";

/// What takes such an objective.
const HELP: &str = "search by `strategy aging_evolution { }`, or by another that sees scores alone; or minimise \
                    `cross_entropy` and one term more, as `0.1 * latency / 1ms` or `10 * max(0, latency / 1ms - 12)`";

/// The metrics that the recipe reads and the task of the space does not have: those of its objective, and the primary one.
pub(super) fn metrics_of_others(space: &Checked<Space>, recipe: &Recipe) -> Vec<Refusal> {
    let Some(task) = space.task else { return Vec::new() };
    let has = task.metrics();
    // A signal-to-noise ratio is one of maps.
    let maps = space.graph.outputs().any(|(_, output)| output.shape.largest().is_spatial());
    let has = |metric: &Metric| has.metrics.contains(metric) && (maps || *metric != Metric::Psnr);
    let names = task.metrics().all().filter(has);
    let names: Vec<String> = names.map(|metric| format!("`{}`", word(metric))).collect();
    let refused = |metric: String, (file, at): (Source, Option<SourceSpan>)| {
        let help = format!("write {}: they are what its task is judged by", names.join(" or "));
        let space = space.name.clone();
        Refusal::new(MetricOfOthers { space, metric, file, at, help })
    };
    let is_other = |metric: &Metric| !has(metric);
    let read = recipe.objective.quantities().into_iter().filter_map(|quantity| match quantity {
        Variable::Metric(metric) => is_other(&metric).then(|| word(metric).to_owned()),
        Variable::Named(name) => Some(name.to_string()),
        Variable::Measure(_) => None,
    });
    let read = read.map(|metric| refused(metric, place(recipe)));
    let primary = recipe.metrics.primary.filter(is_other).map(|metric| {
        let written = recipe.settings.place(METRICS.name, "primary").cloned();
        let written = written.map(|(file, span)| (file, Some(span.into())));
        refused(word(metric).to_owned(), written.unwrap_or_else(|| (Source::new("", ""), None)))
    });
    read.chain(primary).collect()
}
