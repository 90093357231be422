//! The tools of vendors that time a model: how each is called, and which of the figures counts that
//! it prints.

use nas_ir::Precision;
use regex::{Regex, RegexBuilder};

/// A program that times a model.
#[derive(Debug)]
pub(crate) struct Tool {
    /// Its name, which is that of the program.
    pub(crate) name: &'static str,
    /// Its arguments, in which places stand in braces: see [`Call`].
    arguments: &'static str,
    /// What is added where the table is of such a precision.
    half: &'static str,
    eighth: &'static str,
    /// The ending of the files that it reads. Another one than `onnx` is of files that the user has
    /// converted, each beside the ONNX file that it was.
    pub(crate) ending: &'static str,
    /// What tells the figure in its output, by the first pattern that matches; of several matches
    /// the last counts.
    figures: &'static [(&'static str, Unit)],
}

/// What a tool counts time in.
#[derive(Debug, Clone, Copy)]
enum Unit {
    Seconds,
    Milliseconds,
    Microseconds,
}

/// All of them. Where several figures are printed, the median counts; where there is none, the
/// least, and else the mean.
pub(super) const TOOLS: [Tool; 5] = [
    // https://docs.openvino.ai/2025/get-started/learn-openvino/openvino-samples/benchmark-tool.html
    Tool {
        name: "benchmark_app",
        arguments: "-m {model} -d CPU -hint none -nstreams 1 -nthreads {threads} -api sync -infer_precision f32 -t 1",
        half: "",
        eighth: "",
        ending: "onnx",
        figures: &[(r"^\[ INFO \]\s+Median:\s+(\S+) ms", Unit::Milliseconds)],
    },
    // https://docs.nvidia.com/deeplearning/tensorrt/latest/performance/best-practices.html
    Tool {
        name: "trtexec",
        arguments: "--onnx={model} --warmUp=200 --duration=1 --useSpinWait --noDataTransfers",
        half: "--fp16",
        eighth: "--int8",
        ending: "onnx",
        figures: &[(r"GPU Compute Time: .*\bmedian = (\S+) ms", Unit::Milliseconds)],
    },
    // https://github.com/Tencent/ncnn/blob/master/benchmark/README.md
    Tool {
        name: "benchncnn",
        arguments: "20 {threads} 2 -1 0 param={model} shape={shapes}",
        half: "",
        eighth: "",
        ending: "param",
        figures: &[(r"\bmin =\s*(\S+)\s+max =", Unit::Milliseconds)],
    },
    // https://ai.google.dev/edge/litert/models/measurement
    Tool {
        name: "benchmark_model",
        arguments: "--graph={model} --num_threads={threads} --warmup_runs=5 --num_runs=50",
        half: "",
        eighth: "",
        ending: "tflite",
        figures: &[
            (r"\bcount=.*\bmedian=(\S+)", Unit::Microseconds),
            (r"\bInference \(avg\): ([^\s,]+)", Unit::Microseconds),
        ],
    },
    // https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/test/perftest/README.md
    Tool {
        name: "onnxruntime_perf_test",
        arguments: "-I -e cpu -x {threads} -y 1 -m times -r 50 -s {model}",
        half: "",
        eighth: "",
        ending: "onnx",
        figures: &[
            (r"^P50 Latency: (\S+) s", Unit::Seconds),
            (r"^Average inference time cost: (\S+) ms", Unit::Milliseconds),
        ],
    },
];

/// What a tool is called for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'c> {
    /// The path of the model, where the tool runs.
    pub(crate) model: &'c str,
    /// The shapes of its inputs, batch first.
    pub(crate) shapes: &'c [Vec<u32>],
    /// On how many threads.
    pub(crate) threads: u32,
    /// In what numbers.
    pub(crate) precision: Precision,
}

impl Tool {
    /// The tool of this name, if nasc knows it.
    #[cfg(test)]
    fn named(name: &str) -> &'static Self {
        TOOLS.iter().find(|tool| tool.name == name).unwrap()
    }

    /// The words that follow the program.
    pub(crate) fn arguments(&self, call: Call<'_>) -> Vec<String> {
        let more = match call.precision {
            Precision::Fp16 => self.half,
            Precision::Int8 => self.eighth,
            Precision::Fp32 => "",
        };
        let (shapes, threads) = (shapes(call.shapes), call.threads.to_string());
        let filled = |word: &str| {
            let word = word.replace("{threads}", &threads).replace("{shapes}", &shapes);
            word.replace("{model}", call.model)
        };
        self.arguments.split_whitespace().chain(more.split_whitespace()).map(filled).collect()
    }

    /// The milliseconds in what the tool printed.
    ///
    /// # Errors
    /// There is no such figure, in words that follow "the tool".
    pub(crate) fn milliseconds(&self, printed: &str) -> Result<f64, String> {
        let found = self.figures.iter().find_map(|(pattern, unit)| {
            let figure = last(&expression(pattern)?, printed)?;
            Some((figure, unit))
        });
        let (figure, unit) = found.ok_or("printed no figure that is known of it")?;
        let value = figure.parse::<f64>().map_err(|_| {
            format!("printed `{}`, which is no number", crate::render::line::cut(&figure, 40))
        })?;
        Ok(match unit {
            Unit::Seconds => value * 1e3,
            Unit::Milliseconds => value,
            Unit::Microseconds => value / 1e3,
        })
    }
}

fn expression(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).multi_line(true).build().ok()
}

fn last(pattern: &Regex, text: &str) -> Option<String> {
    let found = pattern.captures_iter(text).last()?;
    Some(found.get(1)?.as_str().to_owned())
}

/// Shapes as ncnn writes them, the innermost axis first and without the batch: `[64,64,3],[10]`.
fn shapes(all: &[Vec<u32>]) -> String {
    let shape = |shape: &Vec<u32>| {
        let sizes = shape.iter().skip(1).rev().map(u32::to_string);
        format!("[{}]", sizes.collect::<Vec<_>>().join(","))
    };
    all.iter().map(shape).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each tool printed, in the form that its vendor documents, and the figure in it.
    const RECORDED: [(&str, &str, f64); 6] = [
        ("benchmark_app", include_str!("recorded/benchmark_app.txt"), 4.97),
        ("trtexec", include_str!("recorded/trtexec.txt"), 0.682_983),
        ("benchncnn", include_str!("recorded/benchncnn.txt"), 2.84),
        ("benchmark_model", include_str!("recorded/benchmark_model.txt"), 13.398),
        ("benchmark_model", include_str!("recorded/benchmark_model_older.txt"), 2950.34),
        ("onnxruntime_perf_test", include_str!("recorded/onnxruntime_perf_test.txt"), 10.9862),
    ];

    #[test]
    fn the_figure_of_each_tool_is_found() {
        for (tool, printed, ms) in RECORDED {
            let found = Tool::named(tool).milliseconds(printed).unwrap();
            assert!((found - ms).abs() < 1e-9, "{tool}: {found}");
        }
        assert!(TOOLS.iter().all(|tool| RECORDED.iter().any(|(name, ..)| *name == tool.name)));
    }

    #[test]
    fn what_is_cut_off_or_of_another_tool_has_no_figure() {
        for (tool, printed, _) in RECORDED {
            let tool = Tool::named(tool);
            let others = RECORDED.iter().filter(|(name, ..)| *name != tool.name);
            let texts = others.map(|(_, printed, _)| *printed).chain(["", "Segmentation fault"]);
            for text in texts {
                let why = tool.milliseconds(text).unwrap_err();
                assert_eq!(why, "printed no figure that is known of it", "{}", tool.name);
            }
            let beginning: String =
                printed.lines().take(4).map(|line| format!("{line}\n")).collect();
            assert!(tool.milliseconds(&beginning).is_err(), "{}", tool.name);
        }
        let garbled = include_str!("recorded/benchncnn.txt").replace("2.84", "2,84");
        let why = Tool::named("benchncnn").milliseconds(&garbled).unwrap_err();
        assert_eq!(why, "printed `2,84`, which is no number");
    }

    #[test]
    fn a_tool_is_called_as_its_vendor_documents() {
        let shapes = [vec![1, 3, 32, 64], vec![1, 10]];
        let words = |tool: &str, precision| {
            let call = Call { model: "a b.onnx", shapes: &shapes, threads: 2, precision };
            Tool::named(tool).arguments(call)
        };
        let line = |tool: &str, precision| words(tool, precision).join(" ");
        assert_eq!(
            line("benchmark_app", Precision::Fp32),
            "-m a b.onnx -d CPU -hint none -nstreams 1 -nthreads 2 -api sync -infer_precision f32 -t 1"
        );
        assert!(line("trtexec", Precision::Fp16).ends_with("--noDataTransfers --fp16"));
        assert!(line("trtexec", Precision::Int8).ends_with("--noDataTransfers --int8"));
        assert!(words("trtexec", Precision::Fp32).contains(&"--onnx=a b.onnx".to_owned()));
        assert_eq!(
            line("benchncnn", Precision::Fp32),
            "20 2 2 -1 0 param=a b.onnx shape=[64,32,3],[10]"
        );
        assert!(
            line("benchmark_model", Precision::Fp32)
                .starts_with("--graph=a b.onnx --num_threads=2 ")
        );
        assert_eq!(
            line("onnxruntime_perf_test", Precision::Fp32),
            "-I -e cpu -x 2 -y 1 -m times -r 50 -s a b.onnx"
        );
        // A path is no template.
        let call = Call { model: "{threads}", shapes: &[], threads: 2, precision: Precision::Fp32 };
        assert!(Tool::named("trtexec").arguments(call).contains(&"--onnx={threads}".to_owned()));
    }
}
