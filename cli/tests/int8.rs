//! Networks of integers: `nasc int8`, from training to a file that is verified.

use nas_testing::pictures;
use serde_json::Value;

use crate::bench::Bench;

/// A search of some seconds, and its network.
const FOUND: &str = "--arch run/assignment.json --weights run/weights.safetensors";

#[test]
fn a_trained_network_computes_with_integers_as_well_as_with_floats() {
    let bench = Bench::new();
    pictures::edges(&bench.path("data"), [("train", 16), ("val", 8), ("test", 4)]);
    bench.nasc("search tiny.nas --out run").done();
    let report = |name: &str| -> Value {
        serde_json::from_slice(&bench.read(&format!("{name}.integers.json"))).unwrap()
    };
    let said = bench.nasc(&format!("int8 tiny.nas {FOUND} -o net.onnx --sensitivity"));
    assert!(
        said.err.contains("passed: tract") && said.err.contains("with integers"),
        "{}",
        said.err
    );
    said.done();
    bench.nasc("verify net.onnx").done();
    let plain = report("net");
    let [fp32, int8] = ["fp32", "int8"].map(|key| plain[key].as_f64().unwrap());
    assert!((fp32 - int8).abs() < 0.05, "{plain}");
    // The convolutions of the stem, the two units and the head.
    assert_eq!(plain["layers"].as_array().unwrap().len(), 4);
    let text = nas_onnx::dump(&bench.read("net.onnx")).unwrap();
    assert_eq!(
        text.lines().filter(|line| line.contains(": int8[") && line.contains("constant")).count(),
        4 + 4 + 6
    );

    // In another form it scores the same: the images are turned into what the file takes.
    let form = "--input-type uint8 --normalise --channel-order bgr --batch dynamic --answer argmax";
    bench.nasc(&format!("int8 tiny.nas {FOUND} -o form.onnx {form}")).done();
    bench.nasc("verify form.onnx").done();
    let formed = report("form")["int8"].as_f64().unwrap();
    assert!((formed - int8).abs() < 0.05, "{formed} and {int8}");

    // Coarse steps lose more than is allowed, and floats give it back.
    let coarse = "--powers-of-two --symmetric --method min-max --keep-biases";
    bench.nasc(&format!("int8 tiny.nas {FOUND} -o coarse.onnx {coarse} --within 0")).done();
    let coarse = report("coarse");
    assert!(
        coarse["int8"].as_f64().unwrap() >= fp32 || coarse["floats"].as_array().unwrap().len() == 4
    );

    let said = bench.nasc(&format!("int8 tiny.nas {FOUND} -o old.onnx --opset 11"));
    said.fails(1, &["nas::onnx::integers", "13 or a later one"]);
}
