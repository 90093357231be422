//! What training steps take, operator by operator.

use std::path::Path;
use std::rc::Rc;

use nas_torch::{Operator, Profiled, Profiler, WARM_STEPS};
use nasc::render::report::Failure;
use nasc::services::files::write_whole;
use nasc::tell;

/// Rows of the summary.
const ROWS: usize = 20;

/// Notes some steps into a file, and tells a summary.
///
/// # Errors
/// The file cannot be written, which is said before anything is trained.
pub(crate) fn profiler(path: &Path) -> Result<Rc<Profiler>, Failure> {
    write_whole(path, b"[]")?;
    let shown = path.display().to_string();
    Ok(Rc::new(Profiler::new(path.to_owned(), move |profiled| {
        tell!("{}", table(profiled));
        tell!("the trace of {} steps is in {shown}", profiled.steps);
    })))
}

/// Tells where nothing was noted.
pub(crate) fn tell_idle(profiler: Option<&Profiler>) {
    if profiler.is_some_and(|profiler| !profiler.has_noted()) {
        tell!("the trace is empty: only a pass of more than {WARM_STEPS} training steps is noted");
    }
}

fn table(Profiled { steps, operators }: &Profiled) -> String {
    let steps = (*steps).max(1) as f64;
    let all: f64 = operators.iter().map(|operator| operator.seconds).sum();
    let row = |Operator { name, calls, seconds }: &Operator| {
        let (calls, milliseconds) = (*calls as f64 / steps, seconds / steps * 1e3);
        format!("{milliseconds:9.2} ms {:5.1} % {calls:8.1} x  {name}", 100.0 * seconds / all)
    };
    let rows: Vec<String> = operators.iter().take(ROWS).map(row).collect();
    let head = format!("a step takes {:.1} ms, of which:", all / steps * 1e3);
    std::iter::once(head).chain(rows).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_of_one_step() {
        let operators = vec![
            Operator { name: "a".to_owned(), calls: 20, seconds: 0.03 },
            Operator { name: "b".to_owned(), calls: 5, seconds: 0.01 },
        ];
        let wanted = "a step takes 8.0 ms, of which:\n     \
                      6.00 ms  75.0 %      4.0 x  a\n     2.00 ms  25.0 %      1.0 x  b";
        assert_eq!(table(&Profiled { steps: 5, operators }), wanted);
    }
}
