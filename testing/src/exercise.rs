//! All that the compiler does with a file, for inputs that may be anything: it must end soon and
//! without a panic, whatever it says.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use nas_diagnostics::Problems;
use nas_frontend::Compiler;
use nas_frontend::modules::Program;
use nas_grammar::parse::decode;
use nas_grammar::{Fix, Problem};
use nas_ir::Measure;
use nas_passes::specialise;
use nas_search::strategies::SCHEMAS;

use crate::programs::load;

/// Fails where the compiler takes this thread longer than that.
pub fn exercise_within(longest: Duration, bytes: &[u8]) {
    let start = spent();
    exercise(bytes);
    let took = spent() - start;
    let shown: String = String::from_utf8_lossy(bytes).chars().take(10_000).collect();
    assert!(took < longest, "this took {took:?}:\n{shown}");
}

/// The time that this thread had a processor for; where the system does not say, the time.
fn spent() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse().ok());
    nanos.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

/// Formats, loads, checks and analyses a file; renders what was reported.
fn exercise(bytes: &[u8]) {
    let source = match decode("input.nas", bytes.to_vec()) {
        Ok(source) => source,
        Err(problem) => {
            render(&problem);
            return;
        }
    };
    // Of a line that is too wide to be shown, a place may be too.
    let can_show = source.text().lines().all(|line| line.len() < 8192);
    let _ = nas_grammar::format::format(&source);
    let mut problems = Problems::default();
    let program = Program::load(source, &load, &mut problems);
    let mut compiler = Compiler::new(&program, &mut problems).with_strategies(SCHEMAS);
    compiler.check_all();
    for item in program.spaces() {
        let Some(space) = compiler.space(&item.name.name, &[]) else { continue };
        let _ = nas_analysis::count(&space);
        for measure in [Measure::Macs, Measure::Params] {
            let _ = nas_analysis::range(&space, measure);
        }
        let _ = specialise(&space, &space.first_assignment()).cost();
    }
    for problem in problems.into_vec() {
        assert!(render(&problem) || !can_show, "a place outside its source: {problem:?}");
        assert!(problem.fix().is_none_or(can_be_made), "edits that cannot be made: {problem:?}");
    }
}

/// Whether the edits of a fix are of the text, in order, and apart.
fn can_be_made(fix: &Fix) -> bool {
    let mut end = 0;
    !fix.source().is_library()
        && fix.edits().iter().all(|edit| {
            let range = edit.span.range();
            let is_behind = end <= range.start;
            end = range.end;
            is_behind && fix.source().text().get(range).is_some()
        })
}

/// Whether a problem can be shown.
fn render(problem: &Problem) -> bool {
    let handler = miette::NarratableReportHandler::new();
    handler.render_report(&mut String::new(), problem.as_ref()).is_ok()
}
