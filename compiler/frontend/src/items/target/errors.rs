//! What can be wrong with a target, and with a space for one.

use nas_diagnostics::diagnostics;

diagnostics! {
    /// A target that the file does not have.
    Error UnknownTarget [nas::target::unknown] "there is no target `{name}`" { name: String }
    /// A line of a target that means nothing.
    Error UnknownEntry [nas::target::entry] "a target has no setting `{name}`" { name: String }
    /// A value that the setting does not take.
    Error WrongSetting [nas::target::value] "`{name}` takes {expected}, not {found}" { name: String, expected: String, found: String }
    /// A line that is there twice.
    Error RepeatedEntry [nas::target::repeated] "`{name}` is given twice" { name: String }
    /// An operator that the language does not have.
    Error UnknownOperator [nas::target::operator] "there is no operator `{name}`" { name: String }
    /// A condition that is no condition on an operator's arguments.
    Error WrongCondition [nas::target::condition] "a condition on `{operator}` is true or false" { operator: String }
    /// A name in a condition that is no parameter.
    Error UnknownParameter [nas::target::parameter] "`{operator}` has no parameter `{name}`" { operator: String, name: String }
    /// A part of a space that its target cannot run.
    Error Unsupported [nas::target::unsupported] "target `{target}` cannot run this: {reason}" { target: String, reason: String }
}
