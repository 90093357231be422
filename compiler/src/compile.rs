//! The compiler as its users call it: a loaded program, its spaces, networks and recipes.

use std::collections::HashMap;
use std::sync::Arc;

use nas_grammar::ast::{Arch, ArchEntry, Arg, Expr, SpaceRef, Span};
use nas_grammar::{Problem, Source};

use crate::assignment::Assignment;
use crate::check::{self, Checked};
use crate::elaborate::{self, Value, Work};
use crate::error::{Place, Problems, diagnostics};
use crate::ir::Space;
use crate::modules::Program;
use crate::recipe::{self, Override, Recipe, Static};
use crate::specialise::specialise;
use crate::{arch, names};

diagnostics! {
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

/// Compiles the items of one program; problems go to the collector that it was given.
pub struct Compiler<'p, 'e> {
    pub(crate) program: &'p Program,
    pub(crate) problems: &'e mut Problems,
    /// Whether loading or names had errors: then what a space lacks may be what they left out.
    is_broken: bool,
    /// Spaces without arguments, made once.
    spaces: HashMap<String, Option<Arc<Checked<Space>>>>,
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
        Self { program, problems, is_broken, spaces: HashMap::new(), work }
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
                self.check_target(&space, &target);
            }
        }
        for item in program.archs() {
            self.named_network(item);
        }
        for item in program.recipes() {
            self.space_ref(&item.space);
            item.target.as_ref().map(|target| self.target(target));
            self.recipe(&item.name.name, &[]);
        }
        for item in program.expects() {
            self.expect_space(item);
        }
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
        if args.is_empty()
            && let Some(known) = self.spaces.get(name)
        {
            return known.clone();
        }
        let (module, item) = self.program.space(self.program.main(), name)?;
        let mut found = Problems::default();
        let main = self.program.main();
        let work = &mut self.work;
        let space = elaborate::elaborate(self.program, module, item, args, main, work, &mut found);
        // After an error in a part, what the whole lacks says nothing new.
        let is_whole = !self.is_broken && !found.has_errors() && !self.work.is_exhausted();
        let checked = if is_whole { check::check(space, &mut found) } else { None };
        self.problems.extend(found.into_vec());
        let checked = checked.map(Arc::new);
        if args.is_empty() {
            self.spaces.insert(name.to_owned(), checked.clone());
        }
        checked
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

    /// Reports a name that should be that of a space, unless a syntax error may hide the space.
    pub(crate) fn unknown_space(&mut self, name: &str, at: Span) {
        let main = self.program.module(self.program.main());
        if main.is_some_and(|module| module.file.may_define(name)) {
            return;
        }
        let spaces: Vec<&str> = self.program.spaces().map(|s| s.name.name.as_str()).collect();
        let help = match spaces.as_slice() {
            [] => format!("this file has no space; write `space {name} {{ … }}`"),
            spaces => names::did_you_mean(name, spaces, "the spaces of this file are"),
        };
        let place = Place::new(&self.source(), at, "not found").help(help);
        self.problems.push(UnknownSpace::at(place, name));
    }

    /// The network of an `arch` item, its expectations checked.
    pub fn named_network(&mut self, item: &'p Arch) -> Option<NamedNetwork> {
        let space = self.space_ref(&item.space)?;
        let assignment = arch::assignment(item, &space, &self.source(), self.problems)?;
        let cost = specialise(&space, &assignment).cost();
        for entry in &item.entries {
            if let ArchEntry::Expect(expect) = entry {
                self.expect_network(expect, &cost);
            }
        }
        Some(NamedNetwork { space, assignment })
    }

    /// A recipe of the main file with these settings on top; `None` after a report.
    pub fn recipe(&mut self, name: &str, overrides: &[Override]) -> Option<Recipe> {
        let item = self.program.recipes().find(|item| item.name.name == name)?;
        let source = self.source();
        let (program, work) = (self.program, &mut self.work);
        let checked = recipe::check(item, &source, overrides, &mut |expr, source| {
            static_value(program, expr, source, work)
        });
        self.recipe_or_report(checked)
    }

    /// The recipe of a space whose file has none.
    pub fn default_recipe(&mut self, space: &str, overrides: &[Override]) -> Option<Recipe> {
        let (program, work) = (self.program, &mut self.work);
        let checked = recipe::check_default(space, overrides, &mut |expr, source| {
            static_value(program, expr, source, work)
        });
        self.recipe_or_report(checked)
    }

    fn recipe_or_report(&mut self, checked: Result<Recipe, Vec<Problem>>) -> Option<Recipe> {
        checked.map_err(|problems| self.problems.extend(problems)).ok()
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
