//! An engine of the user's: a command that runs a model on inputs in files.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use miette::Diagnostic;
use nas_ir::Tensor;
use thiserror::Error;

use super::apart;
use super::npy;
use super::source::io_reason;
use crate::render::report::Failure;

/// What stands in a command for the path of the model, for the folder of its inputs, and for that of its outputs.
const PLACES: [&str; 3] = ["{model}", "{inputs}", "{outputs}"];
/// How long a run may take.
const TIME: Duration = Duration::from_secs(600);

/// A command that runs models.
#[derive(Debug, Clone)]
pub struct Runner {
    text: String,
    words: Vec<String>,
}

/// The user's engine did not answer.
#[derive(Debug, Error, Diagnostic)]
#[error("`{command}` does not run the model: {why}")]
#[diagnostic(
    code(nas::verify::runner),
    help(
        "the command reads `input_0.npy` and so on from the folder {{inputs}}, and writes `output_0.npy` and so on to {{outputs}}, in the order of the model"
    )
)]
pub struct RunnerFailed {
    command: String,
    why: String,
}

impl Runner {
    /// The command of this text, split into words as a shell does it; no shell sees it.
    ///
    /// # Errors
    /// It is no command, or lacks a place, in words.
    pub fn new(text: &str) -> Result<Self, String> {
        let words = shlex::split(text).ok_or("a quote is not closed")?;
        let has = |place: &str| words.iter().any(|word| word.contains(place));
        if let Some(place) = PLACES.into_iter().find(|place| !has(place)) {
            return Err(format!("it does not say where {place} goes"));
        }
        Ok(Self { text: text.to_owned(), words })
    }

    /// The command as it was given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the command answers for these inputs, as many outputs as it wrote.
    ///
    /// # Errors
    /// It cannot be started, fails, or leaves no outputs.
    pub fn run(&self, model: &Path, inputs: &[Tensor]) -> Result<Vec<Tensor>, Failure> {
        let failed =
            |why: String| Failure::problem(RunnerFailed { command: self.text.clone(), why });
        let io = |error: std::io::Error| failed(io_reason(&error));
        let folder = tempfile::tempdir().map_err(io)?;
        let [given, answered] = ["inputs", "outputs"].map(|name| folder.path().join(name));
        std::fs::create_dir(&given).map_err(io)?;
        std::fs::create_dir(&answered).map_err(io)?;
        for (number, input) in inputs.iter().enumerate() {
            let bytes = npy::to_bytes(input).map_err(failed)?;
            std::fs::write(given.join(format!("input_{number}.npy")), bytes).map_err(io)?;
        }
        let model = std::path::absolute(model).map_err(io)?;
        let paths = [model.as_path(), &given, &answered].map(|path| path.display().to_string());
        let words = self.words.iter().map(|word| {
            PLACES
                .iter()
                .zip(&paths)
                .fold(word.clone(), |word, (place, path)| word.replace(place, path))
        });
        let words: Vec<String> = words.collect();
        let Some((program, arguments)) = words.split_first() else { return Ok(Vec::new()) };
        let mut command = Command::new(program);
        command.args(arguments);
        apart::answer(command, TIME).map_err(|why| failed(format!("its process {why}")))?;
        let mut outputs = Vec::new();
        loop {
            let path = answered.join(format!("output_{}.npy", outputs.len()));
            if !path.exists() {
                break;
            }
            let bytes = nas_files::read(&path).map_err(io)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let tensor = npy::from_bytes(&bytes);
            outputs
                .push(tensor.map_err(|why| failed(format!("its `{name}` is no tensor: {why}")))?);
        }
        if outputs.is_empty() {
            Err(failed("it wrote no `output_0.npy`".to_owned()))
        } else {
            Ok(outputs)
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_given_files_and_gives_files() {
        let runner =
            Runner::new("sh -c 'cp {inputs}/input_0.npy {outputs}/output_0.npy; test -f {model}'");
        let model = tempfile::NamedTempFile::new().unwrap();
        let input = Tensor::of_floats([1, 2], vec![3.0, 4.0]);
        let outputs = runner.unwrap().run(model.path(), std::slice::from_ref(&input)).unwrap();
        assert_eq!(outputs, [input]);
    }

    #[test]
    fn a_command_that_does_not_answer_is_an_error() {
        let failure = |text: &str| {
            let runner = Runner::new(text).unwrap();
            let input = Tensor::of_floats([1], vec![0.0]);
            runner.run(Path::new("net.onnx"), &[input]).unwrap_err().summary()
        };
        let text = failure("sh -c 'echo no such operator >&2; exit 1' {model} {inputs} {outputs}");
        assert!(text.contains("ended early") && text.contains("no such operator"), "{text}");
        assert!(failure("true {model} {inputs} {outputs}").contains("wrote no `output_0.npy`"));
        let text = failure("sh -c 'echo 1 > {outputs}/output_0.npy' {model} {inputs}");
        assert!(text.contains("`output_0.npy` is no tensor"), "{text}");
        assert_eq!(Runner::new("run {model}").unwrap_err(), "it does not say where {inputs} goes");
    }
}
