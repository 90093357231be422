//! The command line of a trial: its template with the placeholders filled in.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

use nas_ir::recipe::Template;
use nas_ir::recipe::template::Part;

/// The file with the choices of the network and its costs.
pub(super) const JSON: &str = "json";
/// The network as ONNX.
pub(super) const ONNX: &str = "onnx";
/// The weights of that, as safetensors.
pub(super) const WEIGHTS: &str = "weights";
/// The folder of the trial.
const DIR: &str = "dir";
/// How many epochs it should be trained for.
const EPOCHS: &str = "epochs";
/// A seed for the training.
const SEED: &str = "seed";
/// The number of the trial, from 0.
const TRIAL: &str = "trial";

/// The placeholders of a command.
pub const PLACEHOLDERS: [&str; 7] = [JSON, ONNX, WEIGHTS, DIR, EPOCHS, SEED, TRIAL];

/// What is filled in for a trial.
pub(super) struct Filling<'t> {
    /// The folder of the trial, an absolute path.
    pub(super) dir: &'t Path,
    pub(super) epochs: u32,
    pub(super) seed: u32,
    pub(super) trial: u32,
}

/// The name of the file that a placeholder stands for.
pub(super) fn file(placeholder: &str) -> Option<&'static str> {
    match placeholder {
        JSON => Some("network.json"),
        ONNX => Some("network.onnx"),
        WEIGHTS => Some("weights.safetensors"),
        _ => None,
    }
}

impl Filling<'_> {
    /// What a placeholder stands for.
    fn value(&self, placeholder: &str) -> OsString {
        match placeholder {
            EPOCHS => self.epochs.to_string().into(),
            SEED => self.seed.to_string().into(),
            TRIAL => self.trial.to_string().into(),
            of_file => file(of_file).map_or(self.dir.to_owned(), |name| self.dir.join(name)).into(),
        }
    }

    /// The line, each value in quotes where a shell needs them.
    pub(super) fn line(&self, template: &Template) -> OsString {
        let mut line = OsString::new();
        for part in template.parts() {
            match part {
                Part::Text(text) => line.push(text),
                Part::Placeholder(name) => line.push(quoted(&self.value(name))),
            }
        }
        line
    }
}

#[cfg(unix)]
fn quoted(value: &OsStr) -> Cow<'_, OsStr> {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    // What cannot be quoted holds a NUL, and no path does.
    match shlex::bytes::try_quote(value.as_bytes()) {
        Ok(Cow::Owned(quoted)) => Cow::Owned(OsString::from_vec(quoted)),
        Ok(Cow::Borrowed(_)) | Err(_) => Cow::Borrowed(value),
    }
}

#[cfg(not(unix))]
fn quoted(value: &OsStr) -> Cow<'_, OsStr> {
    let text = value.to_string_lossy();
    let quoted = shlex::try_quote(&text).map(|quoted| OsString::from(quoted.as_ref()));
    quoted.map_or(Cow::Borrowed(value), Cow::Owned)
}

/// What runs a line: a shell, so that it may set variables and pipe.
#[cfg(unix)]
pub(super) fn shell(line: &OsStr) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(line);
    command
}

/// What runs a line: its first word, where the system has no `sh`.
#[cfg(not(unix))]
pub(super) fn shell(line: &OsStr) -> Command {
    let words = shlex::split(&line.to_string_lossy()).unwrap_or_default();
    let mut words = words.into_iter();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(parts: Vec<Part>) -> String {
        let dir = Path::new("/run of it/trials/000003");
        let filling = Filling { dir, epochs: 5, seed: 17, trial: 3 };
        filling.line(&Template::new(parts)).into_string().unwrap()
    }

    #[test]
    fn every_placeholder_stands_for_something_else() {
        let all = PLACEHOLDERS.map(|name| line(vec![Part::Placeholder(name)]));
        let dir = "/run of it/trials/000003";
        let expected = [
            &format!("'{dir}/network.json'"),
            &format!("'{dir}/network.onnx'"),
            &format!("'{dir}/weights.safetensors'"),
            &format!("'{dir}'"),
            "5",
            "17",
            "3",
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn what_is_no_placeholder_stays() {
        let text = |text: &str| Part::Text(text.to_owned());
        let line = line(vec![text("A=$B x '{y}' | z "), Part::Placeholder(EPOCHS), text("0")]);
        assert_eq!(line, "A=$B x '{y}' | z 50");
    }
}
