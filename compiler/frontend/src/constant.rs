//! Networks of a space that do not read their input.

use nas_analysis::{count, count_reading, quotient};
use nas_diagnostics::{Place, Problems, diagnostics};
use nas_ir::diagram::{Diagram, Selectors, Top};
use nas_ir::liveness::Liveness;
use nas_ir::measure::grouped;
use nas_ir::{Checked, DecisionId, NodeKind, Space};

diagnostics! {
    /// Networks of which an output is the same whatever the input is.
    Warning IgnoresInput [nas::space::ignores_input] "{share} of `{space}` do not read their input" {
        share: String,
        space: String,
    }
}

/// Warns of networks that do not read their input, and says how many these are. What cannot be
/// proved is no problem of the file.
pub(crate) fn check(space: &Checked<Space>, problems: &mut Problems) {
    let Ok(liveness) = space.liveness() else { return };
    let Ok(reads) = liveness.reads_input() else { return };
    if !space.leaves_out_constant() {
        return;
    }
    let (Ok(all), Ok(reading)) = (count(space), count_reading(space)) else { return };
    if all == reading {
        return;
    }
    let constant = &all - &reading;
    let percent = match 100.0 * quotient(&constant, &all) {
        0.0..0.01 => "less than 0.01".to_owned(),
        percent => format!("{percent:.2}"),
    };
    let share = format!("{} of {} networks ({percent} %)", grouped(&constant), grouped(&all));
    let outputs = space.graph.nodes().filter(|(_, node)| node.kind == NodeKind::Output);
    let origin = outputs.map(|(_, node)| node.origin).next().flatten();
    let mut chain = space.origins.chain(origin).into_iter();
    let place = match chain.next() {
        Some((source, span)) => {
            let label = format!("no input reaches this where {}", example(space, liveness, reads));
            Place::new(&source, span, label).chain(chain.collect())
        }
        None => Place::nowhere(),
    };
    let place = place.advice(
        "they count, but are drawn, derived and exported only where `--constant` asks for them; to rule them out, leave a way from the input without `zero`",
    );
    problems.push(IgnoresInput::at(place, share, space.name.as_str()));
}

/// Decisions that together keep an input from an output, for people.
fn example(space: &Space, liveness: &Liveness, reads: Diagram) -> String {
    const SHOWN: usize = 4;
    let mut made: Vec<(DecisionId, String)> = Vec::new();
    let store: &Selectors = &liveness.conditions;
    let mut at = reads;
    while let Top::Branch(decision, children) = store.top(at) {
        // A condition that is not always fulfilled is broken somewhere.
        let broken = children.iter().position(|child| !matches!(store.top(*child), Top::Leaf(1)));
        let Some((candidate, next)) = broken.and_then(|i| Some((i, *children.get(i)?))) else {
            break;
        };
        let Some(name) = space[decision].candidates.get(candidate) else { break };
        made.push((decision, format!("`{}` is `{name}`", space[decision].path)));
        at = next;
    }
    made.sort();
    let mut made: Vec<String> = made.into_iter().map(|(_, words)| words).collect();
    if made.len() > SHOWN {
        let more = made.len() - SHOWN + 1;
        made.truncate(SHOWN - 1);
        made.push(format!("{more} more are chosen so"));
    }
    match made.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((only, _)) => only.clone(),
        None => "anything is chosen".to_owned(),
    }
}
