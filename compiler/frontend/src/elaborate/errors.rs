//! What elaboration reports.

use nas_diagnostics::diagnostics;

diagnostics! {
    /// A value of another kind than was needed.
    Error WrongKind [nas::eval::kind] "expected {expected}, found {found}" { expected: String, found: String }
    /// An operator between values that it does not take.
    Error WrongOperands [nas::eval::operands] "`{operator}` has no meaning between {left} and {right}" { operator: String, left: String, right: String }
    /// `~=` outside a claim about published figures.
    Error NearElsewhere [nas::expect::near] "`~=` stands only between the two sides of an `expect`" {}
    /// A number that no other part of the compiler could use.
    Error NumberTooLarge [nas::eval::overflow] "the result of `{operator}` is too large" { operator: String }
    /// Division by zero.
    Error DivisionByZero [nas::eval::division_by_zero] "division by zero" {}
    /// A number with letters after it that are no unit.
    Error UnknownUnit [nas::eval::unit] "unknown unit `{unit}`" { unit: String }
    /// A field that the value does not have.
    Error UnknownField [nas::eval::field] "{value} has no field `{field}`" { value: String, field: String }
    /// An index outside the list.
    Error OutOfRange [nas::eval::index] "index {index} is outside a list of {length}" { index: String, length: usize }
    /// A tuple taken apart into another number of names.
    Error WrongPattern [nas::eval::pattern] "cannot take {value} apart into {names} names" { value: String, names: usize }
    /// Something after `->` that is no step.
    Error NotAStep [nas::eval::step] "{what} cannot stand after `->`" { what: String }
    /// Something called that is no block.
    Error NotCallable [nas::eval::call] "`{name}` is {value}, not a block" { name: String, value: String }
    /// Copies of a step into which nothing flows.
    Error RepeatsNothing [nas::eval::repeat] "`repeat` needs a tensor to begin with" {}
    /// A depth that is no number of copies.
    Error WrongDepth [nas::eval::depth] "the depth of a `repeat` cannot be {found}" { found: String }
    /// A value that is computed and dropped.
    Warning UnusedValue [nas::eval::unused_value] "the value of this expression is not used" {}
    /// A variable of the outside assigned inside a candidate.
    Error AssignedInCandidate [nas::eval::assigned_in_candidate] "`{name}` is assigned inside a candidate" { name: String }

    /// More arguments than parameters.
    Error TooManyArguments [nas::args::too_many] "`{callee}` takes {takes}, {given} given" { callee: String, takes: String, given: usize }
    /// An argument for a parameter that does not exist.
    Error UnknownArgument [nas::args::unknown] "`{callee}` has no parameter `{name}`" { callee: String, name: String }
    /// A parameter without a value.
    Error MissingArgument [nas::args::missing] "`{callee}` needs {missing}" { callee: String, missing: String }
    /// Two values for one parameter.
    Error RepeatedArgument [nas::args::repeated] "`{name}` is given twice" { name: String }
    /// A value that the parameter does not take.
    Error WrongArgument [nas::args::kind] "`{name}` of `{callee}` takes {expected}, not {found}" { callee: String, name: String, expected: String, found: String }
    /// Not the number of tensors that the operator takes.
    Error WrongOperandCount [nas::args::operands] "`{callee}` takes {takes}, {given} given" { callee: String, takes: String, given: String }

    /// Operands that do not fit together.
    Error ShapeMismatch [nas::shape::mismatch] "{title}" { title: String }
    /// Groups that do not divide the channels.
    Error GroupsDoNotDivide [nas::shape::groups] "{groups} groups do not divide {of}" { groups: u32, of: String }
    /// A window that does not fit into the map.
    Error WindowTooLarge [nas::shape::window] "{title}" { title: String }
    /// A vector where a map is needed.
    Error WrongRank [nas::shape::rank] "`{operator}` needs {needs}" { operator: String, needs: String }
    /// A size or a count that is too large to compute with.
    Error TooLarge [nas::shape::overflow] "{what} is above the limit of {limit}" { what: String, limit: u64 }
    /// Candidates of one choice with different shapes.
    Error CandidateShapes [nas::shape::candidates] "the candidates of `{decision}` have different shapes" { decision: String }

    /// A choice without candidates.
    Error EmptyChoice [nas::choice::empty] "`{decision}` has no candidates" { decision: String }
    /// A choice with one candidate.
    Warning SingleCandidate [nas::choice::single] "`{decision}` has only one candidate, `{candidate}`" { decision: String, candidate: String }
    /// Two candidates of one name.
    Error DuplicateCandidate [nas::choice::duplicate] "two candidates of `{decision}` are called `{name}`" { decision: String, name: String }
    /// A candidate that is no tensor.
    Error CandidateKind [nas::choice::kind] "candidate `{name}` is {found}, not a tensor" { name: String, found: String }

    /// A condition on decisions that none of their candidates meets.
    Warning Unreachable [nas::choice::unreachable] "`{condition}` holds in no network" { condition: String }
    /// A value in a list of alternatives that cannot be chosen.
    Error WrongAlternatives [nas::choice::alternatives] "the candidates of `{decision}` are not fixed" { decision: String }
    /// Candidates of `elastic` whose weights are no part of each other.
    Error NoSlice [nas::choice::elastic] "`{decision}` cannot be elastic: {reason}" { decision: String, reason: String }
    /// A number of candidates to choose that there are not.
    Error SetSize [nas::choice::count] "cannot choose {found} of {of} candidates" { found: String, of: usize }
    /// More sets of candidates than one decision may have.
    Error TooManyCandidates [nas::choice::too_many] "`{decision}` can be made in more than {limit} ways" { decision: String, limit: usize }
    /// An instance of a cell whose candidates are other than those of the first.
    Error CellCandidates [nas::choice::cell] "`{decision}` has other candidates in another instance of its cell" { decision: String }
    /// A tensor in one case and a static value in another.
    Error MixedKinds [nas::choice::mixed] "this is a tensor in some networks and {found} in others" { found: String }
    /// A table that no machine would hold.
    Error Entangled [nas::choice::entangled] "more than {limit} cases of {decisions} meet here" { decisions: String, limit: usize }

    /// An input whose shape is no shape.
    Error BadInputShape [nas::space::input_shape] "the shape of an input is [channels, height, width], not {found}" { found: String }
    /// Two inputs or outputs of one name.
    Error DuplicatePort [nas::space::duplicate_port] "there are two {what} called `{name}`" { what: String, name: String }
    /// A space parameter without a default value.
    Error NoDefault [nas::space::no_default] "parameter `{name}` of a space needs a default value" { name: String }
    /// A task that does not exist.
    Error UnknownTask [nas::space::task] "unknown task `{name}`" { name: String }
    /// Two tasks in one space.
    Error SecondTask [nas::space::second_task] "a space has one task" {}

    /// A name in a requirement that is no measure.
    Error UnknownRequirement [nas::require::measure] "unknown measure `{name}`" { name: String }
    /// A name in `count` or `monotone` that is no decision.
    Error UnknownDecision [nas::require::decision] "no decision is called `{name}`" { name: String }
    /// A candidate that no decision of a label has.
    Error UnknownCandidate [nas::require::candidate] "`{decision}` has no candidate `{name}`" { decision: String, name: String }
    /// An order of candidates that have none.
    Error NoOrder [nas::require::order] "the candidates of `{decision}` have no order" { decision: String }
    /// `count` or `monotone` of something else than they take.
    Error NotChosen [nas::require::choices] "`{word}` takes {takes}" { word: String, takes: String }
    /// A count that is compared with what no count is.
    Error NotWhole [nas::require::whole] "a count is never {number}" { number: String }
    /// A number that a time is compared with, and that does not say in which unit.
    Error Unitless [nas::require::unit] "what `latency` is compared with says its unit" {}
    /// A requirement that is no comparison.
    Error NoClaim [nas::require::claim] "a requirement is a comparison" {}
    /// A requirement that limits no sum of multiples of measures.
    Error NotLinear [nas::require::not_linear] "this requirement does not limit a sum of measures" {}

    /// Loops or calls that would not end in a reasonable time.
    Error TooManySteps [nas::limits::steps] "elaboration passed {limit} steps" { limit: u64 }
    /// A graph that would not fit into memory.
    Error TooManyNodes [nas::limits::nodes] "the space passed {limit} nodes" { limit: usize }
    /// Calls, expressions or lists nested too deep.
    Error TooDeep [nas::limits::depth] "blocks, expressions and lists nest more than {limit} deep" { limit: usize }
    /// A list or a string that would not fit into memory.
    Error TooLong [nas::limits::length] "{what} of {length} elements (the limit is {limit})" { what: String, length: String, limit: usize }
    /// A block that instantiates itself.
    Error Recursion [nas::limits::recursion] "block `{name}` instantiates itself" { name: String }
}
