//! From a `search` item and overrides to a recipe: names, kinds of values, ranges.

use nas_diagnostics::{Fix, Help, Place, Problems, listed, suggested};
use nas_grammar::ast::{self, BinaryOp, Expr, ExprKind, Ident, Search, Setting, Span};
use nas_grammar::{Problem, Source};
use nas_ir::recipe::anneal::number;
use nas_ir::recipe::common::STRATEGY;
use nas_ir::recipe::schema::{Bounds, Field, Kind, Kinds, Section};
use nas_ir::recipe::{NoSetting, Objective, Recipe, Settings};
use nas_ir::recipe::{StrategySchema, Value};

use super::errors::{
    EmptyRange, OtherStrategy, OutOfRange, Repeated, StrayKind, UnknownField, UnknownKind,
    UnknownSection, WrongValue,
};
use super::objective;
use super::overrides::{OVERRIDES, Override};
use super::statics::{Evaluate, Static, Strategies};

mod anneal;
mod relations;
mod template;
mod words;

/// The recipe that a `search` item describes. An override wins over the item, a later override
/// over an earlier one.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(
    search: &Search,
    source: &Source,
    overrides: &[Override],
    strategies: Strategies,
    evaluate: Evaluate<'_>,
) -> Result<Recipe, Vec<Problem>> {
    let mut reader = Reader::new(strategies, named_strategy(search), evaluate)?;
    reader.item(search, source);
    reader.finish(&search.name.name, overrides)
}

/// The recipe of a space whose file has no `search` item, with overrides.
///
/// # Errors
/// Everything that is wrong with the overrides.
pub fn check_default(
    space: &str,
    overrides: &[Override],
    strategies: Strategies,
    evaluate: Evaluate<'_>,
) -> Result<Recipe, Vec<Problem>> {
    Reader::new(strategies, None, evaluate)?.finish(space, overrides)
}

/// What is said to be given twice where there are two objectives.
const OBJECTIVE: &str = "minimize";

/// The strategy that an item names first.
fn named_strategy(search: &Search) -> Option<&str> {
    search.settings.iter().find_map(|setting| match setting {
        Setting::Section(section) if section.name.name == STRATEGY => {
            section.kind.as_ref().map(|kind| kind.name.as_str())
        }
        Setting::Section(_) | Setting::Objective(..) => None,
    })
}

/// A setting that was written, well or badly.
struct Given {
    section: &'static str,
    field: &'static str,
    source: Source,
    span: Span,
    understood: bool,
}

/// Where a value stands and what setting it is for.
#[derive(Clone, Copy)]
struct Slot<'a> {
    source: &'a Source,
    section: &'static str,
    field: &'static Field,
    /// The value and the law behind it.
    whole: Span,
}

impl Slot<'_> {
    fn name(&self) -> String {
        format!("{}.{}", self.section, self.field.name)
    }

    /// "write `field = …`": this in place of the value.
    fn write(&self, value: impl Into<String>) -> Fix {
        let says = |new: &str| format!("write `{} = {new}`", self.field.name);
        Fix::replace(self.source.at(self.whole), value, says)
    }

    /// A place with a value that the field takes.
    fn place(&self, at: Span, label: impl Into<String>) -> Place {
        Place::new(self.source, at, label).fix(self.write(self.field.kind.example()))
    }
}

struct Reader<'a> {
    strategies: Strategies,
    /// That of the strategy which is named, or the first one.
    schema: &'static StrategySchema,
    /// Whether a strategy is named that is not known: then it is not known which settings it has.
    is_lost: bool,
    settings: Settings,
    objective: Objective,
    evaluate: Evaluate<'a>,
    problems: Problems,
    given: Vec<Given>,
}

impl<'a> Reader<'a> {
    fn new(
        strategies: Strategies,
        named: Option<&str>,
        evaluate: Evaluate<'a>,
    ) -> Result<Self, Vec<Problem>> {
        let found = strategies.iter().find(|strategy| Some(strategy.name) == named);
        let schema = found.or(strategies.first());
        let none = NoSetting { section: STRATEGY, field: "name" };
        let schema = schema.ok_or_else(|| -> Vec<Problem> { vec![none.into()] })?;
        Ok(Self {
            strategies,
            schema,
            is_lost: named.is_some() && found.is_none(),
            settings: Settings::default(),
            objective: Objective::default(),
            evaluate,
            problems: Problems::default(),
            given: Vec::new(),
        })
    }

    /// The settings of the file, each once.
    fn item(&mut self, search: &Search, source: &Source) {
        let mut seen: Vec<(&str, Span)> = Vec::new();
        for setting in &search.settings {
            let (name, at) = match setting {
                Setting::Objective(_, span) => (OBJECTIVE, *span),
                Setting::Section(section) => (section.name.name.as_str(), section.name.span),
            };
            match seen.iter().find(|(earlier, _)| *earlier == name) {
                Some(&(_, first)) => self.repeated(name, source, first, at),
                None => seen.push((name, at)),
            }
            self.setting(setting, source);
        }
    }

    fn finish(mut self, name: &str, overrides: &[Override]) -> Result<Recipe, Vec<Problem>> {
        for given in overrides {
            self.setting(&given.setting, &given.source);
        }
        let recipe = self.recipe(name);
        let mut problems = self.problems.into_vec();
        match recipe {
            Ok(recipe) if problems.is_empty() => Ok(recipe),
            Ok(_) => Err(problems),
            Err(fault) => {
                problems.push(fault.into());
                Err(problems)
            }
        }
    }

    fn recipe(&mut self, name: &str) -> Result<Recipe, NoSetting> {
        self.settings.complete(self.schema)?;
        self.check_relations()?;
        Recipe::new(name, self.schema, self.objective.clone(), self.settings.clone())
    }

    fn repeated(&mut self, name: &str, source: &Source, first: Span, again: Span) {
        let place = Place::new(source, again, "given again here")
            .label(first, "given first here")
            .advice(format!("keep one `{name}`"));
        self.problems.push(Repeated::at(place, format!("`{name}`")));
    }

    fn setting(&mut self, setting: &Setting, source: &Source) {
        match setting {
            Setting::Objective(goals, span) => {
                let read = objective::read(goals, *span, source, self.evaluate, &mut self.problems);
                self.objective = read.unwrap_or_default();
            }
            Setting::Section(section) => self.section(section, source),
        }
    }

    fn section(&mut self, written: &ast::Section, source: &Source) {
        let Some(section) = self.schema.section(&written.name.name) else {
            self.unknown_section(&written.name, source);
            return;
        };
        self.kind(section, written, source);
        let mut seen: Vec<&Ident> = Vec::new();
        for field in &written.fields {
            match seen.iter().find(|earlier| earlier.name == field.name.name) {
                Some(first) => {
                    self.repeated(&field.name.name, source, first.span, field.name.span);
                }
                None => seen.push(&field.name),
            }
            match section.field(&field.name.name) {
                Some(known) => self.field(section, known, field, source),
                None => self.unknown_field(section, &field.name, source),
            }
        }
    }

    fn unknown_section(&mut self, name: &Ident, source: &Source) {
        if self.is_of_another(name, source, |other| other.section(&name.name).is_some()) {
            return;
        }
        let names: Vec<&str> = self.schema.sections.iter().map(|s| s.name).collect();
        let help = suggested(source.at(name.span), &name.name, &names, "the sections are");
        let place = Place::new(source, name.span, "no section of a recipe").help(help);
        self.problems.push(UnknownSection::at(place, name.name.as_str()));
    }

    fn unknown_field(&mut self, section: &Section, name: &Ident, source: &Source) {
        let has = |other: &StrategySchema| {
            other.section(section.name).is_some_and(|of| of.field(&name.name).is_some())
        };
        if self.is_of_another(name, source, has) {
            return;
        }
        let names: Vec<&str> = section.fields.iter().map(|f| f.name).collect();
        let help = suggested(source.at(name.span), &name.name, &names, "its fields are");
        let label = format!("no field of `{}`", section.name);
        let place = Place::new(source, name.span, label).help(help);
        self.problems.push(UnknownField::at(place, section.name, name.name.as_str()));
    }

    /// Whether what this strategy does not have is a setting of others; reports it, unless it is
    /// not known which strategy was meant.
    fn is_of_another(
        &mut self,
        name: &Ident,
        source: &Source,
        has: impl Fn(&StrategySchema) -> bool,
    ) -> bool {
        let others = self.strategies.iter().filter(|other| has(other));
        let others: Vec<&str> = others.map(|other| other.name).collect();
        let Some(first) = others.first() else { return false };
        if !self.is_lost {
            let place = Place::new(source, name.span, format!("`{}` has none", self.schema.name))
                .advice(format!("search by `{STRATEGY} {first}`, or leave it out"));
            let (name, strategy) = (name.name.as_str(), self.schema.name);
            self.problems.push(OtherStrategy::at(place, name, listed(&others), strategy));
        }
        true
    }

    fn kind(&mut self, section: &'static Section, written: &ast::Section, source: &Source) {
        let Some(kind) = &written.kind else { return };
        let known: Vec<&str> = match section.kinds {
            Kinds::AnyName => return,
            Kinds::Field(name) => {
                return self.kind_as_field(section, name, (written, kind), source);
            }
            Kinds::OneOf(kinds) => kinds.to_vec(),
            Kinds::Strategy => self.strategies.iter().map(|strategy| strategy.name).collect(),
            Kinds::None => {
                let stray = Span { start: written.name.span.end, ..kind.span };
                let words = format!("write `{} {{ … }}`", section.name);
                let fix = Fix::remove(source.at(stray), |_| words);
                let place = Place::new(source, kind.span, "leave this out").fix(fix);
                self.problems.push(StrayKind::at(place, section.name));
                return;
            }
        };
        if known.contains(&kind.name.as_str()) {
            return;
        }
        let help = match known.as_slice() {
            [only] => {
                let says = |new: &str| format!("write `{} {new}`", section.name);
                Fix::replace(source.at(kind.span), *only, says).into()
            }
            known => suggested(source.at(kind.span), &kind.name, known, "write one of"),
        };
        let label = format!("no kind of `{}`", section.name);
        let place = Place::new(source, kind.span, label).help(help);
        self.problems.push(UnknownKind::at(place, section.name, kind.name.as_str()));
    }

    /// A kind that is the value of a field: `weights adamw { … }`.
    fn kind_as_field(
        &mut self,
        section: &'static Section,
        name: &str,
        (written, kind): (&ast::Section, &Ident),
        source: &Source,
    ) {
        if let Some(again) = written.fields.iter().find(|field| field.name.name == name) {
            self.repeated(name, source, kind.span, again.name.span);
            return;
        }
        let Some(field) = section.field(name) else { return };
        let Kind::Word(words) = field.kind else { return };
        let known = words.iter().find(|word| **word == kind.name);
        if let Some(word) = known {
            self.settings.set(section.name, field.name, Value::Word(word));
        } else {
            let help = suggested(source.at(kind.span), &kind.name, words, "write one of");
            let label = format!("no kind of `{}`", section.name);
            let place = Place::new(source, kind.span, label).help(help);
            self.problems.push(UnknownKind::at(place, section.name, kind.name.as_str()));
        }
        self.note(section, field, (source, kind.span), known.is_some());
    }

    /// Notes where a setting is given, and whether its value was understood.
    fn note(
        &mut self,
        section: &'static Section,
        field: &'static Field,
        (source, span): (&Source, Span),
        understood: bool,
    ) {
        let (section, field, source) = (section.name, field.name, source.clone());
        self.given.retain(|g| (g.section, g.field) != (section, field));
        self.given.push(Given { section, field, source, span, understood });
    }

    fn field(
        &mut self,
        section: &'static Section,
        field: &'static Field,
        written: &ast::Field,
        source: &Source,
    ) {
        let law = written.law.as_ref().map_or(written.value.span, |law| law.span);
        let whole = written.value.span.to(law);
        let slot = Slot { source, section: section.name, field, whole };
        let value = self.value(slot, &written.value, written.law.as_ref());
        let understood = value.is_some();
        if let Some(value) = value.filter(|_| !field.kind.is_settled()) {
            self.settings.set(section.name, field.name, value);
            self.settings.write_at(section.name, field.name, (source.clone(), whole));
        }
        self.note(section, field, (source, written.value.span), understood);
    }

    /// Reads a value; `None` after a problem.
    fn value(&mut self, slot: Slot<'_>, expr: &Expr, law: Option<&ast::Law>) -> Option<Value> {
        if let Kind::Anneal { bounds, .. } = slot.field.kind {
            return self.anneal(slot, expr, law, bounds).map(Value::Anneal);
        }
        if let Some(law) = law {
            self.stray_law(slot, law);
            return None;
        }
        match slot.field.kind {
            Kind::Count { least, most, .. } => {
                let value = self.whole(slot, expr, i128::from(least), i128::from(most))?;
                u32::try_from(value).ok().map(Value::Count)
            }
            Kind::Seed { .. } => {
                let value = self.whole(slot, expr, 0, i128::from(u64::MAX))?;
                u64::try_from(value).ok().map(Value::Seed)
            }
            Kind::Real { bounds, .. } => self.real(slot, expr, bounds).map(Value::Real),
            Kind::Flag { .. } => match self.evaluated(slot, expr)? {
                Static::Flag(value) => Some(Value::Flag(value)),
                other => self.wrong_value(slot, expr.span, &other),
            },
            Kind::Size { .. } => self.size(slot, expr).map(|size| Value::Size(Some(size))),
            Kind::Range { bounds, .. } => {
                self.range(slot, expr, bounds).map(|ends| Value::Range(Some(ends)))
            }
            Kind::Path { .. } => self.text(slot, expr).map(Value::Path),
            Kind::Text { .. } => self.text(slot, expr).map(|text| Value::Text(Some(text))),
            Kind::Template { placeholders, .. } => {
                let template = self.template(slot, expr, placeholders)?;
                Some(Value::Template(Some(template)))
            }
            Kind::Word(words) => self.word(slot, expr, words).map(Value::Word),
            Kind::Words(words) => self.words(slot, expr, words).map(Value::Words),
            Kind::Numbers { bounds, words, .. } => self.numbers(slot, expr, bounds, words),
            Kind::Anneal { .. } => None,
        }
    }

    /// Reports a value of the wrong kind; of a text that would do without its quotes, that it would.
    fn wrong_value<T>(&mut self, slot: Slot<'_>, at: Span, found: &Static) -> Option<T> {
        let unquoted = match found {
            Static::Text(text) if slot.field.kind.takes_unquoted(text) => Some(text),
            _ => None,
        };
        let Some(text) = unquoted else { return self.wrong(slot, at, &describe(found)) };
        let says = |new: &str| format!("leave the quotes out: `{} = {new}`", slot.field.name);
        let fix = Fix::replace(slot.source.at(at), text, says);
        let place = slot.place(at, "this is a string").fix(fix);
        self.problems.push(WrongValue::at(place, slot.name(), slot.field.kind.expected()));
        None
    }

    /// Reports something of the wrong kind.
    fn wrong<T>(&mut self, slot: Slot<'_>, at: Span, found: &str) -> Option<T> {
        let place = slot.place(at, format!("this is {found}"));
        self.problems.push(WrongValue::at(place, slot.name(), slot.field.kind.expected()));
        None
    }

    fn out_of_range<T>(&mut self, slot: Slot<'_>, at: Span, found: &str, range: &str) -> Option<T> {
        let place = slot.place(at, format!("this is {found}"));
        self.problems.push(OutOfRange::at(place, slot.name(), range));
        None
    }

    /// The value of an expression that is neither a range nor moves.
    fn evaluated(&mut self, slot: Slot<'_>, expr: &Expr) -> Option<Static> {
        let found = match &bare(expr).kind {
            ExprKind::Pipeline(..) => "a value that moves",
            ExprKind::Binary(BinaryOp::Range, ..) => "a range",
            _ => match (self.evaluate)(expr, slot.source) {
                Ok(value) => return Some(value),
                Err(problems) if problems.is_empty() => "an unknown value",
                Err(problems) => {
                    self.problems.extend(problems);
                    return None;
                }
            },
        };
        self.wrong(slot, expr.span, found)
    }

    fn whole(&mut self, slot: Slot<'_>, expr: &Expr, least: i128, most: i128) -> Option<i128> {
        let value = self.evaluated(slot, expr)?;
        self.whole_value(slot, expr.span, &value, least, most)
    }

    fn whole_value(
        &mut self,
        slot: Slot<'_>,
        at: Span,
        value: &Static,
        least: i128,
        most: i128,
    ) -> Option<i128> {
        match value {
            Static::Integer(value) if (least..=most).contains(value) => Some(*value),
            Static::Integer(value) => {
                let range = format!("at least {least} and at most {most}");
                self.out_of_range(slot, at, &value.to_string(), &range)
            }
            other => self.wrong_value(slot, at, other),
        }
    }

    fn real(&mut self, slot: Slot<'_>, expr: &Expr, bounds: Bounds) -> Option<f64> {
        let value = self.evaluated(slot, expr)?;
        self.real_value(slot, expr.span, &value, bounds)
    }

    fn real_value(
        &mut self,
        slot: Slot<'_>,
        at: Span,
        value: &Static,
        bounds: Bounds,
    ) -> Option<f64> {
        let value = match value {
            Static::Integer(value) => *value as f64,
            Static::Real(value) => *value,
            other => return self.wrong_value(slot, at, other),
        };
        if bounds.contains(value) {
            return Some(value);
        }
        self.out_of_range(slot, at, &number(value), &bounds.to_string())
    }

    /// A list of numbers that is not empty, or a word.
    fn numbers(
        &mut self,
        slot: Slot<'_>,
        expr: &Expr,
        bounds: Bounds,
        words: &'static [&'static str],
    ) -> Option<Value> {
        if let ExprKind::Name(name) = &bare(expr).kind
            && let Some(word) = words.iter().find(|word| *word == name)
        {
            return Some(Value::Word(word));
        }
        match self.evaluated(slot, expr)? {
            Static::List(values) if !values.is_empty() => {
                let values = values.iter();
                let values = values.map(|value| self.real_value(slot, expr.span, value, bounds));
                values.collect::<Option<Vec<f64>>>().map(Value::Numbers)
            }
            other => self.wrong_value(slot, expr.span, &other),
        }
    }

    /// A text that is not empty.
    fn text(&mut self, slot: Slot<'_>, expr: &Expr) -> Option<String> {
        let is_text = matches!(bare(expr).kind, ExprKind::Text(_));
        if !is_text && (self.evaluate)(expr, slot.source).is_err() {
            let written = slot.source.text().get(expr.span.range()).unwrap_or_default();
            let help = if slot.source.name() == OVERRIDES {
                Help::advice(format!("write `{OVERRIDES} '{}=\"{written}\"'`", slot.name()))
            } else {
                slot.write(format!("\"{written}\"")).into()
            };
            let place = slot.place(expr.span, "this is not in quotes").help(help);
            self.problems.push(WrongValue::at(place, slot.name(), slot.field.kind.expected()));
            return None;
        }
        match self.evaluated(slot, expr)? {
            Static::Text(path) if !path.is_empty() => Some(path),
            other => self.wrong_value(slot, expr.span, &other),
        }
    }

    /// Height and width; one number is both.
    fn size(&mut self, slot: Slot<'_>, expr: &Expr) -> Option<[u32; 2]> {
        let most = i128::from(Kind::MOST_PIXELS);
        let sides = match &bare(expr).kind {
            ExprKind::Tuple(parts) => match parts.as_slice() {
                [height, width] => {
                    let height = self.whole(slot, height, 1, most);
                    [height, self.whole(slot, width, 1, most)]
                }
                _ => return self.wrong(slot, expr.span, &tuple_of(parts.len())),
            },
            _ => match self.evaluated(slot, expr)? {
                Static::Tuple(parts) => match parts.as_slice() {
                    [height, width] => {
                        [height, width].map(|side| self.whole_value(slot, expr.span, side, 1, most))
                    }
                    _ => return self.wrong(slot, expr.span, &tuple_of(parts.len())),
                },
                side => [self.whole_value(slot, expr.span, &side, 1, most); 2],
            },
        };
        let [height, width] = sides.map(|side| u32::try_from(side?).ok());
        Some([height?, width?])
    }

    fn range(&mut self, slot: Slot<'_>, expr: &Expr, bounds: Bounds) -> Option<[f64; 2]> {
        let ExprKind::Binary(BinaryOp::Range, low, high) = &bare(expr).kind else {
            let found = self.evaluated(slot, expr)?;
            return self.wrong_value(slot, expr.span, &found);
        };
        let ends = [self.real(slot, low, bounds), self.real(slot, high, bounds)];
        let [Some(low), Some(high)] = ends else { return None };
        if low <= high {
            return Some([low, high]);
        }
        let (low, high) = (number(low), number(high));
        let place = Place::new(slot.source, expr.span, format!("{low} is above {high}"))
            .fix(slot.write(format!("{high}..{low}")));
        self.problems.push(EmptyRange::at(place, slot.name()));
        None
    }
}

/// An expression without the parentheses around it.
pub(super) fn bare(expr: &Expr) -> &Expr {
    match &expr.kind {
        ExprKind::Paren(inner) => bare(inner),
        _ => expr,
    }
}

fn tuple_of(parts: usize) -> String {
    format!("a tuple of {parts}")
}

fn describe(value: &Static) -> String {
    match value {
        Static::Integer(value) => format!("the number {value}"),
        Static::Real(value) => format!("the number {value:?}"),
        Static::Flag(value) => format!("`{value}`"),
        Static::Text(text) if text.is_empty() => "an empty string".to_owned(),
        Static::Text(_) => "a string".to_owned(),
        Static::Tuple(parts) => tuple_of(parts.len()),
        Static::List(_) => "a list".to_owned(),
        Static::Other(what) => (*what).to_owned(),
    }
}
