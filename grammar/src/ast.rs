//! The syntax tree: what was written, with the place of everything. It may be nonsense.

use std::collections::HashSet;
use std::ops::Range;

use miette::SourceSpan;

/// A half-open range of bytes in one source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span of `start..end`.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        // INVARIANT: sources are at most `parse::MAX_BYTES` long, far below u32::MAX.
        Self { start: start as u32, end: end as u32 }
    }

    /// The smallest span that holds both.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// As byte indices.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl From<Span> for SourceSpan {
    fn from(span: Span) -> Self {
        (span.start as usize, (span.end - span.start) as usize).into()
    }
}

/// A name as written at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ident {
    /// The name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// One `.nas` file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct File {
    /// The `//!` lines at the top, without the marker.
    pub docs: Vec<String>,
    /// The items, in the order of the file.
    pub items: Vec<Item>,
    /// The words of the text that a syntax error made unreadable.
    pub unread: HashSet<String>,
}

impl File {
    /// Whether a name may be defined by text that could not be read.
    #[must_use]
    pub fn may_define(&self, name: &str) -> bool {
        self.unread.contains(name)
    }
}

/// One item with its documentation.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The `///` lines before it, without the marker.
    pub docs: Vec<String>,
    /// What it is.
    pub kind: ItemKind,
    /// From its keyword to its last token.
    pub span: Span,
}

/// What an item is.
#[derive(Debug, Clone, PartialEq)]
pub enum ItemKind {
    /// `use std.blocks.{a, b}`
    Use(Use),
    /// `const NAME = expr`
    Const(Const),
    /// `block name(params) { … }` or `cell name(params) { … }`
    Block(Block),
    /// `space name(params) { … }`
    Space(Space),
    /// `arch name of space { … }`
    Arch(Arch),
    /// `target name { … }`
    Target(Target),
    /// `search name of space { … }`
    Search(Search),
    /// `expect expr`
    Expect(Expect),
}

/// An import. `use a.b.{x, y}` names the module `a.b`; `use a.b.x` the same with one name.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    /// The module's path, at least one segment.
    pub module: Vec<Ident>,
    /// The imported names, at least one.
    pub names: Vec<Ident>,
    /// Whether the names stand in braces.
    pub braced: bool,
}

/// A named static value.
#[derive(Debug, Clone, PartialEq)]
pub struct Const {
    /// Its name.
    pub name: Ident,
    /// Its value.
    pub value: Expr,
}

/// A block: a piece of network with parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Whether its instances share their decisions.
    pub kind: BlockKind,
    /// Its name.
    pub name: Ident,
    /// Its parameters, tensors first.
    pub params: Vec<Param>,
    /// Its statements; the last one is its value.
    pub body: Body,
}

/// How often the decisions of a block are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockKind {
    /// `block`: afresh at each instance.
    Block,
    /// `cell`: once for all instances.
    Cell,
}

/// One parameter of a block or a space.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// Its name.
    pub name: Ident,
    /// Its default value.
    pub default: Option<Expr>,
}

/// A search space.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    /// Its name.
    pub name: Ident,
    /// Its static parameters; all have a default.
    pub params: Vec<Param>,
    /// Whether a parameter list was written.
    pub has_params: bool,
    /// The target that it is for.
    pub target: Option<Ident>,
    /// What it holds.
    pub body: Body,
}

/// A space by name, with arguments for its parameters: `darts(width = 36)`.
#[derive(Debug, Clone, PartialEq)]
pub struct SpaceRef {
    /// The space's name.
    pub name: Ident,
    /// The arguments; `None` where no parentheses were written.
    pub args: Option<Vec<Arg>>,
}

/// One named network of a space.
#[derive(Debug, Clone, PartialEq)]
pub struct Arch {
    /// Its name.
    pub name: Ident,
    /// The space.
    pub space: SpaceRef,
    /// Its decisions and expectations, in order.
    pub entries: Vec<ArchEntry>,
}

/// One line of an `arch` item.
#[derive(Debug, Clone, PartialEq)]
pub enum ArchEntry {
    /// `label = [a, b]` or `"path/of/one" = a`
    Choice(ArchChoice),
    /// `expect macs == 3`
    Expect(Expect),
}

/// The candidates chosen for all decisions of a label, or for one path.
#[derive(Debug, Clone, PartialEq)]
pub struct ArchChoice {
    /// The label or the path.
    pub key: Ident,
    /// Whether the key was quoted: a path.
    pub quoted: bool,
    /// A candidate, or a list of candidates.
    pub value: Expr,
}

/// A device: what it can run, and how fast.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Its name.
    pub name: Ident,
    /// What is said about it, in order.
    pub entries: Vec<TargetEntry>,
}

/// One line of a `target` item.
#[derive(Debug, Clone, PartialEq)]
pub enum TargetEntry {
    /// `opset 17`
    Setting(Ident, Expr),
    /// `supports { … }`
    Supports(Vec<SupportRow>, Span),
    /// `latency table "edge_npu.lut.json"`: the path, a string.
    Latency(Expr, Span),
}

/// An operator that a target supports: `conv(kernel <= 7, dilation == 1)`.
#[derive(Debug, Clone, PartialEq)]
pub struct SupportRow {
    /// The operator.
    pub op: Ident,
    /// What must hold of its arguments; empty if it is supported in all forms.
    pub conditions: Vec<Expr>,
    /// From the operator to the closing bracket.
    pub span: Span,
}

/// A search recipe.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// Its name.
    pub name: Ident,
    /// The space to search.
    pub space: SpaceRef,
    /// The target to search for.
    pub target: Option<Ident>,
    /// Its settings, in order.
    pub settings: Vec<Setting>,
}

/// One setting of a recipe.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// `minimize expr`; of several goals `maximize expr, minimize expr`
    Objective(Vec<Goal>, Span),
    /// `weights sgd { rate = 0.1 }`
    Section(Section),
}

/// What a search makes as small or as large as it can.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    /// Which of the two.
    pub sense: Sense,
    /// What.
    pub formula: Expr,
}

/// Which values are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sense {
    /// Small ones.
    Minimize,
    /// Large ones.
    Maximize,
}

impl Sense {
    /// The word of the language.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Minimize => "minimize",
            Self::Maximize => "maximize",
        }
    }
}

/// A group of fields: `weights sgd { rate = 0.05 -> 0 cosine }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// What the fields belong to: `weights`.
    pub name: Ident,
    /// The kind chosen for it: `sgd`.
    pub kind: Option<Ident>,
    /// The fields.
    pub fields: Vec<Field>,
    /// The whole section.
    pub span: Span,
}

/// `rate = 0.05 -> 0 cosine`; an annealed value is a pipeline with a law after it.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: Ident,
    /// Its value.
    pub value: Expr,
    /// The law of an annealed value: `cosine`, `step(3)`.
    pub law: Option<Law>,
}

/// How an annealed value moves: `step(3)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Law {
    /// Its name.
    pub name: Ident,
    /// What stands in parentheses behind it.
    pub argument: Option<Expr>,
    /// All of it.
    pub span: Span,
}

/// A claim that the compiler checks.
#[derive(Debug, Clone, PartialEq)]
pub struct Expect {
    /// The claim: a comparison.
    pub claim: Expr,
    /// How far both sides of `~=` may be apart: `within 2.5%`.
    pub tolerance: Option<Tolerance>,
    /// From `expect` to the end of the claim.
    pub span: Span,
}

/// How far a figure may be from what was published of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tolerance {
    /// Percent of what was published, as written: `2.5`.
    pub percent: String,
    /// From `within` to the percent sign.
    pub span: Span,
}

/// Statements in braces; if the last one is an expression, it is the value.
#[derive(Debug, Clone, PartialEq)]
pub struct Body {
    /// The statements.
    pub statements: Vec<Statement>,
    /// From brace to brace.
    pub span: Span,
}

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// What it is.
    pub kind: StatementKind,
    /// The whole statement.
    pub span: Span,
}

/// What a statement is.
#[derive(Debug, Clone, PartialEq)]
pub enum StatementKind {
    /// `let pattern = expr`
    Let(Pattern, Expr),
    /// `var pattern = expr`
    Var(Pattern, Expr),
    /// `name = expr`
    Assign(Ident, Expr),
    /// `for a in x, b in y { … }`
    For(Vec<ForClause>, Body),
    /// An expression.
    Expr(Expr),
    /// `input image: [3, 224, 224]` (spaces only)
    Input(Ident, Expr),
    /// `task segmentation(classes)` (spaces only)
    Task(Ident, Vec<Arg>),
    /// `output logits = expr` (spaces only)
    Output(Ident, Expr),
    /// `train(weight = 0.4) output aux = expr` (spaces only)
    TrainOutput(Vec<Arg>, Ident, Expr),
    /// `require macs <= 300M` (spaces only)
    Require(Expr),
}

/// `pattern in expr` of a `for`.
#[derive(Debug, Clone, PartialEq)]
pub struct ForClause {
    /// What each element is bound to.
    pub pattern: Pattern,
    /// The list.
    pub list: Expr,
}

/// What a value is bound to: a name, or a tuple taken apart.
#[derive(Debug, Clone, PartialEq)]
pub enum Pattern {
    /// One name.
    Name(Ident),
    /// `(a, (b, c))`
    Tuple(Vec<Pattern>, Span),
}

impl Pattern {
    /// All names that it binds, in order.
    #[must_use]
    pub fn names(&self) -> Vec<&Ident> {
        match self {
            Pattern::Name(name) => vec![name],
            Pattern::Tuple(parts, _) => parts.iter().flat_map(Pattern::names).collect(),
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Pattern::Name(name) => name.span,
            Pattern::Tuple(_, span) => *span,
        }
    }
}

/// One argument of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Arg {
    /// The parameter's name, if written.
    pub name: Option<Ident>,
    /// The value.
    pub value: Expr,
}

impl Arg {
    /// From the name, if there is one, to the end of the value.
    #[must_use]
    pub fn span(&self) -> Span {
        self.name.as_ref().map_or(self.value.span, |n| n.span.to(self.value.span))
    }
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The whole expression.
    pub span: Span,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A number as written: `3_007`, `1e-4`, `512KiB`.
    Number(String),
    /// A string with interpolations.
    Text(Vec<TextPart>),
    /// `true` or `false`
    Bool(bool),
    /// A name.
    Name(String),
    /// `[a, b]`, `[for i in 0..4 { 2 * i }]`
    List(Vec<Element>),
    /// `(a, b)`, `(a,)`, `()`
    Tuple(Vec<Expr>),
    /// `(a)`; kept so that the formatter can print what was written.
    Paren(Box<Expr>),
    /// `f(a, k = 3)`
    Call(Ident, Vec<Arg>),
    /// `x.channels`
    Field(Box<Expr>, Ident),
    /// `xs[0]`
    Index(Box<Expr>, Box<Expr>),
    /// `xs[a..b]`, `xs[2..]`, `xs[..n]`
    Slice(Box<Expr>, Option<Box<Expr>>, Option<Box<Expr>>),
    /// `-a`, `not a`
    Unary(UnaryOp, Box<Expr>),
    /// `a + b`
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `x -> f -> g`: the source, then at least one step.
    Pipeline(Box<Expr>, Vec<Expr>),
    /// `if c { a } else if d { b } else { e }`
    If(Vec<(Expr, Body)>, Option<Body>),
    /// `choose label { arms }`, `elastic label [values]`
    Choose(Box<Choose>),
    /// `repeat depth as i { body }`
    Repeat(Box<Repeat>),
}

/// An element of a list, or what makes elements.
#[derive(Debug, Clone, PartialEq)]
pub enum Element {
    /// An expression.
    Value(Expr),
    /// `for a in x, b in y { body }`: one element for each turn, the value of the body.
    For(Vec<ForClause>, Body, Span),
}

impl Element {
    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Element::Value(value) => value.span,
            Element::For(_, _, span) => *span,
        }
    }
}

/// A part of a string.
#[derive(Debug, Clone, PartialEq)]
pub enum TextPart {
    /// Characters, escapes resolved.
    Literal(String),
    /// `{expr}`
    Interpolation(Expr),
}

/// A decision over steps, expressions or values.
#[derive(Debug, Clone, PartialEq)]
pub struct Choose {
    /// The word, the count and the label: where a diagnostic points.
    pub head: Span,
    /// Whether its alternatives have weights in common.
    pub sharing: Sharing,
    /// How many to choose, a number; one if none is written.
    pub count: Option<Expr>,
    /// The label that names the decision.
    pub label: Option<Ident>,
    /// What is chosen among.
    pub alternatives: Alternatives,
}

/// Whether the alternatives of a decision have weights in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// `choose`: each has its own.
    Separate,
    /// `elastic`: the smaller are slices of the largest.
    Shared,
}

/// What a decision chooses among.
#[derive(Debug, Clone, PartialEq)]
pub enum Alternatives {
    /// `{ name: step, … }`: the candidates, or what makes them.
    Arms(Vec<Arm>),
    /// `[3, 5, 7]` or `(states)`: an expression in brackets that gives a list.
    Values(Expr),
}

/// Copies of a body in a row, each applied to what the one before gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Repeat {
    /// The word `repeat` and the depth.
    pub head: Span,
    /// How many copies.
    pub depth: Expr,
    /// The name of a copy's number, from 0.
    pub index: Option<Ident>,
    /// One copy.
    pub body: Body,
}

/// A candidate, or what makes candidates.
#[derive(Debug, Clone, PartialEq)]
pub enum Arm {
    /// `name: step if condition`
    Candidate(Candidate),
    /// `for a in x { arms }`
    For(Vec<ForClause>, Vec<Arm>),
}

/// One candidate as written.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its name, which may hold interpolations.
    pub name: Vec<TextPart>,
    /// Whether the name was quoted.
    pub quoted: bool,
    /// Where the name stands.
    pub name_span: Span,
    /// The step or the expression.
    pub value: Expr,
    /// The static condition under which it exists.
    pub guard: Option<Expr>,
}

impl Candidate {
    /// All of it, from the name to the condition.
    #[must_use]
    pub fn span(&self) -> Span {
        let last = self.guard.as_ref().map_or(self.value.span, |guard| guard.span);
        self.name_span.to(last)
    }
}

/// A prefix operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Neg,
    /// `not`
    Not,
}

/// An infix operator other than `->`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `or`
    Or,
    /// `and`
    And,
    /// `==`
    Eq,
    /// `~=`, in a claim only: one side is what the other one rounds to
    Near,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `..`
    Range,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
    /// `^`
    Pow,
}

impl BinaryOp {
    /// As it is written.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Or => "or",
            BinaryOp::And => "and",
            BinaryOp::Eq => "==",
            BinaryOp::Near => "~=",
            BinaryOp::Ne => "!=",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::Range => "..",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Rem => "%",
            BinaryOp::Pow => "^",
        }
    }
}
