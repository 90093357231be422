//! Choices: one decision for each instance of a block, or for all instances of a cell.

use nas_diagnostics::{Fix, Help, Reported, fault};
use nas_grammar::ast::{Alternatives, Choose, Sharing, Span};
use nas_ir::origin::Written;
use nas_ir::{Choice, Decision, DecisionId, NodeId, Shape, Varied};
use rustc_hash::FxHashMap as HashMap;

use super::candidates::{Candidate, Candidates, Choosing, Content, MAX_CANDIDATES};
use super::elaborator::{Elaborator, Guard};
use super::errors::{
    CandidateKind, CandidateShapes, CellCandidates, DuplicateCandidate, EmptyChoice, SetSize,
    SingleCandidate,
};
use super::limits::{Eval, Sound};
use super::value::{BYTES, Flow, Value};

/// The label of decisions that have none.
pub(super) const UNNAMED: &str = "choose";

/// What a decision costs beyond its candidates.
const DECISION: usize = 40;

impl<'p> Elaborator<'p, '_> {
    /// With a flow, each candidate is a step that it goes into; else an expression.
    pub(super) fn choose(
        &mut self,
        choose: &'p Choose,
        whole: Span,
        flow: Option<Flow>,
    ) -> Eval<Value> {
        self.marks.choices += 1;
        let label = choose.label.as_ref().map_or(UNNAMED, |label| label.name.as_str());
        let ordinal = self.paths.count(label);
        let part = if ordinal == 0 { label.to_owned() } else { format!("{label}.{ordinal}") };
        let path = self.paths.decision(&part);
        let choosing = Choosing { choose, whole, part, path };
        let mut candidates = Candidates::default();
        let collected = match &choose.alternatives {
            Alternatives::Arms(arms) => self.arms(arms, &choosing, &mut candidates)?,
            Alternatives::Values(values) => self.elements_of(values, &choosing, &mut candidates)?,
        };
        let candidates = candidates.list;
        if let Err(reported) = collected.and_then(|()| self.can_choose(&choosing, &candidates)) {
            return Ok(reported.into());
        }
        let take = match self.taken(&choosing, &candidates)? {
            Ok(take) => take,
            Err(reported) => return Ok(reported.into()),
        };
        match take {
            1 if choose.count.is_none() => self.choose_one(&choosing, candidates, flow),
            _ => self.choose_set(&choosing, candidates, take, flow),
        }
    }

    /// Whether there is something to choose from; a single candidate is a warning.
    fn can_choose(&mut self, choosing: &Choosing<'p>, candidates: &[Candidate<'p>]) -> Sound<()> {
        let (head, path) = (choosing.choose.head, choosing.path.clone());
        match candidates {
            [] => {
                let place = self.place(head, "nothing to choose from here");
                let place = place.advice("add a candidate, or relax the `if` that leaves none");
                return Err(self.report(EmptyChoice::at(place, path)));
            }
            [only] => {
                let (name, span) = (only.name.clone(), only.span);
                let place = self.place(head, "nothing to decide here").label(span, "always chosen");
                let words = match only.content {
                    Content::Arm(..) => "write the step itself, or add a candidate",
                    Content::Element(_) => "write the value itself, or add another",
                };
                let source = self.source();
                let value = match &only.content {
                    Content::Arm(step, bound) => Some(step.span).filter(|_| bound.is_empty()),
                    Content::Element(_) => only.whole,
                };
                let itself = value.map(|value| {
                    let text = source.at(value).text();
                    Fix::replace(source.at(choosing.whole), text, |_| words.to_owned()).into()
                });
                let help = itself.unwrap_or_else(|| Help::advice(words));
                self.report(SingleCandidate::at(place.help(help), path, name));
            }
            _ => {}
        }
        Ok(())
    }

    /// How many candidates are taken at once.
    fn taken(
        &mut self,
        choosing: &Choosing<'p>,
        candidates: &[Candidate<'p>],
    ) -> Eval<Sound<usize>> {
        let Some(count) = &choosing.choose.count else { return Ok(Ok(1)) };
        let value = self.expr(count)?;
        let take = value.whole().and_then(|n| usize::try_from(n).ok());
        let of = candidates.len();
        Ok(match (take.filter(|take| (1..=of).contains(take)), value.reported()) {
            (Some(take), _) => Ok(take),
            (None, Some(reported)) => Err(reported),
            (None, None) => {
                let place = self.place(count.span, format!("there are {of}"));
                let place = place.advice(format!("write a number from 1 to {of}"));
                Err(self.report(SetSize::at(place, value.to_string(), of)))
            }
        })
    }

    fn choose_one(
        &mut self,
        choosing: &Choosing<'p>,
        candidates: Vec<Candidate<'p>>,
        flow: Option<Flow>,
    ) -> Eval<Value> {
        let names: Vec<String> = candidates.iter().map(|c| c.name.clone()).collect();
        let choice = match (&choosing.choose.alternatives, choosing.choose.sharing) {
            (_, Sharing::Shared) => Choice::Elastic,
            (Alternatives::Arms(_), Sharing::Separate) => Choice::Parts,
            (Alternatives::Values(_), Sharing::Separate) => Choice::Values,
        };
        let decision = match self.decide(choosing, choice, names)? {
            Ok(decision) => decision,
            Err(reported) => return Ok(reported.into()),
        };
        self.write(decision, &candidates);
        let width = candidates.len();
        let mut values = Vec::new();
        for (index, candidate) in candidates.iter().enumerate() {
            let guard = Guard::Candidate(decision, index, width);
            values.push(self.content(choosing, candidate, flow.as_ref(), guard)?);
        }
        if let Err(reported) = self.agree(choosing, &candidates, &values, flow.is_some())? {
            return Ok(reported.into());
        }
        let selector = self.space.selectors.choice(decision, width);
        let nodes: Option<Vec<NodeId>> = values.iter().map(Value::node).collect();
        match nodes {
            Some(nodes) => {
                let name = self.paths.join(&choosing.part);
                self.select(selector, nodes, name, choosing.choose.head).map(Value::Tensor)
            }
            None => self.join(selector, &values, &choosing.part, choosing.choose.head),
        }
    }

    /// A choice of several: the value is the list of those that are taken, in order.
    fn choose_set(
        &mut self,
        choosing: &Choosing<'p>,
        candidates: Vec<Candidate<'p>>,
        take: usize,
        flow: Option<Flow>,
    ) -> Eval<Value> {
        let Some(sets) = sets(candidates.len(), take) else {
            let what = format!("{take} of {} candidates", candidates.len());
            let place = self.place(choosing.choose.head, what);
            let place = place.advice("choose fewer, or among fewer");
            return Ok(self.too_many_ways(place, choosing).into());
        };
        let options: Vec<String> = candidates.iter().map(|c| c.name.clone()).collect();
        let longest = options.iter().map(String::len).max().unwrap_or(0);
        self.charge(sets.len() * take * (1 + longest / BYTES), choosing.choose.head)?;
        let name = |set: &Vec<usize>| {
            let names: Vec<&str> =
                set.iter().filter_map(|&i| options.get(i)).map(String::as_str).collect();
            names.join("+")
        };
        let names: Vec<String> = sets.iter().map(name).collect();
        if let Err(reported) = self.sets_differ(choosing, &candidates, &sets, &names) {
            return Ok(reported.into());
        }
        let choice = Choice::Sets { options: options.clone(), take };
        let decision = match self.decide(choosing, choice, names)? {
            Ok(decision) => decision,
            Err(reported) => return Ok(reported.into()),
        };
        self.write(decision, &candidates);
        let of_set = self.space.selectors.choice(decision, sets.len());
        let mut values = Vec::new();
        for (index, candidate) in candidates.iter().enumerate() {
            let holds = |set: u32| sets.get(set as usize).is_some_and(|set| set.contains(&index));
            let taken = self.space.selectors.rename(of_set, &|set| u32::from(holds(set)));
            values.push(self.content(choosing, candidate, flow.as_ref(), Guard::Case(taken, 1))?);
        }
        if let Err(reported) = self.agree(choosing, &candidates, &values, flow.is_some())? {
            return Ok(reported.into());
        }
        let mut members = Vec::new();
        for place in 0..take {
            let member = |set: u32| {
                let set = sets.get(set as usize);
                set.and_then(|set| set.get(place)).map_or(0, |&member| member as u32)
            };
            let selector = self.space.selectors.rename(of_set, &member);
            members.push(self.join(selector, &values, &choosing.part, choosing.choose.head)?);
        }
        self.sequence(Value::List, members, choosing.choose.head)
    }

    /// Whether no two sets have one name: they do where a name of a candidate looks like several.
    fn sets_differ(
        &mut self,
        choosing: &Choosing<'p>,
        candidates: &[Candidate<'p>],
        sets: &[Vec<usize>],
        names: &[String],
    ) -> Sound<()> {
        let mut seen: HashMap<&str, &[usize]> = HashMap::default();
        for (set, name) in sets.iter().zip(names) {
            let Some(first) = seen.insert(name, set) else { continue };
            let own = set.iter().find(|option| !first.contains(option));
            let own = own.and_then(|&option| candidates.get(option));
            let own = own.unwrap_or_else(|| fault("two sets are one"));
            let place =
                self.place(own.span, format!("with `{}`, this is `{name}` again", own.name));
            let place = place.advice("rename the candidates whose names hold a `+`");
            return Err(self.report(DuplicateCandidate::at(place, choosing.path.clone(), name)));
        }
        Ok(())
    }

    /// The decision of a choice: a new one, or, in a cell, that of its first instance.
    fn decide(
        &mut self,
        choosing: &Choosing<'p>,
        choice: Choice,
        candidates: Vec<String>,
    ) -> Eval<Sound<DecisionId>> {
        let Choosing { choose, whole, path, .. } = choosing;
        self.charge(DECISION + candidates.len() + path.len() / BYTES, choose.head)?;
        if let Some(first) = self.cell_decisions.get(path)
            && let (known, Some(first)) = (*first, self.space.decision(*first))
        {
            if first.candidates == candidates && first.choice == choice {
                return Ok(Ok(known));
            }
            let listed = first.candidates.join(", ");
            let place = self.place(choose.head, format!("here: {}", candidates.join(", ")));
            let place = place.advice(format!(
                "a cell decides once for all its instances: give each of them {listed}"
            ));
            return Ok(Err(self.report(CellCandidates::at(place, path.clone()))));
        }
        let origin = self.origin(choose.head);
        self.space.origins.note_whole(origin, *whole);
        let decision = DecisionId::new(self.space.decisions.len());
        let label = choose.label.as_ref().map_or(UNNAMED, |label| label.name.as_str());
        self.space.decisions.push(Decision {
            path: path.clone(),
            label: label.to_owned(),
            choice,
            candidates,
            origin: Some(origin),
        });
        if self.paths.is_in_cell() {
            self.cell_decisions.insert(path.clone(), decision);
        }
        Ok(Ok(decision))
    }

    /// Notes how the candidates were written.
    fn write(&mut self, decision: DecisionId, candidates: &[Candidate<'p>]) {
        let written = candidates.iter().map(|candidate| Written {
            span: candidate.value_span(),
            whole: candidate.whole,
            is_arm: matches!(candidate.content, Content::Arm(..)),
            is_made: matches!(&candidate.content, Content::Arm(_, bound) if !bound.is_empty()),
            guard: candidate.guard.map(|guard| guard.span),
            bound: candidate.bound(),
        });
        let written = written.collect();
        self.space.origins.write(decision, written);
    }

    /// The value of a candidate.
    fn content(
        &mut self,
        choosing: &Choosing<'p>,
        candidate: &Candidate<'p>,
        flow: Option<&Flow>,
        guard: Guard,
    ) -> Eval<Value> {
        self.paths.enter(format_args!("{}={}", choosing.part, candidate.name));
        let outside = self.names.enter_candidate();
        let value = self.when(guard, |this| match &candidate.content {
            Content::Arm(expr, bound) => {
                let mark = this.names.open();
                bound.iter().for_each(|(name, value)| this.names.bind(name, value.clone()));
                let value = match flow {
                    Some(flow) => this.step_expr(expr, flow.clone()),
                    None => this.expr(expr),
                };
                this.names.forget(mark);
                value
            }
            Content::Element(value) => match flow {
                Some(flow) => this.apply_value(value, flow.clone(), candidate.span),
                None => Ok(value.clone()),
            },
        });
        self.names.leave(outside);
        self.paths.leave();
        value
    }

    /// Whether the candidates fit each other: all tensors of one shape, or no tensors.
    fn agree(
        &mut self,
        choosing: &Choosing<'p>,
        candidates: &[Candidate<'p>],
        values: &[Value],
        has_flow: bool,
    ) -> Eval<Sound<()>> {
        if let Some(reported) = values.iter().find_map(Value::reported) {
            return Ok(Err(reported));
        }
        let is_tensor = |value: &&Value| value.node().is_some();
        if values.iter().all(|value| !value.holds_tensor()) && !has_flow {
            return Ok(Ok(()));
        }
        if !values.iter().all(|value| is_tensor(&value)) {
            return Ok(Err(self.other_kinds(candidates, values, has_flow)));
        }
        let shapes = values.iter().filter_map(Value::node);
        let shapes: Vec<Varied<Shape>> =
            shapes.filter_map(|node| self.space.graph.shape(node).cloned()).collect();
        let Some((first, rest)) = shapes.split_first() else { fault("a choice among nothing") };
        let Some(other) = rest.iter().find(|shape| *shape != first) else { return Ok(Ok(())) };
        let fixed: Option<Vec<Shape>> = shapes.iter().map(|shape| shape.fixed().copied()).collect();
        match fixed {
            Some(shapes) => Ok(Err(self.different_shapes(choosing, candidates, &shapes))),
            None => self.agree_everywhere(choosing, first, other),
        }
    }

    /// Whether two shapes that depend on decisions are equal wherever both exist.
    fn agree_everywhere(
        &mut self,
        choosing: &Choosing<'p>,
        a: &Varied<Shape>,
        b: &Varied<Shape>,
    ) -> Eval<Sound<()>> {
        let head = choosing.choose.head;
        let parts = [a, b].map(|shape| shape.index(&mut self.space.selectors));
        let joint = self.cases(&parts, head)?;
        let mut agree = Ok(());
        for (index, combination) in joint.combinations.iter().enumerate() {
            let [i, j] = combination.as_slice() else { continue };
            let (x, y) = (a.values().get(*i as usize), b.values().get(*j as usize));
            if x != y {
                let guard = Guard::Value(joint.selector, index as u32);
                let path = choosing.path.clone();
                let shown = [x, y].map(|shape| shape.map(Shape::to_string).unwrap_or_default());
                let reported = self.when(guard, |this| {
                    let place = this.place(head, format!("{} and {}", shown[0], shown[1]));
                    let place = place.advice("make every candidate give the same shape");
                    Ok(this.report(CandidateShapes::at(place, path)))
                })?;
                agree = agree.and(Err(reported));
            }
        }
        Ok(agree)
    }

    /// Reports the candidates that are no tensors, all at once.
    fn other_kinds(
        &mut self,
        candidates: &[Candidate<'p>],
        values: &[Value],
        has_flow: bool,
    ) -> Reported {
        let mut others = candidates.iter().zip(values).filter(|(_, v)| v.node().is_none());
        let Some((candidate, value)) = others.next() else { fault("all candidates are tensors") };
        let mut place = self.place(candidate.value_span(), format!("this is {}", value.describe()));
        for (candidate, value) in others {
            place = place.label(candidate.value_span(), format!("this is {}", value.describe()));
        }
        let name = candidate.name.as_str();
        let help = match value {
            _ if has_flow => "end the candidate with a tensor, such as that of `relu`".to_owned(),
            Value::Callable(_, step) => format!("apply it to a tensor: `x -> {step}`"),
            _ => "give a tensor in every candidate, or in none".to_owned(),
        };
        self.report(CandidateKind::at(place.advice(help), name, value.describe()))
    }

    /// One label for each line of candidates, with the shapes that it makes.
    fn different_shapes(
        &mut self,
        choosing: &Choosing<'p>,
        candidates: &[Candidate<'p>],
        shapes: &[Shape],
    ) -> Reported {
        let mut counts: Vec<(Shape, usize)> = Vec::new();
        for &shape in shapes {
            match counts.iter_mut().find(|(other, _)| *other == shape) {
                Some((_, count)) => *count += 1,
                None => counts.push((shape, 1)),
            }
        }
        let usual = counts.iter().max_by_key(|(_, count)| *count);
        let mut lines: Vec<(Span, Shape, Vec<&str>)> = Vec::new();
        for (Candidate { name, span, .. }, &shape) in candidates.iter().zip(shapes) {
            match lines.iter_mut().find(|(s, sh, _)| s == span && *sh == shape) {
                Some((_, _, listed)) => listed.push(name),
                None => lines.push((*span, shape, vec![name])),
            }
        }
        let mut place = self.place(choosing.choose.head, "they meet here");
        for (span, shape, listed) in lines {
            let first = listed.first().copied().unwrap_or_default();
            let more = match listed.len() {
                1 => String::new(),
                n => format!(" and {} more", n - 1),
            };
            place = place.label(span, format!("`{first}`{more}: {shape}"));
        }
        let help = match counts.first().zip(usual) {
            Some((_, (usual, count))) if 2 * count > shapes.len() => {
                format!("make every candidate give {usual}, as most do")
            }
            Some(((first, _), _)) => {
                format!("make every candidate give one shape, such as {first}")
            }
            None => String::new(),
        };
        place = place.advice(help);
        self.report(CandidateShapes::at(place, choosing.path.clone()))
    }
}

/// The sets of `take` of `of` things, in lexicographic order; `None` if they are too many.
fn sets(of: usize, take: usize) -> Option<Vec<Vec<usize>>> {
    let mut sets = vec![Vec::new()];
    for _ in 0..take {
        let mut longer = Vec::new();
        for set in &sets {
            let next = set.last().map_or(0, |last| last + 1);
            longer.extend((next..of).map(|i| set.iter().copied().chain([i]).collect::<Vec<_>>()));
            // Sets that cannot be completed are few.
            if longer.len() > 2 * MAX_CANDIDATES {
                return None;
            }
        }
        sets = longer;
    }
    (sets.len() <= MAX_CANDIDATES).then_some(sets)
}

#[cfg(test)]
mod tests {
    use super::sets;

    #[test]
    fn sets_are_in_order_and_complete() {
        assert_eq!(sets(4, 2).map(|sets| sets.len()), Some(6));
        assert_eq!(sets(3, 2), Some(vec![vec![0, 1], vec![0, 2], vec![1, 2]]));
        assert_eq!(sets(3, 3), Some(vec![vec![0, 1, 2]]));
        assert_eq!(sets(40, 20), None);
    }
}
