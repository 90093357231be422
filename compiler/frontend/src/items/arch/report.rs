//! What is said of an item that does not fit its space.

use indexmap::IndexMap;
use nas_diagnostics::{Edit, Fix, Help, Place, did_you_mean, listed, nearest, suggested};
use nas_grammar::ast::{ArchChoice, Ident, Span};
use nas_grammar::parse::MAX_PROBLEMS;
use nas_ir::{Choice, Decision, DecisionId};

use super::errors::{Undecided, UnknownCandidate, UnknownDecision, WrongCount};
use super::given::as_written;
use super::resolver::{Line, Resolver};

/// The longest list that a help writes out.
const WRITTEN_OUT: usize = 12;
/// The most paths in a title.
const TITLED: usize = 5;

/// Decisions, and where each is made.
type Places<'s> = Vec<(&'s Decision, Span)>;

impl Resolver<'_> {
    /// Decisions that have another path or label now: what was written, and what it is.
    pub(super) fn report_moved(&mut self, moved: &[(&Ident, &str)]) {
        let words = match moved {
            [(_, now)] => format!("rename it to `{now}`"),
            _ => "rename each to the path beside it".to_owned(),
        };
        let renamed = moved.iter().map(|(key, now)| Edit::new(key.span, self.as_key(key, now)));
        let help = Fix::of(self.source, renamed.collect(), words).into();
        let labels = moved.iter().map(|(key, now)| (key.span, format!("now `{now}`")));
        let names = moved.iter().map(|(key, _)| key.name.as_str()).collect();
        self.unknown_decisions(names, labels.collect(), help);
    }

    /// A name in place of a key, in quotes if that is.
    fn as_key(&self, key: &Ident, name: &str) -> String {
        let is_quoted = self.source.at(key.span).text().starts_with('"');
        if is_quoted { format!("\"{name}\"") } else { name.to_owned() }
    }

    /// Decisions that the space does not have, under no other path either.
    pub(super) fn report_gone(&mut self, gone: &[&ArchChoice]) {
        let Some(first) = gone.first().map(|line| &line.key) else { return };
        let open = self.space.decision_ids().filter(|(id, _)| self.is_open(*id));
        let near = nearest(&first.name, open.map(|(_, decision)| decision.path.as_str()));
        let help = match near {
            Some(near) if gone.len() == 1 => {
                let says = |_: &str| format!("did you mean `{near}`?");
                Fix::replace(self.source.at(first.span), self.as_key(first, near), says).into()
            }
            _ => {
                let paths: Vec<&str> = self.space.decisions.iter().map(|d| &*d.path).collect();
                self.without_lines(gone, &all_there_are(&paths, "the decisions are"))
            }
        };
        self.is_unclear |= near.is_some();
        let keys = gone.iter().map(|line| &line.key);
        let labels = keys.clone().map(|key| (key.span, "no such decision".to_owned())).collect();
        self.unknown_decisions(keys.map(|key| key.name.as_str()).collect(), labels, help);
    }

    /// The item without some lines, if each stands by itself.
    fn without_lines(&self, gone: &[&ArchChoice], rest: &str) -> Help {
        let lines = if gone.len() == 1 { "the line" } else { "these lines" };
        let words = format!("remove {lines}; {rest}");
        let places = gone.iter().map(|line| {
            let span = line.key.span.to(line.value.span);
            self.source.at(span).lines().map(|at| Edit::new(at.span, ""))
        });
        match places.collect() {
            Some(edits) => Fix::of(self.source, edits, words).into(),
            None => Help::Advice(words),
        }
    }

    /// A label that no decision has, and no other that fits.
    pub(super) fn report_lost_label(&mut self, line: &ArchChoice) {
        let key = &line.key;
        let known: Vec<&str> = self.by_label.keys().copied().collect();
        let open: Vec<&str> = self.open_labels().map(|(label, _)| label).collect();
        let lead = "the decisions are labelled";
        let help = if open.is_empty() {
            self.without_lines(&[line], &all_there_are(&known, lead))
        } else {
            let at = self.source.at(key.span);
            suggested(at, &key.name, &open, "no line makes those labelled")
        };
        self.is_unclear |= !open.is_empty();
        let labels = vec![(key.span, "no such decision".to_owned())];
        self.unknown_decisions(vec![&key.name], labels, help);
    }

    fn unknown_decisions(&mut self, names: Vec<&str>, labels: Vec<(Span, String)>, help: Help) {
        let decisions = if names.len() == 1 { "decision" } else { "decisions" };
        let decisions = format!("{decisions} {}", titled(&names));
        if let Some(place) = self.place(labels) {
            let space = self.space.name.as_str();
            self.problems.push(UnknownDecision::at(place.help(help), space, decisions));
        }
    }

    /// A place with these labels, of which the first is what it is about.
    fn place(&self, labels: Vec<(Span, String)>) -> Option<Place> {
        let mut labels = labels.into_iter().take(MAX_PROBLEMS);
        let (span, label) = labels.next()?;
        let place = Place::new(self.source, span, label);
        Some(labels.fold(place, |place, (span, label)| place.label(span, label)))
    }

    pub(super) fn wrong_count(&mut self, line: &Line<'_>, chosen: &[DecisionId]) {
        self.is_unclear = true;
        let given = line.given.len();
        let paths: Vec<&str> = self.decisions(chosen).map(|d| d.path.as_str()).collect();
        let surplus = line.given.get(chosen.len());
        let (span, label) = match (surplus, paths.get(given), paths.last()) {
            (Some(surplus), _, Some(last)) => (surplus.span, format!("`{last}` is the last")),
            (_, Some(first), _) => (line.choice.value.span, format!("none for `{first}`")),
            _ => (line.choice.value.span, format!("{given} here")),
        };
        let help = format!("give one candidate for each, in this order: {}", listed(&paths));
        let place = Place::new(self.source, span, label).advice(help);
        let given = if given == 1 { "1 is".to_owned() } else { format!("{given} are") };
        let label = line.choice.key.name.as_str();
        self.problems.push(WrongCount::at(place, label, counted(paths.len()), given));
    }

    /// Each name once for all decisions that have the same candidates and not it.
    pub(super) fn report_unknown_candidates(&mut self) {
        let mut groups: IndexMap<(String, &[String]), Places<'_>> = IndexMap::new();
        for (id, name, span) in std::mem::take(&mut self.unknown) {
            self.is_unclear = true;
            if let Some(decision) = self.decision(id) {
                let key = (name, decision.candidates.as_slice());
                groups.entry(key).or_default().push((decision, span));
            }
        }
        for ((name, candidates), places) in groups {
            let paths: Vec<&str> = places.iter().map(|(d, _)| d.path.as_str()).collect();
            let is_gone = |path: &&str| self.space.origins.gone(path).contains(&name);
            let help = match places.first() {
                Some((decision, _)) if paths.iter().any(is_gone) => {
                    let left = (0..candidates.len()).map(|index| as_written(index, decision));
                    Help::Advice(instead_of_dropped(&left.collect::<Vec<String>>()))
                }
                Some((Decision { choice: Choice::Sets { options, take }, .. }, _)) => Help::advice(
                    format!("write a list of {take} of {}, in this order", listed(options)),
                ),
                _ => self.misnamed(&name, candidates, &places),
            };
            let verb = if paths.len() == 1 { "has" } else { "have" };
            if let Some(place) = self.place(unknown_at(&places)) {
                let place = place.help(help);
                self.problems.push(UnknownCandidate::at(place, titled(&paths), verb, name));
            }
        }
    }

    /// The candidate that was probably meant, in place of its name wherever that is written.
    fn misnamed(&self, name: &str, candidates: &[String], places: &Places<'_>) -> Help {
        let words = did_you_mean(name, candidates, "the candidates are");
        let near = nearest(name, candidates.iter().map(String::as_str));
        let near = near.and_then(|near| candidates.iter().position(|known| known == near));
        let edits = places.iter().map(|(decision, span)| {
            let is_written = self.source.at(*span).text().trim_matches('"') == name;
            is_written.then_some(Edit::new(*span, as_written(near?, decision)))
        });
        let edits: Option<Vec<Edit>> = edits.collect();
        edits.map_or_else(
            || Help::Advice(words.clone()),
            |mut edits| {
                edits.dedup();
                Fix::of(self.source, edits, words.clone()).into()
            },
        )
    }

    pub(super) fn report_undecided(&mut self, span: Span) {
        let ids = self.space.decision_ids().map(|(id, _)| id);
        let alive: Vec<DecisionId> =
            ids.filter(|id| self.is_alive(*id, &self.assignment)).collect();
        let missing: Vec<DecisionId> =
            alive.iter().copied().filter(|id| !self.decided.contains_key(id)).collect();
        if missing.is_empty() {
            return;
        }
        let lines = self.missing_lines(&alive, &missing);
        let says = |first: &str| match lines.len() {
            1 => format!("add the line `{first}`"),
            more => format!("add {more} lines, such as `{first}`"),
        };
        let place = Place::new(self.source, span, "incomplete");
        let fix = Fix::lines_in_braces(self.source.at(span), &lines, says);
        let place = Place { help: fix.map(Help::Fix), ..place };
        let paths: Vec<&str> = self.decisions(&missing).map(|d| d.path.as_str()).collect();
        let verb = if missing.len() == 1 { "is" } else { "are" };
        let space = self.space.name.as_str();
        let decisions = counted(missing.len());
        self.problems.push(Undecided::at(place, decisions, space, verb, titled(&paths)));
    }

    /// Lines that would make the decisions that are missing: one for a label of which all are.
    fn missing_lines(&self, alive: &[DecisionId], missing: &[DecisionId]) -> Vec<String> {
        let mut by_label: IndexMap<&str, (Vec<&Decision>, usize)> = IndexMap::new();
        for decision in self.decisions(missing) {
            by_label.entry(&decision.label).or_default().0.push(decision);
        }
        for decision in self.decisions(alive) {
            by_label.entry(&decision.label).and_modify(|(_, alive)| *alive += 1);
        }
        let mut lines = Vec::new();
        for (label, (decisions, alive)) in by_label {
            if decisions.len() == alive && alive <= WRITTEN_OUT {
                let given: Vec<String> = decisions.iter().map(|d| as_written(0, d)).collect();
                let is_set = decisions.iter().any(|d| matches!(d.choice, Choice::Sets { .. }));
                lines.push(match given.as_slice() {
                    [only] if !is_set => format!("{label} = {only}"),
                    given => format!("{label} = [{}]", given.join(", ")),
                });
            } else {
                let line = |d: &Decision| format!("\"{}\" = {}", d.path, as_written(0, d));
                lines.extend(decisions.into_iter().map(line));
            }
        }
        lines
    }
}

/// Labels where a name is given that is no candidate, each place once: with the decision if there
/// are several places.
fn unknown_at(places: &[(&Decision, Span)]) -> Vec<(Span, String)> {
    let unknown = "no such candidate";
    let mut labels: IndexMap<Span, String> = IndexMap::new();
    for (decision, span) in places {
        let of_this = || format!("{unknown} of `{}`", decision.path);
        labels.entry(*span).and_modify(|label| *label = unknown.to_owned()).or_insert_with(of_this);
    }
    if labels.len() == 1 {
        labels.values_mut().for_each(|label| *label = unknown.to_owned());
    }
    labels.into_iter().collect()
}

/// What to write instead of a candidate that the target cannot run.
pub(super) fn instead_of_dropped(left: &[String]) -> String {
    let edit = match left {
        [only] => format!("take `{only}`, the only one left"),
        left => format!("take one of {}", listed(left)),
    };
    format!("the target cannot run it, so it was dropped; {edit}")
}

/// "1 decision", "2 decisions".
fn counted(count: usize) -> String {
    format!("{count} decision{}", if count == 1 { "" } else { "s" })
}

/// Names in a title; of many, the first.
fn titled(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(TITLED).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > TITLED { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

fn all_there_are(names: &[&str], lead: &str) -> String {
    if names.is_empty() {
        "the space has no decisions at all".to_owned()
    } else {
        format!("{lead} {}", listed(names))
    }
}
