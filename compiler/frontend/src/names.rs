//! Names inside items: what is unknown, defined twice, assigned without `var`, or never used.
//!
//! This pass looks at the text of each block and space of a file once, whether it is
//! instantiated or not, so that elaboration can stay silent about unknown names.

use nas_diagnostics::{Fix, Help, Place, Problems, diagnostics, listed, nearest, similar};
use nas_grammar::Source;
use nas_grammar::ast::{
    Alternatives, Arch, ArchEntry, Arg, Arm, Block, Body, Element, Expr, ExprKind, ForClause,
    Ident, ItemKind, Param, Pattern, Space, SpaceRef, Span, Statement, StatementKind, Target,
    TargetEntry, TextPart,
};
use nas_grammar::source::At;
use nas_ir::{Precision, ops};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use crate::foreign::{self, first_line};
use crate::modules::{FUNCTIONS, Module, ModuleId, Program};

diagnostics! {
    /// A name that nothing defines.
    Error UnknownName [nas::names::unknown] "unknown name `{name}`" { name: String }
    /// A name that is defined and never read.
    Warning Unused [nas::names::unused] "{what} `{name}` is never used" { what: String, name: String }
    /// An assignment to what `let`, `for` or a parameter bound.
    Error NotAssignable [nas::names::not_assignable] "cannot assign to `{name}`, which is no `var`" { name: String }
    /// A number alone in a comment after a value: in Python, a division.
    Warning CommentedOut [nas::names::division] "`// {divisor}` is a comment, which divides nothing" { divisor: String }
    /// A name bound twice in one scope by parameters.
    Error DuplicateName [nas::names::duplicate_parameter] "`{name}` is bound twice" { name: String }
}

/// What to write instead of a name that other languages have.
pub(crate) fn habit(at: At<'_>, name: &str) -> Option<Help> {
    Some(match name {
        "True" => Fix::write(at, "true").into(),
        "False" => Fix::write(at, "false").into(),
        "None" | "null" | "nil" => Help::advice("there is no such value; leave the argument out"),
        "range" => Help::advice("a range is written `0..n`"),
        "return" => {
            let rest = at.behind().trim_start_matches([' ', '\t']);
            let value = at.source.text().len() - rest.len();
            let word = at.move_to(at.span.range().start, value);
            let says = |gone: &str| {
                format!("the last expression of a block is its value, without `{gone}`")
            };
            Fix::remove(word, says).into()
        }
        "self" => Help::advice("a block sees its parameters only; there is no `self`"),
        _ => return None,
    })
}

/// Whether an argument of some operator may be this word.
fn is_word(name: &str) -> bool {
    let mut parameters = ops::TABLE.iter().flat_map(|row| row.declaration.params);
    parameters
        .any(|parameter| matches!(parameter.kind, ops::signature::Kind::Word(words) if words.contains(&name)))
}

/// What a parameter is, among what is bound.
const PARAMETER: &str = "parameter";

/// Checks the names of one file.
pub fn check(program: &Program, module: ModuleId, problems: &mut Problems) {
    let Some(file) = program.module(module) else { return };
    let mut used_items: HashSet<String> = HashSet::default();
    for item in &file.file.items {
        let mut walker = Walker {
            program,
            module,
            file,
            scopes: Scopes::default(),
            used: &mut used_items,
            in_claim: false,
            problems,
        };
        match &item.kind {
            ItemKind::Const(constant) => walker.value(&constant.value),
            ItemKind::Block(block) => walker.block(block),
            ItemKind::Space(space) => walker.space(space),
            ItemKind::Arch(arch) => walker.arch(arch),
            ItemKind::Search(search) => {
                walker.space_ref(&search.space);
                walker.used.extend(search.target.as_ref().map(|target| target.name.clone()));
            }
            ItemKind::Target(target) => walker.target(target),
            // Their names are spaces and measures, which the items themselves resolve.
            ItemKind::Use(_) | ItemKind::Expect(_) => {}
        }
    }
    // What could not be read may use them.
    if file.file.unread.is_empty() {
        report_unused_imports(file, &used_items, problems);
    }
}

fn report_unused_imports(file: &Module, used: &HashSet<String>, problems: &mut Problems) {
    for item in &file.file.items {
        let ItemKind::Use(import) = &item.kind else { continue };
        for name in &import.names {
            let is_known = file.symbols.contains_key(&name.name);
            if is_known && !used.contains(&name.name) {
                let words = "remove it from the `use`".to_owned();
                let fix = match import.names.as_slice() {
                    [_] => Fix::remove_line(file.source.at(item.span), |_| words),
                    _ => Fix::remove_listed(file.source.at(name.span), |_| words),
                };
                let place = Place::new(&file.source, name.span, "not used in this file").fix(fix);
                problems.push(Unused::at(place, "import", name.name.clone()));
            }
        }
    }
}

struct Binding {
    name: String,
    span: Span,
    what: &'static str,
    is_var: bool,
    is_used: bool,
    /// The statement that binds it, if it is a `let`.
    statement: Option<Span>,
}

/// The local names that are in scope.
#[derive(Default)]
struct Scopes {
    /// Innermost last.
    bindings: Vec<Binding>,
    /// Where in the bindings each scope begins.
    begins: Vec<usize>,
    /// Where in the bindings each name stands, innermost last.
    places: HashMap<String, Vec<usize>>,
}

impl Scopes {
    fn open(&mut self) {
        self.begins.push(self.bindings.len());
    }

    /// Closes the innermost scope; what it held is not in scope any more.
    fn close(&mut self) -> Vec<Binding> {
        let closed = self.bindings.split_off(self.begins.pop().unwrap_or_default());
        for binding in &closed {
            self.places.get_mut(&binding.name).map(Vec::pop);
        }
        closed
    }

    fn bind(&mut self, binding: Binding) {
        let place = self.bindings.len();
        self.places.entry(binding.name.clone()).or_default().push(place);
        self.bindings.push(binding);
    }

    fn find(&mut self, name: &str) -> Option<&mut Binding> {
        let place = *self.places.get(name)?.last()?;
        self.bindings.get_mut(place)
    }
}

struct Walker<'a> {
    program: &'a Program,
    module: ModuleId,
    file: &'a Module,
    scopes: Scopes,
    used: &'a mut HashSet<String>,
    /// Whether unknown names are measures or candidates, which the item itself resolves.
    in_claim: bool,
    problems: &'a mut Problems,
}

impl Walker<'_> {
    fn source(&self) -> &Source {
        &self.file.source
    }

    fn block(&mut self, block: &Block) {
        self.params(&block.params, PARAMETER);
        self.scoped_body(&block.body);
        self.close();
    }

    fn space(&mut self, space: &Space) {
        self.used.extend(space.target.as_ref().map(|target| target.name.clone()));
        self.params(&space.params, PARAMETER);
        self.scopes.open();
        space.body.statements.iter().for_each(|statement| self.statement(statement));
        let is_output = |s: &Statement| matches!(s.kind, StatementKind::Output(..));
        if space.body.statements.iter().any(is_output) {
            self.close();
        } else {
            // The output that is missing would use what nothing uses now.
            self.scopes.close();
        }
        self.close();
    }

    fn space_ref(&mut self, space: &SpaceRef) {
        self.used.extend([space.name.name.clone()]);
        self.args(space.args.as_deref().unwrap_or_default());
    }

    /// Its names are also those of settings and of parameters, which the item itself resolves.
    fn target(&mut self, target: &Target) {
        self.in_claim = true;
        for entry in &target.entries {
            match entry {
                TargetEntry::Setting(_, value) | TargetEntry::Latency(value, _) => self.expr(value),
                TargetEntry::Supports(rows, _) => {
                    rows.iter().flat_map(|row| &row.conditions).for_each(|expr| self.expr(expr));
                }
            }
        }
    }

    fn arch(&mut self, arch: &Arch) {
        self.space_ref(&arch.space);
        self.in_claim = true;
        for entry in &arch.entries {
            match entry {
                ArchEntry::Choice(choice) => self.expr(&choice.value),
                ArchEntry::Expect(expect) => self.expr(&expect.claim),
            }
        }
    }

    /// Opens a scope that holds the parameters.
    fn params(&mut self, params: &[Param], what: &'static str) {
        self.scopes.open();
        for param in params {
            if let Some(default) = &param.default {
                self.expr(default);
            }
            // A parameter list is the outermost scope of its item.
            if let Some(first) = self.scopes.find(&param.name.name) {
                // Its uses are taken for those of the other.
                first.is_used = true;
                let first = first.span;
                let place = Place::new(self.source(), param.name.span, "again here")
                    .label(first, "first here")
                    .advice("rename one of them");
                self.problems.push(DuplicateName::at(place, param.name.name.clone()));
            }
            self.bind(&param.name, what, false);
        }
    }

    fn bind(&mut self, name: &Ident, what: &'static str, is_var: bool) {
        let (name, span) = (name.name.clone(), name.span);
        let binding = Binding { name, span, what, is_var, is_used: false, statement: None };
        self.scopes.bind(binding);
    }

    fn bind_pattern(&mut self, pattern: &Pattern, what: &'static str, is_var: bool) {
        for name in pattern.names() {
            self.bind(name, what, is_var);
        }
    }

    /// Binds the names of a `let`.
    fn bind_let(&mut self, pattern: &Pattern, statement: Span) {
        for name in pattern.names() {
            let (name, span) = (name.name.clone(), name.span);
            let (what, statement) = ("value", Some(statement));
            let binding = Binding { name, span, what, is_var: false, is_used: false, statement };
            self.scopes.bind(binding);
        }
    }

    /// Closes a scope and reports what was never read in it.
    fn close(&mut self) {
        for binding in self.scopes.close() {
            if !binding.is_used && !binding.name.starts_with('_') {
                let says = |new: &str| format!("remove it, or name it `{new}` if that is meant");
                let hidden = format!("_{}", binding.name);
                // Calls may name a parameter.
                let help = if binding.what == PARAMETER {
                    Help::Advice(says(&hidden))
                } else {
                    Fix::replace(self.source().at(binding.span), hidden, says).into()
                };
                let place = Place::new(self.source(), binding.span, "never used").help(help);
                self.problems.push(Unused::at(place, binding.what, binding.name));
            }
        }
    }

    /// The value of a name.
    fn value(&mut self, value: &Expr) {
        self.expr(value);
        let is_number = matches!(
            value.kind,
            ExprKind::Number(_)
                | ExprKind::Name(_)
                | ExprKind::Field(..)
                | ExprKind::Binary(..)
                | ExprKind::Paren(_)
        );
        let text = self.source().text();
        let behind = text.get(value.span.end as usize..).and_then(|rest| rest.lines().next());
        let comment = behind.and_then(|line| line.trim_start().strip_prefix("//"));
        // Up to the next comment: `n // 2 // half`.
        let divisor = comment.and_then(|text| text.split("//").next()).unwrap_or_default();
        let (divisor, length) = (divisor.trim(), divisor.trim_end().len());
        let is_divisor = !divisor.is_empty() && divisor.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && is_divisor {
            let slashes = behind.and_then(|line| line.find("//")).unwrap_or_default() + 2;
            let end = value.span.end as usize + slashes + length;
            let whole = Span::new(value.span.start as usize, end);
            let value = text.get(value.span.range()).unwrap_or_default();
            let fix = Fix::write(self.source().at(whole), format!("{value} / {divisor}"));
            let place =
                Place::new(self.source(), whole, "if this is a division, one `/` is enough")
                    .fix(fix);
            self.problems.push(CommentedOut::at(place, divisor.to_owned()));
        }
    }

    fn local(&mut self, name: &str) -> Option<&mut Binding> {
        self.scopes.find(name)
    }

    fn read(&mut self, name: &str, span: Span, is_called: bool) {
        if let Some(binding) = self.local(name) {
            binding.is_used = true;
            return;
        }
        if self.file.symbols.contains_key(name) {
            if !self.used.contains(name) {
                self.used.insert(name.to_owned());
            }
            return;
        }
        if ops::find(name).is_some()
            || FUNCTIONS.contains(&name)
            || (Precision::named(name).is_some() && !is_called)
            || self.file.may_define(name)
            || self.in_claim
            || !self.problems.has_room()
        {
            return;
        }
        let help = self.suggestion(name, span, is_called);
        let place = Place::new(self.source(), span, "not found here").help(help);
        self.problems.push(UnknownName::at(place, name));
    }

    fn suggestion(&mut self, name: &str, span: Span, is_called: bool) -> Help {
        let at = self.file.source.at(span);
        if let Some(help) = habit(at, name) {
            return help;
        }
        let locals: Vec<&str> =
            self.scopes.bindings.iter().map(|binding| binding.name.as_str()).collect();
        let mut items: Vec<&str> = self.file.symbols.keys().map(String::as_str).collect();
        items.sort_unstable();
        let in_scope = [locals, items].concat();
        let operators = || ops::TABLE.iter().map(|row| row.declaration.name).chain(FUNCTIONS);
        let foreign = foreign::callable(name, operators());
        let foreign = foreign.map(|found| found.help(at, first_line(&self.file.source)));
        if let (Some(help), true) = (&foreign, is_called) {
            return help.clone();
        }
        if !is_called && is_word(name) {
            let says = |new: &str| format!("words of operators stand in quotes: `{new}`");
            return Fix::replace(at, format!("\"{name}\""), says).into();
        }
        let precisions = Precision::ALL.map(Precision::name).into_iter().filter(|_| !is_called);
        let all = in_scope.iter().copied().chain(operators().filter(|_| is_called));
        let all = all.chain(precisions);
        if let Some(near) = nearest(name, all).map(str::to_owned) {
            // What was meant is used, though under another name.
            if let Some(meant) = self.local(&near) {
                meant.is_used = true;
            }
            return Fix::meant(at, &near).into();
        }
        if let Some(module) = self.exporting_module(name) {
            let import = format!("use {module}.{{{name}}}\n");
            let says = |new: &str| format!("import it: `{new}`");
            return Fix::before(first_line(&self.file.source), import, says).into();
        }
        if let Some(help) = foreign {
            return help;
        }
        if is_called {
            let operators: Vec<&str> = operators().collect();
            return Help::advice(match similar(name, &operators).as_slice() {
                [] => "it is no operator, no function, and no block of this file".to_owned(),
                near => format!("operators near it are {}", listed(near)),
            });
        }
        match in_scope.as_slice() {
            [] => Help::advice("define it as a parameter, with `let`, or as an item"),
            names => Help::advice(format!("in scope are {}", listed(names))),
        }
    }

    /// A loaded module of the standard library that has an item of this name.
    fn exporting_module(&self, name: &str) -> Option<String> {
        let others = self.program.modules.iter().enumerate();
        let mut named = others.filter(|(i, m)| *i != self.module.0 && m.symbols.contains_key(name));
        let (_, module) = named.next()?;
        Some(module.source.name().trim_end_matches(".nas").replace('/', "."))
    }

    fn scoped_body(&mut self, body: &Body) {
        self.scopes.open();
        for statement in &body.statements {
            self.statement(statement);
        }
        self.close();
    }

    fn statement(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Let(pattern, value) => {
                self.value(value);
                self.bind_let(pattern, statement.span);
            }
            StatementKind::Var(pattern, value) => {
                self.value(value);
                self.bind_pattern(pattern, "variable", true);
            }
            StatementKind::Assign(name, value) => {
                self.value(value);
                self.assign(name);
            }
            StatementKind::For(clauses, body) => self.for_body(clauses, body),
            StatementKind::Task(_, args) => self.args(args),
            StatementKind::TrainOutput(args, _, value) => {
                self.args(args);
                self.expr(value);
            }
            StatementKind::Require(claim) => {
                self.in_claim = true;
                self.expr(claim);
                self.in_claim = false;
            }
            StatementKind::Expr(value)
            | StatementKind::Input(_, value)
            | StatementKind::Output(_, value) => {
                self.expr(value);
                if let StatementKind::Input(name, _) = &statement.kind {
                    self.bind(name, "input", false);
                }
            }
        }
    }

    fn assign(&mut self, name: &Ident) {
        match self.local(&name.name) {
            Some(binding) if binding.is_var => {}
            Some(binding) => {
                let (first, statement) = (binding.span, binding.statement);
                let help = match statement {
                    Some(statement) => {
                        let start = statement.range().start;
                        let word = self.source().at(Span::new(start, start + "let".len()));
                        let says = |new: &str| format!("declare it with `{new} {} = …`", name.name);
                        Fix::replace(word, "var", says).into()
                    }
                    None => Help::advice(format!("copy it first: `var {0}_now = {0}`", name.name)),
                };
                let place = Place::new(self.source(), name.span, "assigned here")
                    .label(first, "bound here")
                    .help(help);
                self.problems.push(NotAssignable::at(place, name.name.clone()));
            }
            None => {
                let says = |new: &str| format!("declare it first: `{new} {} = …`", name.name);
                let fix = Fix::before(self.source().at(name.span), "var ", says);
                let place = Place::new(self.source(), name.span, "not found here").fix(fix);
                self.problems.push(UnknownName::at(place, name.name.clone()));
            }
        }
    }

    fn for_body(&mut self, clauses: &[ForClause], body: &Body) {
        let opened = self.for_clauses(clauses);
        self.scoped_body(body);
        (0..opened).for_each(|_| self.close());
    }

    /// Opens one scope for each clause; returns how many.
    fn for_clauses(&mut self, clauses: &[ForClause]) -> usize {
        for clause in clauses {
            self.expr(&clause.list);
            self.scopes.open();
            self.bind_pattern(&clause.pattern, "loop variable", false);
        }
        clauses.len()
    }

    fn args(&mut self, args: &[Arg]) {
        args.iter().for_each(|arg| self.expr(&arg.value));
    }

    fn text(&mut self, parts: &[TextPart]) {
        for part in parts {
            if let TextPart::Interpolation(value) = part {
                self.expr(value);
            }
        }
    }

    /// An expression that may name what is applied.
    fn step(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Name(name) => self.read(name, expr.span, true),
            _ => self.expr(expr),
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Number(_) | ExprKind::Bool(_) => {}
            ExprKind::Text(parts) => self.text(parts),
            ExprKind::Name(name) => self.read(name, expr.span, false),
            ExprKind::List(elements) => {
                elements.iter().for_each(|element| self.element(element));
            }
            ExprKind::Tuple(values) => values.iter().for_each(|value| self.expr(value)),
            ExprKind::Paren(value) | ExprKind::Field(value, _) | ExprKind::Unary(_, value) => {
                self.expr(value);
            }
            ExprKind::Call(callee, args) => {
                self.read(&callee.name, callee.span, true);
                self.args(args);
            }
            ExprKind::Index(list, index) => {
                self.expr(list);
                self.expr(index);
            }
            ExprKind::Slice(list, from, to) => {
                self.expr(list);
                [from, to].into_iter().flatten().for_each(|bound| self.expr(bound));
            }
            ExprKind::Binary(_, left, right) => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Pipeline(source, steps) => {
                self.expr(source);
                steps.iter().for_each(|step| self.step(step));
            }
            ExprKind::If(branches, otherwise) => {
                for (condition, body) in branches {
                    self.expr(condition);
                    self.scoped_body(body);
                }
                if let Some(body) = otherwise {
                    self.scoped_body(body);
                }
            }
            ExprKind::Choose(choose) => match &choose.alternatives {
                Alternatives::Arms(arms) => arms.iter().for_each(|arm| self.arm(arm)),
                Alternatives::Values(values) => self.expr(values),
            },
            ExprKind::Repeat(repeat) => {
                self.expr(&repeat.depth);
                self.scopes.open();
                if let Some(index) = &repeat.index {
                    self.bind(index, "index", false);
                }
                self.scoped_body(&repeat.body);
                self.close();
            }
        }
    }

    fn element(&mut self, element: &Element) {
        match element {
            Element::Value(value) => self.expr(value),
            Element::For(clauses, body, _) => self.for_body(clauses, body),
        }
    }

    fn arm(&mut self, arm: &Arm) {
        match arm {
            Arm::Candidate(candidate) => {
                self.text(&candidate.name);
                self.step(&candidate.value);
                if let Some(guard) = &candidate.guard {
                    self.expr(guard);
                }
            }
            Arm::For(clauses, arms) => {
                let opened = self.for_clauses(clauses);
                arms.iter().for_each(|arm| self.arm(arm));
                (0..opened).for_each(|_| self.close());
            }
        }
    }
}
