//! The compiler as its users call it: a loaded program, its spaces, networks and recipes.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use nas_diagnostics::{Place, Problems, diagnostics, fault};
use nas_grammar::ast::{Arch, ArchEntry, Arg, Expr, Ident, Search, SpaceRef};
use nas_grammar::{Problem, Source};
use nas_ir::Network;
use nas_ir::recipe::{Recipe, Variable};
use nas_ir::requirement::Requirement;
use nas_ir::verify::verify;
use nas_ir::{Assignment, Checked, Figures, Measure, Quantity, Space};
use nas_passes::specialise;

use crate::allowed;
use crate::constant;
use crate::context::Context;
use crate::device::{self, Asked};
use crate::elaborate::{self, Fuel, Value};
use crate::items::search::{self, Override, Static, Strategies};
use crate::items::target::{self, Dropped, Refusal, Target};
use crate::items::{arch, expect};
use crate::modules::{LoadTable, Program};
use crate::names;

diagnostics! {
    /// A network outside what its space requires.
    Warning Broken [nas::require::broken] "`{arch}` breaks `require {text}`" { arch: String, text: String }
    /// An objective that weighs latencies which nothing tells.
    Error UntimedObjective [nas::recipe::no_table] "the objective weighs `latency`, and space `{space}` has no latency table" { space: String }
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

impl Wanted {
    /// A space of the main file as it is, without arguments.
    fn plain(name: &str) -> Self {
        Self { name: name.to_owned(), args: Vec::new(), target: None }
    }
}

/// A `search` item without errors.
#[derive(Debug)]
pub struct SoundSearch<'p> {
    /// The item.
    pub item: &'p Search,
    /// What it searches.
    pub space: Arc<Checked<Space>>,
    /// How.
    pub recipe: Recipe,
}

/// Compiles the items of one program; problems go to the collector that it was given.
pub struct Compiler<'p, 'e> {
    context: Context<'p, 'e>,
    /// Whether loading or names had errors: then what a space lacks may be what they left out.
    is_broken: bool,
    /// Each space as it was asked for, made once.
    spaces: HashMap<Wanted, Option<Arc<Checked<Space>>>>,
    /// The strategies that a recipe may name; without any, recipes are not checked.
    strategies: Strategies,
    /// Whether spaces go without the candidates that their target cannot run.
    drops_unsupported: bool,
    /// What they went without.
    dropped: Vec<Dropped>,
}

impl<'p, 'e> Compiler<'p, 'e> {
    /// A compiler for a program; checks the names of every file.
    pub fn new(program: &'p Program, problems: &'e mut Problems) -> Self {
        for index in 0..program.modules.len() {
            names::check(program, crate::modules::ModuleId(index), problems);
        }
        let is_broken = problems.has_errors();
        let fuel = Fuel::on(program);
        Self {
            context: Context { program, problems, tables: None, tables_read: Vec::new(), fuel },
            is_broken,
            spaces: HashMap::new(),
            strategies: &[],
            drops_unsupported: false,
            dropped: Vec::new(),
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
        self.context.tables = Some(load);
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

    /// Everything that the compiler checks: every space, `arch`, recipe and expectation of the main
    /// file. The searches whose recipes are sound, if it was given strategies: whether these search
    /// such spaces is for them to say.
    pub fn check_all(&mut self) -> Vec<SoundSearch<'p>> {
        let program = self.context.program;
        let mut searches = Vec::new();
        for item in program.targets() {
            target::read(&mut self.context, program.main(), item);
        }
        for item in program.spaces() {
            let space = self.space(&item.name.name, &[]);
            if let (Some(target), Some(space)) = (&item.target, space)
                && let Some(target) = target::named(&mut self.context, target)
            {
                target::check(&mut self.context, &space, &target, None);
            }
        }
        for item in program.recipes() {
            self.check_recipe_target(item);
            if !self.strategies.is_empty()
                && let Some(recipe) = self.recipe(&item.name.name, &[])
                && let Some(space) = self.searched(item)
            {
                searches.push(SoundSearch { item, space, recipe });
            }
        }
        self.named_networks();
        // They speak of spaces from which nothing was dropped.
        if self.dropped.is_empty() {
            let spaces = |name: &str| self.spaces.get(&Wanted::plain(name)).cloned().flatten();
            for item in program.expects() {
                expect::expect_space(&mut self.context, item, &spaces);
            }
        }
        allowed::check(program, self.context.problems);
        searches
    }

    /// Checks all networks, those of one space after the other: a large space that only they have,
    /// with their arguments, is not held longer.
    fn named_networks(&mut self) {
        let mut archs: IndexMap<Wanted, Vec<&'p Arch>> = IndexMap::new();
        for item in self.context.program.archs() {
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
        let target = target::named(&mut self.context, asked);
        let own = self.context.program.space(self.context.program.main(), &item.space.name.name);
        let own = own.and_then(|(_, space)| space.target.as_ref());
        let is_known = item.space.args.as_ref().is_none_or(Vec::is_empty)
            && own.is_some_and(|own| own.name == asked.name);
        if let (Some(space), Some(target), false) = (space, target, is_known) {
            target::check(&mut self.context, &space, &target, Some(asked.span));
        }
    }

    /// The files of the program, the main file first, and the latency tables that were read.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.context
            .program
            .modules
            .iter()
            .map(|module| &module.source)
            .chain(&self.context.tables_read)
    }

    /// A space of the main file, checked; `None` if there is none or after a report.
    pub fn space(&mut self, name: &str, args: &'p [Arg]) -> Option<Arc<Checked<Space>>> {
        self.once(self.wanted(name, args, None), |compiler| compiler.make(name, args))
    }

    fn wanted(&self, name: &str, args: &[Arg], target: Option<&str>) -> Wanted {
        let source = self.context.source();
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
        let (module, item) = self.context.program.space(self.context.program.main(), name)?;
        let mut found = Problems::default();
        let main = self.context.program.main();
        let fuel = &mut self.context.fuel;
        let (program, is_broken) = (self.context.program, self.is_broken);
        let (of, with) = ((module, item), (main, args));
        let space = elaborate::elaborate(program, of, with, is_broken, fuel, &mut found);
        // After an error in a part, what the whole lacks says nothing new.
        let is_whole = !self.is_broken && !found.has_errors() && !self.context.fuel.is_exhausted();
        let mut checked = if is_whole { verify(space, &mut found) } else { None };
        let target =
            device::target_of(&mut self.context, module, item).filter(|_| checked.is_some());
        if let Some(asked) = target.as_ref().filter(|_| self.drops_unsupported) {
            checked = checked.and_then(|space| self.without_unsupported(space, &asked.target));
        }
        if let Some(space) = &mut checked {
            constant::check(space, &mut found);
            device::equip(&mut self.context, space, target.as_ref(), &mut found);
        }
        self.context.problems.extend(found.into_vec());
        checked.map(Arc::new)
    }

    /// The space without what the target cannot run, noted; `None` after a report.
    fn without_unsupported(
        &mut self,
        space: Checked<Space>,
        target: &Target,
    ) -> Option<Checked<Space>> {
        let (space, went) = target::without_unsupported(&mut self.context, space, target)?;
        self.dropped.extend(went);
        Some(space)
    }

    /// The target of this name, or `None` after a report.
    pub fn target(&mut self, name: &Ident) -> Option<Target> {
        target::named(&mut self.context, name)
    }

    /// What a target cannot run of a network, each reason once.
    pub fn refusals(&mut self, network: &Network, target: &Target) -> Vec<Refusal> {
        target::refusals(&mut self.context, network, target)
    }

    /// A space by reference, with its arguments; reports an unknown name.
    pub fn space_ref(&mut self, reference: &'p SpaceRef) -> Option<Arc<Checked<Space>>> {
        let name = reference.name.name.as_str();
        if !self.context.is_space(name) {
            self.context.unknown_space(name, reference.name.span);
            return None;
        }
        self.space(name, reference.args.as_deref().unwrap_or_default())
    }

    /// The space of a recipe, as the target of the recipe has it if it names one, else as its own.
    pub fn searched(&mut self, item: &'p Search) -> Option<Arc<Checked<Space>>> {
        let space = self.space_ref(&item.space)?;
        let own = self.context.program.space(self.context.program.main(), &item.space.name.name);
        let own = own.and_then(|(_, space)| space.target.as_ref());
        let Some(name) =
            item.target.as_ref().filter(|name| own.is_none_or(|o| o.name != name.name))
        else {
            if own.is_none() {
                device::check_search_is_timed(&mut self.context, item, &space);
            }
            return Some(space);
        };
        let args = item.space.args.as_deref().unwrap_or_default();
        let wanted = self.wanted(&item.space.name.name, args, Some(&name.name));
        self.once(wanted, |compiler| compiler.retarget(&space, name))
    }

    /// A space as another target of the main file has it.
    fn retarget(&mut self, space: &Checked<Space>, name: &Ident) -> Option<Arc<Checked<Space>>> {
        let target = target::named(&mut self.context, name)?;
        let (mut space, mut found) = (space.clone(), Problems::default());
        if self.drops_unsupported {
            space = self.without_unsupported(space, &target)?;
        }
        let (source, own) = (self.context.source(), space.device.precision);
        device::equip(
            &mut self.context,
            &mut space,
            Some(&Asked { target, source, name, own }),
            &mut found,
        );
        self.context.problems.extend(found.into_vec());
        Some(Arc::new(space))
    }

    /// Reports each requirement of the space that a network breaks.
    fn compare_with_requirements(&mut self, item: &Arch, space: &Space, figures: &Figures<'_>) {
        let source = self.context.source();
        let broken = space.requirements.iter().filter(|r| r.is_kept(figures) == Some(false));
        for requirement in broken {
            let mut place = Place::new(&source, item.name.span, what_breaks(requirement, figures));
            let written = space.origins.chain(requirement.origin).into_iter().next();
            if let Some((_, span)) = written.filter(|(file, _)| file.name() == source.name()) {
                place = place.label(span, "required here");
            }
            let which = if requirement.is_of_measures() { "cheaper" } else { "other" };
            let place = place.advice(format!("choose {which} candidates, or loosen the requirement, if this is no network to compare with"));
            self.context.problems.push(Broken::at(
                place,
                item.name.name.as_str(),
                requirement.text.as_str(),
            ));
        }
    }

    /// The network of an `arch` item, its expectations checked.
    pub fn named_network(&mut self, item: &'p Arch) -> Option<NamedNetwork> {
        let space = self.space_ref(&item.space)?;
        let (source, program, fuel) =
            (self.context.source(), self.context.program, &mut self.context.fuel);
        let evaluate: &mut arch::Evaluate<'_> = &mut |expr, words, problems| {
            elaborate::evaluate_words(program, &source, words, expr, fuel, problems)
        };
        let assignment = arch::assignment(item, &space, &source, evaluate, self.context.problems)?;
        let expects = item.entries.iter().filter_map(|entry| match entry {
            ArchEntry::Expect(expect) => Some(expect),
            _ => None,
        });
        let expects: Vec<_> = expects.collect();
        if !expects.is_empty() || !space.requirements.is_empty() {
            let network = specialise(&space, &assignment);
            let asks_for_peak = expects.iter().any(|item| expect::asks_for_peak(item))
                || space.requirements.iter().any(|r| r.reads(Measure::PeakMemory));
            let costs = if asks_for_peak {
                nas_analysis::costs(&network)
            } else {
                nas_analysis::costs::costs_without_peak(&network)
            };
            for item in expects {
                expect::expect_network(&mut self.context, item, &space.name, &costs);
            }
            let figures = Figures::new(costs, &space.decisions, &network.choices);
            self.compare_with_requirements(item, &space, &figures);
        }
        Some(NamedNetwork { space, assignment })
    }

    /// A recipe of the main file with these settings on top; `None` after a report. The compiler must
    /// have been given strategies.
    pub fn recipe(&mut self, name: &str, overrides: &[Override]) -> Option<Recipe> {
        let item = self.context.program.recipes().find(|item| item.name.name == name)?;
        let (source, strategies) = (self.context.source(), self.strategies);
        let (program, fuel) = (self.context.program, &mut self.context.fuel);
        let checked = search::check(item, &source, overrides, strategies, &mut |expr, source| {
            static_value(program, expr, source, fuel)
        });
        let recipe = self.recipe_or_report(checked)?;
        let latency = Variable::Measure(Measure::Latency);
        if recipe.objective.quantities().contains(&latency)
            && self.context.tables.is_some()
            && let Some(space) = self.searched(item)
            && space.device.latency.is_none()
        {
            let target = item.target.as_ref().map(|target| target.name.as_str());
            if self.context.names_table(&space.name, target) {
                return None;
            }
            let place = Place::new(&self.context.source(), item.space.name.span, "searched here")
                .advice(format!(
                    "search `{} for TARGET`, a target with a line `latency table \"FILE\"`",
                    space.name
                ));
            self.context.problems.push(UntimedObjective::at(place, space.name.as_str()));
            return None;
        }
        Some(recipe)
    }

    /// The recipe of a space whose file has none, of the first of the strategies that the compiler
    /// must have been given.
    pub fn default_recipe(&mut self, space: &str, overrides: &[Override]) -> Option<Recipe> {
        let strategies = self.strategies;
        let (program, fuel) = (self.context.program, &mut self.context.fuel);
        let checked = search::check_default(space, overrides, strategies, &mut |expr, source| {
            static_value(program, expr, source, fuel)
        });
        self.recipe_or_report(checked)
    }

    fn recipe_or_report(&mut self, checked: Result<Recipe, Vec<Problem>>) -> Option<Recipe> {
        checked.map_err(|problems| self.context.problems.extend(problems)).ok()
    }

    /// The limits that a claim which stands outside of the file (`nasc sample --where`) sets on the
    /// networks of a space, such as `macs <= 300M and count(op == skip) <= 2`; `None` after a report.
    pub fn limits(&mut self, claim: &str, space: &Space) -> Option<Vec<Requirement>> {
        let source = Source::new("--where", claim);
        let claim = match nas_grammar::parse_limit(&source) {
            Ok(claim) => claim,
            Err(misread) => {
                self.context.problems.push(misread.problem);
                return None;
            }
        };
        let Context { program, fuel, .. } = &mut self.context;
        let mut found = Problems::default();
        let decisions = &space.decisions;
        let limits = elaborate::limits(program, &source, &claim, decisions, fuel, &mut found);
        let is_sound = !found.has_errors();
        self.context.problems.extend(found.into_vec());
        is_sound.then_some(limits)
    }
}

/// What a network has that breaks a requirement, in words.
fn what_breaks(requirement: &Requirement, figures: &Figures<'_>) -> String {
    if let Some([(before, from), (after, to)]) =
        requirement.order().and_then(|order| order.breaks(figures).next())
    {
        return format!("`{}` takes {from}, then `{}` {to}", before.path, after.path);
    }
    let has = |(quantity, _): &(Quantity, i128)| {
        let figure = quantity.show(quantity.of(figures)?.into());
        Some(match quantity.measure() {
            Some(measure) => format!("{} {figure}", measure.name()),
            None => format!("a `{quantity}` of {figure}"),
        })
    };
    let has: Vec<String> = requirement.limit.form.0.iter().filter_map(has).collect();
    format!("it has {}", has.join(", "))
}

fn static_value(
    program: &Program,
    expr: &Expr,
    source: &Source,
    fuel: &mut Fuel,
) -> Result<Static, Vec<Problem>> {
    let mut problems = Problems::default();
    let main = program.main();
    let value = elaborate::evaluate(program, main, source, &[], expr, fuel, &mut problems);
    let problems = problems.into_vec();
    // Without problems here, what is missing was reported before.
    if problems.is_empty() && !value.is_poison() { Ok(to_static(&value)) } else { Err(problems) }
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
        Value::List(values) => Static::List(values.iter().map(to_static).collect()),
        Value::Tensor(_) => Static::Other("a tensor"),
        Value::Callable(..) => Static::Other("a block"),
        Value::Chosen(_) => Static::Other("a value that a decision makes"),
        Value::Poison(_) => fault("a value without which problems were reported"),
    }
}
