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

/// An engine for which every value is the input.
#[cfg(unix)]
const COPIES: &str = "for i in 0 1 2 3 4; do cp $1/input_0.npy $2/output_$i.npy; done";

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
