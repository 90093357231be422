//! Networks as modules of PyTorch.

use crate::bench::Bench;

#[test]
fn a_module_has_the_weights_by_their_names_and_they_come_back() {
    let bench = Bench::new();
    bench.nasc("export tiny.nas --arch first --format pytorch -o net").done();
    let files = ["__init__.py", "layers.py", "model.py", "names.json", "weights.safetensors"];
    assert_eq!(bench.list("net"), files);
    let text = String::from_utf8(bench.read("net/model.py")).unwrap();
    for words in ["class ConvBnRelu(nn.Module):", "class Tiny(nn.Module):", "unit.1/op = large"] {
        assert!(text.contains(words), "{words} in {text}");
    }
    let weights = "--weights net/weights.safetensors";
    bench.nasc(&format!("export tiny.nas --arch first {weights} -o net.onnx")).done();
    bench.nasc("verify net.onnx").done();
    // Written over an earlier module, and not over a file.
    bench.nasc("export tiny.nas --arch first --format pytorch -o net").done();
    let said = bench.nasc("export tiny.nas --arch first --format pytorch -o tiny.nas");
    said.fails(1, &["cannot write tiny.nas", "it is what is read here"]);
}
