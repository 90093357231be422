//! What the tests share: a folder with a small space in it, and the command at work there.

use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A space of four networks, in canonical layout.
pub(crate) const TINY: &str = r#"//! Two layers, two candidates each.
use std.blocks.conv_bn_relu

block unit(x, out) {
    x -> choose op {
        small: conv_bn_relu(out, kernel = 1)
        large: conv_bn_relu(out, kernel = 3)
    }
}

space tiny(classes = 2, size = 32) {
    input image: [3, size, size]
    task segmentation(classes, ignore = 255)

    output logits = image
        -> conv_bn_relu(8, kernel = 3, stride = 2)
        -> unit(8)
        -> unit(8)
        -> conv(classes, kernel = 1, bias = true)
        -> resize(scale = 2)
}

arch first of tiny {
    op = [small, large]
}

search quick of tiny {
    minimize cross_entropy + 0.01 * macs / 1M
    data edges { path = "data", batch = 4 }
    schedule { epochs = 4, warmup = 2, split = 0.5 }
    derive { sample = 2, keep = 1 }
    retrain { epochs = 2, batch = 4 }
}
"#;

/// [`TINY`], with a target, and its space or its search `for` that.
pub(crate) fn tiny_for_target(item: &str) -> String {
    assert!(TINY.contains(item));
    let text = TINY.replace(item, &format!("{item} for board"));
    text.replace("space tiny", "target board {\n    opset 19\n}\n\nspace tiny")
}

/// A folder of its own for a test, with [`TINY`] in it as `tiny.nas`.
pub(crate) struct Bench(TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        bench.write("tiny.nas", TINY);
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The version of the operator set that an ONNX file is in.
    pub(crate) fn opset(&self, name: &str) -> i64 {
        let text = nas_onnx::dump(&self.read(name)).unwrap();
        let version = text.lines().next().and_then(|line| line.split(['[', ']']).nth(1));
        version.unwrap().parse().unwrap()
    }

    /// All that a run has written down but its times, which are different each time.
    #[cfg(feature = "torch")]
    pub(crate) fn records(&self, run: &str) -> Value {
        let mut records = self.nasc(&format!("runs export {run}")).json();
        records.as_object_mut().unwrap().remove("timings").unwrap();
        records
    }

    /// The names in a folder, sorted.
    pub(crate) fn list(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// `nasc` with these arguments, which spaces part, at work in the folder.
    pub(crate) fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nasc"));
        command.current_dir(self.0.path()).args(args.split_whitespace()).stdin(Stdio::null());
        command
    }

    pub(crate) fn nasc(&self, args: &str) -> Said {
        Said::of(args, self.command(args).output().unwrap())
    }
}

/// How a command ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Said {
    args: String,
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn of(args: &str, Output { status, stdout, stderr }: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { args: args.to_owned(), code: status.code(), out: text(stdout), err: text(stderr) }
    }

    /// Its standard output, if it was done.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, Some(0), "nasc {}\n{}{}", self.args, self.out, self.err);
        self.out
    }

    /// Its standard output as JSON, if it was done.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.done()).unwrap()
    }

    /// That it failed with this code and wrote these words to standard error, and nothing to
    /// standard output.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, words: &[&str]) {
        assert_eq!((self.code, &*self.out), (Some(code), ""), "nasc {}\n{}", self.args, self.err);
        for word in words {
            assert!(self.err.contains(word), "nasc {}\nlacks {word}:\n{}", self.args, self.err);
        }
    }
}

/// The keys of an object, in order.
#[track_caller]
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}
