//! ONNX files made by others, in `nasc cost` and `nasc verify`.

use std::fs;
use std::path::Path;

use crate::bench::Bench;

/// A file of the models that PyTorch and the helpers of ONNX wrote.
fn model(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("backends/onnx-read/tests/data");
    fs::read(folder.join(name)).unwrap()
}

fn bench(names: &[&str]) -> Bench {
    let bench = Bench::new();
    for name in names {
        bench.write(name, model(name));
    }
    bench
}

#[test]
fn a_model_of_others_is_costed() {
    let bench = bench(&["shapes.onnx", "attention.onnx", "odd.onnx"]);
    let cost = |args: &str| bench.nasc(&format!("cost {args}"));
    let costs = cost("shapes.onnx --input image=1x3x32x32 --json --layers").json();
    // conv 8 x 3 x 3 x 3 at 16 x 16, grouped 8 x 2 x 3 x 3 there, transposed 8 x 4 x 2 x 2 of 16 x 16, linear 4 x 5.
    let macs = (8 * 27 + 8 * 18 + 8 * 16) * 256 + 20;
    assert_eq!((costs["macs"].as_u64(), costs["params"].as_u64()), (Some(macs), Some(549)));
    assert_eq!(costs["weight_bytes"].as_u64(), Some(549 * 4));
    assert_eq!(costs["depth"].as_u64(), Some(3));
    assert_eq!(costs["outputs"][0]["shape"], serde_json::json!([1, 5]));
    let layers = costs["layers"].as_array().unwrap();
    let sum = |key: &str| layers.iter().map(|layer| layer[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("macs"), sum("params")), (macs, 549));
    let table = cost("shapes.onnx --input image=1x3x32x32 --layers").done();
    assert!(table.contains("ConvTranspose") && table.contains("[1, 4, 32, 32]"), "{table}");
    // The batch is one image where nothing says otherwise.
    let table = cost("attention.onnx").done();
    assert!(table.contains("macs") && table.contains("672"), "{table}");

    cost("shapes.onnx").fails(
        1,
        &[
            "nas::model::open_size",
            "image: float32[batch, 3, height, width]",
            "--input image=1x3xNxN",
        ],
    );
    cost("shapes.onnx --input picture=1x3x8x8").fails(1, &["nas::model::input", "no such input"]);
    cost("shapes.onnx --input image=1x4x8x8").fails(1, &["the file says 3 where 4 is given"]);
    cost("shapes.onnx --input image=1x3x8").fails(1, &["it has 4 axes, and 3 sizes"]);
    cost("shapes.onnx --input image").fails(2, &["image=1x3x224x224"]);
    cost("shapes.onnx --arch first").fails(1, &["one network: leave out `--arch`"]);
    cost("tiny.nas").fails(1, &["say which network it is by `--arch`"]);
    cost("tiny.nas --arch first --input image=1").fails(1, &["gives sizes of an ONNX file"]);
    let said = cost("odd.onnx");
    said.fails(1, &["nas::model::unsupported", "`com.example.Crumple`", "`second` (Crumple)"]);
    bench.write("text.onnx", "no model");
    cost("text.onnx").fails(1, &["nas::model::damaged"]);
    cost("absent.onnx").fails(1, &["absent.onnx: there is no such file"]);
}

#[test]
fn an_exported_network_costs_what_it_does_in_the_space() {
    let bench = Bench::new();
    bench.nasc("export tiny.nas --arch first -o net.onnx").done();
    let ours = bench.nasc("cost tiny.nas --arch first --json").json();
    let theirs = bench.nasc("cost net.onnx --json").json();
    for measure in ["macs", "peak_memory", "depth"] {
        assert_eq!(ours[measure], theirs[measure], "{measure}");
    }
    // Each batch norm is folded: its scale is part of a kernel, its shift a bias.
    let [before, after] = [&ours, &theirs].map(|costs| costs["params"].as_u64().unwrap());
    assert_eq!(before - after, 3 * 8);
}

#[test]
fn a_model_of_others_is_run() {
    let bench = bench(&["shapes.onnx", "chain.onnx", "attention.onnx"]);
    // An open batch is tried with three images, too.
    let said = bench.nasc("verify attention.onnx");
    assert!(said.out.contains("runs: tract") && said.out.contains("[3, 6, 8]"), "{}", said.out);
    assert!(said.out.contains("words: int64[batch, 6]"), "{}", said.out);
    said.done();
    let said = bench.nasc("verify shapes.onnx --input image=2x3x64x96 --json");
    let report = said.json();
    assert_eq!(report[0]["cases"][0]["outputs"][0]["dims"], serde_json::json!([2, 5]));
    bench.nasc("verify shapes.onnx").fails(1, &["nas::model::open_size"]);
    let said = bench.nasc("verify chain.onnx");
    assert!(
        said.out.contains("`third` (Neg) is nothing that a network of nasc has"),
        "{}",
        said.out
    );
}

#[test]
fn data_in_other_files_are_read() {
    let bench = bench(&["outside.onnx", "outside.data", "shapes.onnx"]);
    let input = "--input image=1x3x32x32";
    let [inside, outside] = ["shapes.onnx", "outside.onnx"]
        .map(|file| bench.nasc(&format!("cost {file} {input} --json")).json());
    assert_eq!(inside, outside);
    bench.nasc(&format!("verify outside.onnx {input}")).done();
    let data = bench.read("outside.data");
    bench.write("outside.data", &data[..data.len() - 1]);
    let said = bench.nasc(&format!("verify outside.onnx {input}"));
    assert!(
        said.err.contains("nas::model::outside") && said.err.contains("are asked for"),
        "{}",
        said.err
    );
    fs::remove_file(bench.path("outside.data")).unwrap();
    bench.nasc(&format!("cost outside.onnx {input}")).fails(1, &["there is no such file"]);
}

#[test]
fn a_model_of_others_is_timed() {
    let bench = bench(&["attention.onnx", "shapes.onnx"]);
    let report = bench.nasc("latency model attention.onnx --repeats 5 --json").json();
    let samples = report["samples_ms"].as_array().unwrap();
    assert_eq!((samples.len(), report["engine"].as_str()), (5, Some("tract")));
    assert!(samples.iter().all(|ms| ms.as_f64().unwrap() > 0.0), "{report}");
    let said = bench.nasc("latency model shapes.onnx --input image=1x3x32x32 --repeats 3");
    assert!(said.out.contains("in the median") && said.out.contains("3 runs"), "{}", said.out);
    bench.nasc("latency model shapes.onnx").fails(1, &["nas::model::open_size"]);
}

#[cfg(feature = "torch")]
#[test]
fn a_model_of_others_becomes_one_of_integers() {
    let bench = bench(&["shapes.onnx"]);
    nas_testing::pictures::edges(&bench.path("data"), [("train", 12), ("val", 2), ("test", 2)]);
    // A file of ours stands for one that others made: its operators are ours, and nothing of its space is read.
    bench.nasc("export tiny.nas --arch first -o net.onnx").done();
    let images = "--data data/train/images -o int8.onnx";
    let said = bench
        .nasc(&format!("int8 net.onnx {images} --expects 0.5,0.5,0.5/0.2,0.2,0.2 --sensitivity"));
    assert!(said.err.contains("`logits`: ") && said.err.contains("passed: tract"), "{}", said.err);
    assert!(said.err.contains("data/train/images: 12 pictures"), "{}", said.err);
    said.done();
    bench.nasc("verify int8.onnx").done();
    let text = nas_onnx::dump(&bench.read("int8.onnx")).unwrap();
    assert!(
        text.contains("QuantizeLinear") && text.contains("metadata nasc.model = net.onnx"),
        "{text}"
    );
    let report: serde_json::Value =
        serde_json::from_slice(&bench.read("int8.integers.json")).unwrap();
    assert!(report["outputs"]["logits"].as_f64().unwrap() > 15.0, "{report}");
    assert_eq!(report["layers"].as_array().unwrap().len(), 4, "{report}");

    bench.nasc("int8 net.onnx -o x.onnx").fails(1, &["name a folder of pictures"]);
    bench
        .nasc(&format!("int8 net.onnx {images} --arch first"))
        .fails(1, &["`--arch` is for networks of a space"]);
    let said = bench.nasc(&format!("int8 shapes.onnx {images} --input image=1x3x32x32"));
    said.fails(1, &["nas::model::not_ours", "`/Add`", "`add` does not take"]);
    bench.nasc("int8 tiny.nas -o x.onnx").fails(1, &["by `--arch`"]);
}

/// An engine for which every value is the input: of the file as it is one output, of one that has more of them three.
#[cfg(unix)]
const COPIES: &str = "
cp $1/input_0.npy $2/output_0.npy
if [ $(wc -c < $3) -gt $(wc -c < chain.onnx) ]; then
    cp $1/input_0.npy $2/output_1.npy
    cp $1/input_0.npy $2/output_2.npy
fi
";

#[cfg(unix)]
#[test]
fn the_first_node_that_differs_is_named() {
    let bench = bench(&["chain.onnx"]);
    bench.write("copies.sh", COPIES);
    let mut command = bench.command("verify chain.onnx --json --runner");
    command.arg("sh copies.sh {inputs} {outputs} {model}");
    let said = crate::bench::Said::of("verify", command.output().unwrap());
    assert_eq!(said.code, Some(1), "{}{}", said.out, said.err);
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(report[0]["diverging"]["node"], "`second` (Relu)", "{report}");
    assert_eq!(report[0]["diverging"]["value"], "bent");
}

#[test]
fn a_file_that_is_another_than_recorded_is_told_from_an_engine_that_errs() {
    let bench = Bench::new();
    bench.nasc("export tiny.nas --arch first -o one.onnx --seed 1").done();
    bench.nasc("export tiny.nas --arch first -o two.onnx --seed 2").done();
    let said = bench.nasc("verify one.onnx --check two.check.safetensors");
    assert_eq!(said.code, Some(1));
    let told = "no node differs between the definitions of its operators and tract";
    assert!(said.out.contains(told), "{}", said.out);
}
