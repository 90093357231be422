//! All that the compiler does with a file, for inputs that may be anything: it must end soon and
//! without a panic, whatever it says.

use nas_compiler::error::Problems;
use nas_compiler::modules::{LoadError, Program};
use nas_compiler::recipe::Measure;
use nas_compiler::{Assignment, Compiler, analyse, specialise};
use nas_grammar::parse::decode;
use nas_grammar::{Problem, Source};

/// Formats, loads, checks and analyses a file; renders what was reported.
pub(crate) fn exercise(bytes: &[u8]) {
    let source = match decode("input.nas", bytes.to_vec()) {
        Ok(source) => source,
        Err(problem) => return render(&problem),
    };
    let _ = nas_grammar::format::format(&source);
    let mut problems = Problems::default();
    let program = Program::load(source, &load, &mut problems);
    let mut compiler = Compiler::new(&program, &mut problems);
    compiler.check_all();
    for item in program.spaces() {
        let Some(space) = compiler.space(&item.name.name, &[]) else { continue };
        let _ = analyse::count(&space);
        for measure in [Measure::Macs, Measure::Params] {
            let _ = analyse::range(&space, measure);
        }
        let _ = specialise(&space, &Assignment::first(&space)).cost();
    }
    problems.into_vec().iter().for_each(render);
}

/// Modules of the standard library, and the shipped spaces as files beside the input.
fn load(_: &str, module: &[&str]) -> Result<Source, LoadError> {
    let missing = || LoadError::Missing("not there".to_owned());
    match module {
        ["std", name] => {
            let text = nas_spaces::std_module(name).ok_or_else(missing)?;
            Ok(Source::new(format!("std/{name}.nas"), text))
        }
        [name] => {
            let path = nas_spaces::shipped().join(format!("{name}.nas"));
            let text = std::fs::read_to_string(path).map_err(|_| missing())?;
            Ok(Source::new(format!("{name}.nas"), text))
        }
        _ => Err(missing()),
    }
}

fn render(problem: &Problem) {
    let mut text = String::new();
    let handler = miette::NarratableReportHandler::new();
    assert!(handler.render_report(&mut text, problem.as_ref()).is_ok(), "{problem:?}");
}
