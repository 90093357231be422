//! A case: what lies in a folder, and the commands that are run there, one after the other.

use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::tree::Tree;

/// Where all randomness of a case comes from.
pub(crate) type Random = ChaCha8Rng;

/// What makes cases of a kind.
pub(crate) trait Kind: Sync {
    /// The case that a stream of random numbers stands for.
    fn case(&self, random: &mut Random) -> Case;
}

/// Inputs, and commands on them. A command that fails is the last, unless it may fail.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Case {
    pub(crate) files: Tree,
    pub(crate) steps: Vec<Step>,
    /// Files that must be like these after a step that ended with 0 and says so.
    pub(crate) expected: Tree,
}

/// A command, its limits, and what it may do.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Step {
    pub(crate) args: Vec<String>,
    /// The file that is its standard input.
    pub(crate) stdin: Option<String>,
    /// The most seconds of a processor.
    pub(crate) seconds: u64,
    /// The most address space, in MiB.
    pub(crate) memory: Option<u64>,
    /// The most MiB that it may write to either of its streams.
    pub(crate) output: u64,
    /// The paths that it may write, with what is in them.
    pub(crate) writes: Vec<String>,
    /// Its standard output is a file as it is, control characters and all.
    pub(crate) is_raw: bool,
    /// It ends with 0, as those before it did.
    pub(crate) must_end_well: bool,
    /// Where it ends with 0, what was expected must be there.
    pub(crate) is_compared: bool,
    /// Those after it run also where it fails.
    pub(crate) may_fail: bool,
}

impl Step {
    /// A command that runs without libtorch and should be done at once; spaces part its arguments.
    pub(crate) fn quick(args: &str) -> Self {
        let args = args.split_whitespace().map(str::to_owned).collect();
        Self { args, seconds: 30, memory: Some(4 << 10), output: 4, ..Self::default() }
    }

    /// A command that runs networks.
    pub(crate) fn slow(args: &str) -> Self {
        Self { seconds: 120, ..Self::quick(args) }
    }

    /// A command that runs on libtorch, which reserves more memory than it uses.
    pub(crate) fn torch(args: &str) -> Self {
        Self { memory: Some(16 << 10), ..Self::slow(args) }
    }

    /// An argument more, which may hold spaces.
    pub(crate) fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// A path more that it may write.
    pub(crate) fn writes(mut self, path: &str) -> Self {
        self.writes.push(path.to_owned());
        self
    }

    /// It may write long texts: of an input it tells more than stands there.
    pub(crate) fn long(mut self) -> Self {
        self.output = 2048;
        self
    }

    pub(crate) fn reads(mut self, stdin: &str) -> Self {
        self.stdin = Some(stdin.to_owned());
        self
    }

    pub(crate) fn raw(mut self) -> Self {
        self.is_raw = true;
        self
    }

    pub(crate) fn must_end_well(mut self) -> Self {
        self.must_end_well = true;
        self
    }

    pub(crate) fn compared(mut self) -> Self {
        self.is_compared = true;
        self
    }

    pub(crate) fn may_fail(mut self) -> Self {
        self.may_fail = true;
        self
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "args": self.args,
            "stdin": self.stdin,
            "seconds": self.seconds,
            "memory": self.memory,
            "output": self.output,
            "writes": self.writes,
            "is_raw": self.is_raw,
            "must_end_well": self.must_end_well,
            "is_compared": self.is_compared,
            "may_fail": self.may_fail,
        })
    }

    /// The step that `to_json` wrote.
    pub(crate) fn from_json(value: &Value) -> Self {
        let field = |name: &str| value.get(name).unwrap_or(&Value::Null);
        let texts = |name: &str| {
            let all = field(name).as_array().into_iter().flatten();
            all.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let flag = |name: &str| field(name).as_bool().unwrap_or_default();
        Self {
            args: texts("args"),
            stdin: field("stdin").as_str().map(str::to_owned),
            seconds: field("seconds").as_u64().unwrap_or_default(),
            memory: field("memory").as_u64(),
            output: field("output").as_u64().unwrap_or_default(),
            writes: texts("writes"),
            is_raw: flag("is_raw"),
            must_end_well: flag("must_end_well"),
            is_compared: flag("is_compared"),
            may_fail: flag("may_fail"),
        }
    }
}
