//! What can be wrong with an expectation.

use nas_diagnostics::diagnostics;

diagnostics! {
    /// A claim that is not true.
    Error ExpectFailed [nas::expect::failed] "this expectation does not hold" {}
    /// A published figure of which nothing says how exact it is.
    Error NoPrecision [nas::expect::precision] "nothing says how exact this figure is" {}
    /// A tolerance that nothing has.
    Error NoTolerance [nas::expect::tolerance] "only `~=` has a tolerance" {}
    /// A claim that is no comparison.
    Error NoComparison [nas::expect::comparison] "an expectation is a comparison" {}
    /// A measure that does not exist.
    Error UnknownMeasure [nas::expect::measure] "unknown measure `{name}`" { name: String }
    /// A measure that is not known of a network.
    Error NoFigure [nas::expect::no_figure] "`{name}` has no exact figure here" { name: String }
    /// A figure of a space that cannot be computed exactly.
    Error NotExact [nas::expect::entangled] "the decisions of `{space}` are too entangled for an exact figure" { space: String }
}
