//! The compiler as its users call it: a loaded program, its spaces, networks and recipes.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use nas_diagnostics::{Place, Problems, diagnostics, did_you_mean};
use nas_grammar::ast::{
    Arch, ArchEntry, Arg, Expect, Expr, Ident, Search, SpaceRef, Span,
};
use nas_grammar::{Problem, Source};
use nas_ir::recipe::Recipe;
use nas_ir::requirement::Requirement;
use nas_ir::verify::verify;
use nas_ir::{Assignment, Checked, Costs, Measure, Space};
use nas_passes::specialise;

use crate::device::Asked;
use crate::elaborate::{self, Value, Work};
use crate::items::arch;
use crate::items::search::{self, Override, Static, Strategies};
use crate::items::target::Dropped;
use crate::modules::{LoadTable, Program};
use crate::names;

diagnostics! {
    /// A network outside what its space requires.
    Warning Broken [nas::require::broken] "`{arch}` breaks `require {text}`" { arch: String, text: String }
    /// An objective that weighs latencies which nothing tells.
    Error UntimedObjective [nas::recipe::no_table] "the objective weighs `latency`, and space `{space}` has no latency table" { space: String }
    /// A space that the file does not have.
    Error UnknownSpace [nas::names::space] "there is no space `{name}`" { name: String }
}

/// A network that an `arch` item names.
#[derive(Debug, Clone)]
pub struct NamedNetwork {
    /// The space, with the item's arguments.
    pub space: Arc<Checked<Space>>,
    /// The decisions.
    pub assignment: Assignment,
}

/// What makes a space: equal ones make equal spaces.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Wanted {
    name: String,
    /// The texts of the arguments, which are constant.
    args: Vec<String>,
    /// The target of a search, in the place of the space's own.
    target: Option<String>,
}

/// Compiles the items of one program; problems go to the collector that it was given.
pub struct Compiler<'p, 'e> {
    pub(crate) program: &'p Program,
    pub(crate) problems: &'e mut Problems,
    /// Whether loading or names had errors: then what a space lacks may be what they left out.
    is_broken: bool,
    /// Each space as it was asked for, made once.
    spaces: HashMap<Wanted, Option<Arc<Checked<Space>>>>,
    /// The strategies that a recipe may name; without any, recipes are not checked.
    strategies: Strategies,
    /// Finds latency tables; if none are to be read, no space has a latency.
    pub(crate) tables: Option<&'e LoadTable<'e>>,
    /// Those that were read.
    pub(crate) tables_read: Vec<Source>,
    /// Whether spaces go without the candidates that their target cannot run.
    drops_unsupported: bool,
    /// What they went without.
    pub(crate) dropped: Vec<Dropped>,
    pub(crate) work: Work,
}

impl<'p, 'e> Compiler<'p, 'e> {
    /// A compiler for a program; checks the names of every file.
    pub fn new(program: &'p Program, problems: &'e mut Problems) -> Self {
        for index in 0..program.modules.len() {
            names::check(program, crate::modules::ModuleId(index), problems);
        }
        let is_broken = problems.has_errors();
        let work = Work::on(program);
        Self {
            program,
            problems,
            is_broken,
            spaces: HashMap::new(),
            strategies: &[],
            tables: None,
            tables_read: Vec::new(),
            drops_unsupported: false,
            dropped: Vec::new(),
            work,
        }
    }

    /// Lets the compiler check recipes, against the schemas of these strategies. One that knows none
    /// leaves the settings of `search` items unread.
    #[must_use]
    pub fn with_strategies(mut self, strategies: Strategies) -> Self {
        self.strategies = strategies;
        self
    }

    /// Lets the compiler read the latency tables of targets. One that does not read them gives no
    /// space a latency, and leaves requirements on latencies unchecked.
    #[must_use]
    pub fn with_tables(mut self, load: &'e LoadTable<'e>) -> Self {
        self.tables = Some(load);
        self
    }

    /// Lets the spaces that are made from now on go without the candidates that their target cannot
    /// run; else they are errors.
    pub fn drop_unsupported(&mut self, drops: bool) {
        self.drops_unsupported = drops;
    }

    /// Whether spaces go without what their target cannot run.
    #[must_use]
    pub fn drops_unsupported(&self) -> bool {
        self.drops_unsupported
    }

    /// What spaces went without up to now.
    #[must_use]
    pub fn dropped(&self) -> &[Dropped] {
        &self.dropped
    }

    /// Everything that `nasc check` checks: every space, `arch`, recipe and expectation of the
    /// main file.
    pub fn check_all(&mut self) {
        let program = self.program;
        for item in program.targets() {
            self.read_target(program.main(), item);
        }
        for item in program.spaces() {
            let space = self.space(&item.name.name, &[]);
            if let (Some(target), Some(space)) = (&item.target, space)
                && let Some(target) = self.target(target)
            {
                self.check_target(&space, &target, None);
            }
        }
        for item in program.recipes() {
            self.check_recipe_target(item);
            if !self.strategies.is_empty() {
                self.recipe(&item.name.name, &[]);
            }
        }
        self.named_networks();
        // They speak of spaces from which nothing was dropped.
        if self.dropped.is_empty() {
            program.expects().for_each(|item| self.expect_space(item));
        }
    }

    /// Checks all networks, those of one space after the other: a large space that only they have,
    /// with their arguments, is not held longer.
    fn named_networks(&mut self) {
        let mut archs: IndexMap<Wanted, Vec<&'p Arch>> = IndexMap::new();
        for item in self.program.archs() {
            let args = item.space.args.as_deref().unwrap_or_default();
            archs.entry(self.wanted(&item.space.name.name, args, None)).or_default().push(item);
        }
        for (wanted, items) in archs {
            let is_only_theirs = !wanted.args.is_empty() && !self.spaces.contains_key(&wanted);
            for item in items {
                self.named_network(item);
            }
            if is_only_theirs {
                self.spaces.remove(&wanted);
            }
        }
    }

    /// Holds the space of a recipe, with the arguments that it gives, against its target. What a
    /// space without arguments lacks on its own target was reported at the space.
    fn check_recipe_target(&mut self, item: &'p Search) {
        let space = self.searched(item);
        let Some(asked) = &item.target else { return };
        let target = self.target(asked);
        let own = self.program.space(self.program.main(), &item.space.name.name);
        let own = own.and_then(|(_, space)| space.target.as_ref());
        let is_known = item.space.args.as_ref().is_none_or(Vec::is_empty)
            && own.is_some_and(|own| own.name == asked.name);
        if let (Some(space), Some(target), false) = (space, target, is_known) {
            self.check_target(&space, &target, Some(asked.span));
        }
    }

    /// The files of the program, the main file first, and the latency tables that were read.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.program.modules.iter().map(|module| &module.source).chain(&self.tables_read)
    }

    /// The text of the main file.
    pub(crate) fn source(&self) -> Source {
        self.program.modules.first().map_or_else(|| Source::new("", ""), |m| m.source.clone())
    }

    pub(crate) fn is_space(&self, name: &str) -> bool {
        self.program.space(self.program.main(), name).is_some()
    }

    /// A space of the main file, checked; `None` if there is none or after a report.
    pub fn space(&mut self, name: &str, args: &'p [Arg]) -> Option<Arc<Checked<Space>>> {
        self.once(self.wanted(name, args, None), |compiler| compiler.make(name, args))
    }

    fn wanted(&self, name: &str, args: &[Arg], target: Option<&str>) -> Wanted {
        let source = self.source();
        let text = |arg: &Arg| source.text().get(arg.span().range()).unwrap_or_default().to_owned();
        let args = args.iter().map(text).collect();
        Wanted { name: name.to_owned(), args, target: target.map(str::to_owned) }
    }

    /// The space that was made for this, or that `make` makes.
    fn once(
        &mut self,
        wanted: Wanted,
        make: impl FnOnce(&mut Self) -> Option<Arc<Checked<Space>>>,
    ) -> Option<Arc<Checked<Space>>> {
        if let Some(known) = self.spaces.get(&wanted) {
            return known.clone();
        }
        let made = make(self);
        self.spaces.insert(wanted, made.clone());
        made
    }

    fn make(&mut self, name: &str, args: &'p [Arg]) -> Option<Arc<Checked<Space>>> {
        let (module, item) = self.program.space(self.program.main(), name)?;
        let mut found = Problems::default();
        let main = self.program.main();
        let work = &mut self.work;
        let space = elaborate::elaborate(self.program, module, item, args, main, work, &mut found);
        // After an error in a part, what the whole lacks says nothing new.
        let is_whole = !self.is_broken && !found.has_errors() && !self.work.is_exhausted();
        let mut checked = if is_whole { verify(space, &mut found) } else { None };
        let target = self.target_of(module, item).filter(|_| checked.is_some());
        if let Some(asked) = target.as_ref().filter(|_| self.drops_unsupported) {
            checked = checked.and_then(|space| self.without_unsupported(space, &asked.target));
        }
        if let Some(space) = &mut checked {
            self.equip(space, target.as_ref(), &mut found);
        }
        self.problems.extend(found.into_vec());
        checked.map(Arc::new)
    }

    /// A space by reference, with its arguments; reports an unknown name.
    pub fn space_ref(&mut self, reference: &'p SpaceRef) -> Option<Arc<Checked<Space>>> {
        let name = reference.name.name.as_str();
        if !self.is_space(name) {
            self.unknown_space(name, reference.name.span);
            return None;
        }
        self.space(name, reference.args.as_deref().unwrap_or_default())
    }

    /// The space of a recipe, as the target of the recipe has it if it names one, else as its own.
    pub fn searched(&mut self, item: &'p Search) -> Option<Arc<Checked<Space>>> {
        let space = self.space_ref(&item.space)?;
        let own = self.program.space(self.program.main(), &item.space.name.name);
        let own = own.and_then(|(_, space)| space.target.as_ref());
        let Some(name) =
            item.target.as_ref().filter(|name| own.is_none_or(|o| o.name != name.name))
        else {
            if own.is_none() {
                self.check_search_is_timed(item, &space);
            }
            return Some(space);
        };
        let args = item.space.args.as_deref().unwrap_or_default();
        let wanted = self.wanted(&item.space.name.name, args, Some(&name.name));
        self.once(wanted, |compiler| compiler.retarget(&space, name))
    }

    /// A space as another target of the main file has it.
    fn retarget(&mut self, space: &Checked<Space>, name: &Ident) -> Option<Arc<Checked<Space>>> {
        let target = self.target(name)?;
        let (mut space, mut found) = (space.clone(), Problems::default());
        if self.drops_unsupported {
            space = self.without_unsupported(space, &target)?;
        }
        let (source, own) = (self.source(), space.device.precision);
        self.equip(&mut space, Some(&Asked { target, source, name, own }), &mut found);
        self.problems.extend(found.into_vec());
        Some(Arc::new(space))
    }

    /// Reports a name that should be that of a space, unless a syntax error may hide the space.
    pub(crate) fn unknown_space(&mut self, name: &str, at: Span) {
        let main = self.program.module(self.program.main());
        if main.is_some_and(|module| module.file.may_define(name)) {
            return;
        }
        let spaces: Vec<&str> = self.program.spaces().map(|s| s.name.name.as_str()).collect();
        let help = match spaces.as_slice() {
            [] => format!("this file has no space; write `space {name} {{ … }}`"),
            spaces => did_you_mean(name, spaces, "the spaces of this file are"),
        };
        let place = Place::new(&self.source(), at, "not found").help(help);
        self.problems.push(UnknownSpace::at(place, name));
    }

    /// Reports each requirement of the space that a network breaks.
    fn compare_with_requirements(&mut self, item: &Arch, space: &Space, costs: &Costs) {
        let source = self.source();
        let broken = space.requirements.iter().filter(|r| r.is_kept(costs) == Some(false));
        for requirement in broken {
            let has = |(measure, _): &(Measure, i128)| {
                let cost = measure.show(costs.of(*measure)?.into());
                Some(format!("{} {cost}", measure.name()))
            };
            let has: Vec<String> = requirement.limit.form.0.iter().filter_map(has).collect();
            let mut place =
                Place::new(&source, item.name.span, format!("it has {}", has.join(", ")));
            let written = space.origins.chain(requirement.origin).into_iter().next();
            if let Some((_, span)) = written.filter(|(file, _)| file.name() == source.name()) {
                place = place.label(span, "required here");
            }
            let place = place.help("choose cheaper candidates, or loosen the requirement, if this is no network to compare with");
            self.problems.push(Broken::at(
                place,
                item.name.name.as_str(),
                requirement.text.as_str(),
            ));
        }
    }

    /// The network of an `arch` item, its expectations checked.
    pub fn named_network(&mut self, item: &'p Arch) -> Option<NamedNetwork> {
        let space = self.space_ref(&item.space)?;
        let (source, program, work) = (self.source(), self.program, &mut self.work);
        let evaluate: &mut arch::Evaluate<'_> = &mut |expr, words, problems| {
            elaborate::evaluate_words(program, &source, words, expr, work, problems)
        };
        let assignment = arch::assignment(item, &space, &source, evaluate, self.problems)?;
        let expects = item.entries.iter().filter_map(|entry| match entry {
            ArchEntry::Expect(expect) => Some(expect),
            _ => None,
        });
        let expects: Vec<_> = expects.collect();
        if !expects.is_empty() || !space.requirements.is_empty() {
            let network = specialise(&space, &assignment);
            let asks_for_peak = expects.iter().any(|expect| self.asks_for_peak(expect))
                || space.requirements.iter().any(|r| r.reads(Measure::PeakMemory));
            let costs = if asks_for_peak {
                nas_analysis::costs(&network)
            } else {
                nas_analysis::costs::costs_without_peak(&network)
            };
            expects.into_iter().for_each(|expect| self.expect_network(expect, &costs));
            self.compare_with_requirements(item, &space, &costs);
        }
        Some(NamedNetwork { space, assignment })
    }

    /// Whether a claim about a network may be about its peak of memory.
    fn asks_for_peak(&self, expect: &Expect) -> bool {
        let source = self.source();
        let claim = source.text().get(expect.span.range());
        claim.is_none_or(|claim| claim.contains(Measure::PeakMemory.name()))
    }

    /// A recipe of the main file with these settings on top; `None` after a report. The compiler must
    /// have been given strategies.
    pub fn recipe(&mut self, name: &str, overrides: &[Override]) -> Option<Recipe> {
        let item = self.program.recipes().find(|item| item.name.name == name)?;
        let source = self.source();
        let (program, strategies, work) = (self.program, self.strategies, &mut self.work);
        let checked = search::check(item, &source, overrides, strategies, &mut |expr, source| {
            static_value(program, expr, source, work)
        });
        let recipe = self.recipe_or_report(checked)?;
        let weighs_latency = recipe.objective.measure == Measure::Latency;
        if weighs_latency
            && recipe.objective.factor > 0.0
            && self.tables.is_some()
            && let Some(space) = self.searched(item)
            && space.device.latency.is_none()
        {
            let place =
                Place::new(&self.source(), item.space.name.span, "searched here").help(format!(
                    "search `{} for TARGET`, a target with a line `latency table \"FILE\"`",
                    space.name
                ));
            self.problems.push(UntimedObjective::at(place, space.name.as_str()));
            return None;
        }
        Some(recipe)
    }

    /// The recipe of a space whose file has none, of the first of the strategies that the compiler
    /// must have been given.
    pub fn default_recipe(&mut self, space: &str, overrides: &[Override]) -> Option<Recipe> {
        let (program, strategies, work) = (self.program, self.strategies, &mut self.work);
        let checked = search::check_default(space, overrides, strategies, &mut |expr, source| {
            static_value(program, expr, source, work)
        });
        self.recipe_or_report(checked)
    }

    fn recipe_or_report(&mut self, checked: Result<Recipe, Vec<Problem>>) -> Option<Recipe> {
        checked.map_err(|problems| self.problems.extend(problems)).ok()
    }

    /// The limits of a claim that stands outside of the file (`nasc sample --where`), such as
    /// `macs <= 300M and params <= 5M`; `None` after a report.
    pub fn limits(&mut self, claim: &str) -> Option<Vec<Requirement>> {
        let source = Source::new("--where", claim);
        let claim = match nas_grammar::parse_limit(&source) {
            Ok(claim) => claim,
            Err(misread) => {
                self.problems.extend(vec![misread.problem]);
                return None;
            }
        };
        let mut found = Problems::default();
        let limits = elaborate::limits(self.program, &source, &claim, &mut self.work, &mut found);
        let is_sound = !found.has_errors();
        self.problems.extend(found.into_vec());
        is_sound.then_some(limits)
    }

    /// A static expression of the main file.
    pub(crate) fn evaluate(&mut self, expr: &Expr, names: &[(&str, Value)]) -> Value {
        let (program, source) = (self.program, self.source());
        let (work, problems) = (&mut self.work, &mut *self.problems);
        elaborate::evaluate(program, program.main(), &source, names, expr, work, problems)
    }
}

fn static_value(
    program: &Program,
    expr: &Expr,
    source: &Source,
    work: &mut Work,
) -> Result<Static, Vec<Problem>> {
    let mut problems = Problems::default();
    let main = program.main();
    let value = elaborate::evaluate(program, main, source, &[], expr, work, &mut problems);
    let problems = problems.into_vec();
    if problems.is_empty() && !matches!(value, Value::Poison) {
        return Ok(to_static(&value));
    }
    if problems.is_empty()
        && let nas_grammar::ast::ExprKind::Name(name) = &expr.kind
    {
        let help = names::habit(name).map_or_else(
            || "settings may use numbers, strings and constants of the file".to_owned(),
            str::to_owned,
        );
        let place = Place::new(source, expr.span, "not found here").help(help);
        return Err(vec![Box::new(names::UnknownName::at(place, name.as_str()))]);
    }
    Err(problems)
}

fn to_static(value: &Value) -> Static {
    match value {
        Value::Int(n) => match n.to_string().parse() {
            Ok(n) => Static::Integer(n),
            Err(_) => Static::Other("a number beyond 128 bits"),
        },
        Value::Real(r) => Static::Real(*r),
        Value::Bool(b) => Static::Flag(*b),
        Value::Text(text) => Static::Text(text.to_string()),
        Value::Tuple(values) => Static::Tuple(values.iter().map(to_static).collect()),
        Value::List(_) => Static::Other("a list"),
        Value::Tensor(_) => Static::Other("a tensor"),
        Value::Callable(..) => Static::Other("a block"),
        Value::Chosen(_) => Static::Other("a value that a decision makes"),
        Value::Poison => Static::Other("an unknown value"),
    }
}
