//! Comments that allow warnings, `// allow nas::names::unused`, and silence nothing: so that none outlives
//! its reason.

use nas_diagnostics::{Fix, Help, Place, Problems, diagnostics};
use nas_grammar::Allow;

use crate::modules::Program;

diagnostics! {
    /// A comment that allows what nothing warns of.
    Warning IdleAllow [nas::names::allow] "nothing here is warned of as `{code}`" { code: String }
}

/// Warns of comments of the main file that allow what nothing was warned of. What is idle in an imported
/// file may silence something in another program.
pub(crate) fn check(program: &Program, problems: &mut Problems) {
    let Some(main) = program.module(program.main()) else { return };
    for Allow { code, comment, is_only, .. } in problems.idle_allows(&main.source) {
        let at = main.source.at(comment);
        let help = if !is_only {
            Help::advice("leave the code out of the comment")
        } else if at.lines().is_some() {
            Fix::remove_line(at, |_| "remove the comment".to_owned()).into()
        } else {
            Fix::remove(at, |_| "remove the comment".to_owned()).into()
        };
        let place = Place::new(&main.source, comment, "allowed here").help(help);
        problems.push(IdleAllow::at(place, code));
    }
}
