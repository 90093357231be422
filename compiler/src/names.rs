//! Names inside items: what is unknown, defined twice, assigned without `var`, or never used.
//!
//! This pass looks at the text of each block and space of a file once, whether it is
//! instantiated or not, so that elaboration can stay silent about unknown names.

use nas_grammar::Source;
use nas_grammar::ast::{
    Arg, Arm, Block, Body, Choose, Expr, ExprKind, ForClause, Ident, ItemKind, Param, Pattern,
    Span, Statement, StatementKind, TextPart,
};

use crate::error::{Place, Problems, diagnostics, nearest};
use crate::modules::{FUNCTIONS, Module, ModuleId, Program};
use crate::ops;

diagnostics! {
    /// A name that nothing defines.
    Error UnknownName [nas::names::unknown] "unknown name `{name}`" { name: String }
    /// A name that is defined and never read.
    Warning Unused [nas::names::unused] "{what} `{name}` is never used" { what: String, name: String }
    /// An assignment to what `let`, `for` or a parameter bound.
    Error NotAssignable [nas::names::not_assignable] "cannot assign to `{name}`, which is no `var`" { name: String }
    /// A name bound twice in one scope by parameters.
    Error DuplicateName [nas::names::duplicate_parameter] "`{name}` is bound twice" { name: String }
}

/// Checks the names of one file.
pub fn check(program: &Program, module: ModuleId, problems: &mut Problems) {
    let Some(file) = program.module(module) else { return };
    let mut used_items: Vec<String> = Vec::new();
    for item in &file.file.items {
        let mut walker = Walker {
            program,
            module,
            file,
            scopes: vec![Vec::new()],
            used: &mut used_items,
            problems,
        };
        match &item.kind {
            ItemKind::Const(constant) => walker.expr(&constant.value),
            ItemKind::Block(block) => walker.block(block),
            ItemKind::Space(space) => {
                walker.params(&space.params, "parameter");
                walker.scoped_body(&space.body);
                walker.close();
            }
            ItemKind::Arch(arch) => walker.used.push(arch.space.name.name.clone()),
            ItemKind::Search(search) => walker.used.push(search.space.name.name.clone()),
            // Its names are spaces and measures, which `expect` itself resolves.
            ItemKind::Use(_) | ItemKind::Expect(_) => {}
        }
    }
    report_unused_imports(file, &used_items, problems);
}

fn report_unused_imports(file: &Module, used: &[String], problems: &mut Problems) {
    for item in &file.file.items {
        let ItemKind::Use(import) = &item.kind else { continue };
        for name in &import.names {
            let is_known = file.symbols.contains_key(&name.name);
            if is_known && !used.contains(&name.name) {
                let place = Place::new(&file.source, name.span, "not used in this file")
                    .help("remove it from the `use`");
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
}

struct Walker<'a> {
    program: &'a Program,
    module: ModuleId,
    file: &'a Module,
    scopes: Vec<Vec<Binding>>,
    used: &'a mut Vec<String>,
    problems: &'a mut Problems,
}

impl Walker<'_> {
    fn source(&self) -> &Source {
        &self.file.source
    }

    fn block(&mut self, block: &Block) {
        self.params(&block.params, "parameter");
        self.scoped_body(&block.body);
        self.close();
    }

    /// Opens a scope that holds the parameters.
    fn params(&mut self, params: &[Param], what: &'static str) {
        self.scopes.push(Vec::new());
        for param in params {
            if let Some(default) = &param.default {
                self.expr(default);
            }
            let earlier = self
                .scopes
                .last()
                .and_then(|scope| scope.iter().find(|b| b.name == param.name.name).map(|b| b.span));
            if let Some(first) = earlier {
                let place = Place::new(self.source(), param.name.span, "again here")
                    .label(first, "first here")
                    .help("rename one of them");
                self.problems.push(DuplicateName::at(place, param.name.name.clone()));
            }
            self.bind(&param.name, what, false);
        }
    }

    fn bind(&mut self, name: &Ident, what: &'static str, is_var: bool) {
        if let Some(scope) = self.scopes.last_mut() {
            let (name, span) = (name.name.clone(), name.span);
            scope.push(Binding { name, span, what, is_var, is_used: false });
        }
    }

    fn bind_pattern(&mut self, pattern: &Pattern, what: &'static str, is_var: bool) {
        for name in pattern.names() {
            self.bind(name, what, is_var);
        }
    }

    /// Closes a scope and reports what was never read in it.
    fn close(&mut self) {
        for binding in self.scopes.pop().unwrap_or_default() {
            if !binding.is_used && !binding.name.starts_with('_') {
                let place = Place::new(self.source(), binding.span, "never used")
                    .help(format!("remove it, or name it `_{}` if that is meant", binding.name));
                self.problems.push(Unused::at(place, binding.what, binding.name));
            }
        }
    }

    fn local(&mut self, name: &str) -> Option<&mut Binding> {
        self.scopes
            .iter_mut()
            .rev()
            .flat_map(|scope| scope.iter_mut().rev())
            .find(|b| b.name == name)
    }

    fn read(&mut self, name: &str, span: Span) {
        if let Some(binding) = self.local(name) {
            binding.is_used = true;
            return;
        }
        if self.file.symbols.contains_key(name) {
            if !self.used.iter().any(|used| used == name) {
                self.used.push(name.to_owned());
            }
            return;
        }
        if ops::find(name).is_some() || FUNCTIONS.contains(&name) || self.was_imported(name) {
            return;
        }
        let place = Place::new(self.source(), span, "not found here").help(self.suggestion(name));
        self.problems.push(UnknownName::at(place, name));
    }

    /// Whether a `use` lists the name; if it could not be imported, that was reported.
    fn was_imported(&self, name: &str) -> bool {
        self.file.file.items.iter().any(|item| {
            matches!(&item.kind, ItemKind::Use(import) if import.names.iter().any(|n| n.name == name))
        })
    }

    fn suggestion(&self, name: &str) -> String {
        let locals: Vec<&str> =
            self.scopes.iter().flatten().map(|binding| binding.name.as_str()).collect();
        let mut items: Vec<&str> = self.file.symbols.keys().map(String::as_str).collect();
        items.sort_unstable();
        let operators = ops::TABLE.iter().map(|row| row.declaration.name);
        let all = locals.iter().chain(&items).copied().chain(operators).chain(FUNCTIONS);
        if let Some(near) = nearest(name, all) {
            return format!("did you mean `{near}`?");
        }
        if let Some(module) = self.exporting_module(name) {
            return format!("import it: `use {module}.{{{name}}}`");
        }
        let in_scope: Vec<&str> = locals.into_iter().chain(items).collect();
        match in_scope.as_slice() {
            [] => "define it as a parameter, with `let`, or as an item".to_owned(),
            names => format!("in scope are {}", names.join(", ")),
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
        self.scopes.push(Vec::new());
        for statement in &body.statements {
            self.statement(statement);
        }
        self.close();
    }

    fn statement(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Let(pattern, value) => {
                self.expr(value);
                self.bind_pattern(pattern, "value", false);
            }
            StatementKind::Var(pattern, value) => {
                self.expr(value);
                self.bind_pattern(pattern, "variable", true);
            }
            StatementKind::Assign(name, value) => {
                self.expr(value);
                self.assign(name);
            }
            StatementKind::For(clauses, body) => {
                let opened = self.for_clauses(clauses);
                self.scoped_body(body);
                (0..opened).for_each(|_| self.close());
            }
            StatementKind::Task(_, args) => self.args(args),
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
                let (first, what) = (binding.span, binding.what);
                let help = if what == "value" {
                    format!("declare it with `var {} = …`", name.name)
                } else {
                    format!("copy it first: `var {0}_now = {0}`", name.name)
                };
                let place = Place::new(self.source(), name.span, "assigned here")
                    .label(first, "bound here")
                    .help(help);
                self.problems.push(NotAssignable::at(place, name.name.clone()));
            }
            None => {
                let place = Place::new(self.source(), name.span, "not found here")
                    .help(format!("declare it first: `var {} = …`", name.name));
                self.problems.push(UnknownName::at(place, name.name.clone()));
            }
        }
    }

    /// Opens one scope for each clause; returns how many.
    fn for_clauses(&mut self, clauses: &[ForClause]) -> usize {
        for clause in clauses {
            self.expr(&clause.list);
            self.scopes.push(Vec::new());
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

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Number(_) | ExprKind::Bool(_) => {}
            ExprKind::Text(parts) => self.text(parts),
            ExprKind::Name(name) => self.read(name, expr.span),
            ExprKind::List(values) | ExprKind::Tuple(values) => {
                values.iter().for_each(|value| self.expr(value));
            }
            ExprKind::Paren(value) | ExprKind::Field(value, _) | ExprKind::Unary(_, value) => {
                self.expr(value);
            }
            ExprKind::Call(callee, args) => {
                self.read(&callee.name, callee.span);
                self.args(args);
            }
            ExprKind::Index(list, index) => {
                self.expr(list);
                self.expr(index);
            }
            ExprKind::Binary(_, left, right) => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Pipeline(source, steps) => {
                self.expr(source);
                steps.iter().for_each(|step| self.expr(step));
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
            ExprKind::Choose(choose) => self.choose(choose),
        }
    }

    fn choose(&mut self, choose: &Choose) {
        choose.arms.iter().for_each(|arm| self.arm(arm));
    }

    fn arm(&mut self, arm: &Arm) {
        match arm {
            Arm::Candidate(candidate) => {
                self.text(&candidate.name);
                self.expr(&candidate.value);
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
