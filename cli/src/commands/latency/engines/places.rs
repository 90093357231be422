//! Where a command runs: on this host, or on a board that is reached by `adb` or `ssh`.

use std::path::Path;

/// Where a command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// On this host.
    Here,
    /// On a device of Android, the one of this serial number if it is not the only one.
    Adb(Option<String>),
    /// On a host that `ssh` knows by this name.
    Ssh(String),
}

/// A command as words.
pub(crate) type Words = Vec<String>;

impl Place {
    /// The place of a `--on`: `adb`, `adb:SERIAL`, `ssh:HOST`.
    ///
    /// # Errors
    /// It is none of these.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "adb" => Ok(Self::Adb(None)),
            Some(("adb", serial)) if !serial.is_empty() => Ok(Self::Adb(Some(serial.to_owned()))),
            // What begins so would be an option of ssh.
            Some(("ssh", host)) if !host.is_empty() && !host.starts_with('-') => {
                Ok(Self::Ssh(host.to_owned()))
            }
            _ => Err("write adb, adb:SERIAL or ssh:HOST".to_owned()),
        }
    }

    /// The folder there for models, if the user names none.
    pub(crate) fn folder(&self) -> &'static str {
        match self {
            Self::Adb(_) => "/data/local/tmp",
            Self::Here | Self::Ssh(_) => "/tmp",
        }
    }

    /// Where a model is there, in a folder of the place.
    pub(crate) fn path(&self, model: &Path, folder: &str) -> String {
        let name = || model.file_name().unwrap_or_default().to_string_lossy();
        match self {
            Self::Here => model.to_string_lossy().into_owned(),
            Self::Adb(_) | Self::Ssh(_) => format!("{}/{}", folder.trim_end_matches('/'), name()),
        }
    }

    /// What brings a model there, if it must be brought.
    pub(crate) fn bring(&self, model: &Path, to: &str) -> Option<Words> {
        let model = model.to_string_lossy().into_owned();
        match self {
            Self::Here => None,
            Self::Adb(_) => Some([self.reach(), words(["push", &model, to])].concat()),
            // A path with a colon would be another host.
            Self::Ssh(host) => {
                let model = if model.starts_with('/') { model } else { format!("./{model}") };
                Some(words(["scp", "-q", &model, &format!("{host}:{to}")]))
            }
        }
    }

    /// What runs a command there. A shell there reads what `adb` and `ssh` pass on, so that each
    /// word is quoted for it.
    pub(crate) fn run(&self, command: &[String]) -> Words {
        let quoted = || shlex::try_join(command.iter().map(String::as_str)).unwrap_or_default();
        match self {
            Self::Here => command.to_vec(),
            Self::Adb(_) => [self.reach(), words(["shell", &quoted()])].concat(),
            Self::Ssh(_) => [self.reach(), vec![quoted()]].concat(),
        }
    }

    fn reach(&self) -> Words {
        match self {
            Self::Here => Vec::new(),
            Self::Adb(None) => words(["adb"]),
            Self::Adb(Some(serial)) => words(["adb", "-s", serial]),
            Self::Ssh(host) => words(["ssh", "-o", "BatchMode=yes", host]),
        }
    }
}

fn words<const N: usize>(words: [&str; N]) -> Words {
    words.map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_reached_by_its_own_command() {
        let bench = words(["./bench", "shape=[1,2]", "a b"]);
        let model = Path::new("plan/a.onnx");
        let lines = |place: &str| {
            let place = Place::parse(place).unwrap();
            let to = place.path(model, place.folder());
            let bring = place.bring(model, &to).unwrap().join(" ");
            (bring, place.run(&bench).join(" "))
        };
        let (bring, run) = lines("adb");
        assert_eq!(bring, "adb push plan/a.onnx /data/local/tmp/a.onnx");
        assert_eq!(run, "adb shell ./bench 'shape=[1,2]' 'a b'");
        let (bring, run) = lines("adb:R58");
        assert_eq!(bring, "adb -s R58 push plan/a.onnx /data/local/tmp/a.onnx");
        assert_eq!(run, "adb -s R58 shell ./bench 'shape=[1,2]' 'a b'");
        let (bring, run) = lines("ssh:me@board");
        assert_eq!(bring, "scp -q ./plan/a.onnx me@board:/tmp/a.onnx");
        assert_eq!(run, "ssh -o BatchMode=yes me@board ./bench 'shape=[1,2]' 'a b'");
        assert_eq!((Place::Here.bring(model, "x"), Place::Here.run(&bench)), (None, bench));
    }

    #[test]
    fn no_other_text_is_a_place() {
        for text in ["", "usb", "adb:", "ssh", "ssh:", "ssh:-oProxyCommand=x", "http://a"] {
            assert!(Place::parse(text).is_err(), "{text}");
        }
    }
}
