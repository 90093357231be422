//! Choices: candidates by comprehension, one decision and one select for each instance.

use nas_grammar::ast::{Arm, Candidate, Choose, Span};

use super::errors::{
    CandidateKind, CandidateShapes, DuplicateCandidate, EmptyChoice, SingleCandidate,
};
use super::expr::Flow;
use super::{Elaborator, Eval, Value};
use crate::ir::{Decision, DecisionId, NodeId, NodeKind};
use crate::shape::Shape;

/// The candidates of a choice while they are elaborated.
struct Candidates {
    decision: DecisionId,
    path: String,
    names: Vec<(String, Span)>,
    /// The value of each candidate, as far as it is a tensor.
    values: Vec<Option<(NodeId, Shape)>>,
}

impl<'p> Elaborator<'p, '_> {
    /// With a flow, each candidate is a step that it goes into; else an expression.
    pub(super) fn choose(&mut self, choose: &'p Choose, flow: Option<Flow>) -> Eval<Value> {
        let label = choose.label.as_ref().map_or("choose", |label| label.name.as_str());
        let ordinal = self.paths.count(label);
        let part = if ordinal == 0 { label.to_owned() } else { format!("{label}.{ordinal}") };
        let path = self.paths.join(&part);
        let origin = Some(self.origin(choose.head));
        let decision = DecisionId(self.space.decisions.len() as u32);
        let label = label.to_owned();
        self.space.decisions.push(Decision {
            path: path.clone(),
            label,
            candidates: Vec::new(),
            origin,
        });
        if flow.iter().flatten().any(|(value, _)| value.is_poison()) {
            return Ok(Value::Poison);
        }

        let mut candidates = Candidates { decision, path, names: Vec::new(), values: Vec::new() };
        self.arms(&choose.arms, &part, flow.as_ref(), &mut candidates)?;
        if let Some(row) = self.space.decisions.get_mut(decision.index()) {
            row.candidates = candidates.names.iter().map(|(name, _)| name.clone()).collect();
        }
        self.select(candidates, choose.head)
    }

    fn arms(
        &mut self,
        arms: &'p [Arm],
        part: &str,
        flow: Option<&Flow>,
        candidates: &mut Candidates,
    ) -> Eval<()> {
        for arm in arms {
            match arm {
                Arm::Candidate(candidate) => self.candidate(candidate, part, flow, candidates)?,
                Arm::For(clauses, inner) => {
                    self.for_each(clauses, &mut |this| this.arms(inner, part, flow, candidates))?
                }
            }
        }
        Ok(())
    }

    fn candidate(
        &mut self,
        candidate: &'p Candidate,
        part: &str,
        flow: Option<&Flow>,
        candidates: &mut Candidates,
    ) -> Eval<()> {
        if let Some(guard) = &candidate.guard
            && self.condition(guard)? == Some(false)
        {
            return Ok(());
        }
        let Value::Text(name) = self.text(&candidate.name, candidate.name_span)? else {
            return Ok(());
        };
        let first = candidates.names.iter().find(|(other, _)| **other == *name);
        if let Some((_, first)) = first {
            let place = self.place(candidate.name_span, format!("`{name}` again"));
            let place = if *first == candidate.name_span {
                place.help("put what the `for` varies into the name, such as \"k{k}\"")
            } else {
                place.label(*first, "first here").help("rename one of them")
            };
            self.report(DuplicateCandidate::at(place, candidates.path.clone(), &*name));
            return Ok(());
        }
        self.paths.enter(&format!("{part}={name}"));
        let floor = self.names.enter_candidate();
        let value = match flow {
            Some(flow) => self.step_expr(&candidate.value, flow.clone()),
            None => self.expr(&candidate.value),
        };
        self.names.leave_candidate(floor);
        self.paths.leave();
        let value = match value? {
            Value::Tensor(node) => self.shape_of(node).map(|shape| (node, shape)),
            Value::Poison => None,
            other => {
                let place =
                    self.place(candidate.value.span, format!("this is {}", other.describe()));
                self.report(CandidateKind::at(place, &*name, other.describe()));
                None
            }
        };
        candidates.names.push((name.to_string(), candidate.name_span));
        candidates.values.push(value);
        Ok(())
    }

    fn select(&mut self, candidates: Candidates, head: Span) -> Eval<Value> {
        let Candidates { decision, path, names, values } = candidates;
        match names.as_slice() {
            [] => {
                let place = self.place(head, "nothing to choose from here");
                let place = place.help("add a candidate, or relax the `if` that leaves none");
                return Ok(self.report(EmptyChoice::at(place, path)));
            }
            [(only, span)] => {
                let place =
                    self.place(head, "nothing to decide here").label(*span, "always chosen");
                let place = place.help("write the step itself, or add a candidate");
                self.report(SingleCandidate::at(place, path.clone(), only.clone()));
            }
            _ => {}
        }
        let Some(values) = values.into_iter().collect::<Option<Vec<(NodeId, Shape)>>>() else {
            return Ok(Value::Poison);
        };
        let (nodes, shapes): (Vec<NodeId>, Vec<Shape>) = values.into_iter().unzip();
        let Some(&shape) = shapes.first() else { return Ok(Value::Poison) };
        if shapes.iter().any(|other| *other != shape) {
            return Ok(self.different_shapes(&path, &names, &shapes, head));
        }
        self.add(NodeKind::Select(decision), nodes, shape, path, head).map(Value::Tensor)
    }

    /// One label for each line of candidates, with the shapes that it makes.
    fn different_shapes(
        &mut self,
        path: &str,
        names: &[(String, Span)],
        shapes: &[Shape],
        head: Span,
    ) -> Value {
        let mut counts: Vec<(Shape, usize)> = Vec::new();
        for &shape in shapes {
            match counts.iter_mut().find(|(other, _)| *other == shape) {
                Some((_, count)) => *count += 1,
                None => counts.push((shape, 1)),
            }
        }
        let usual = counts.iter().max_by_key(|(_, count)| *count).map(|(shape, _)| *shape);
        let mut lines: Vec<(Span, Shape, Vec<&str>)> = Vec::new();
        for ((name, span), &shape) in names.iter().zip(shapes) {
            match lines.iter_mut().find(|(s, sh, _)| s == span && *sh == shape) {
                Some((_, _, listed)) => listed.push(name),
                None => lines.push((*span, shape, vec![name])),
            }
        }
        let mut place = self.place(head, "they meet here");
        for (span, shape, listed) in lines {
            let first = listed.first().copied().unwrap_or_default();
            let more = match listed.len() {
                1 => String::new(),
                n => format!(" and {} more", n - 1),
            };
            place = place.label(span, format!("`{first}`{more}: {shape}"));
        }
        if let Some(usual) = usual {
            place = place.help(format!("make every candidate give {usual}, as most do"));
        }
        self.report(CandidateShapes::at(place, path))
    }
}
