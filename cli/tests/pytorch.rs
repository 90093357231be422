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
    // Nor into a folder of something else, nor over the weights that it is made of.
    std::fs::create_dir(bench.path("mine")).unwrap();
    bench.write("mine/model.py", "mine");
    let said = bench.nasc("export tiny.nas --arch first --format pytorch -o mine");
    said.fails(1, &["cannot write a module to mine", "something else is there"]);
    assert_eq!(bench.list("mine"), ["model.py"]);
    let said =
        bench.nasc(&format!("export tiny.nas --arch first {weights} --format pytorch -o net"));
    said.fails(1, &["cannot write net/weights.safetensors", "it is what is read here"]);
}

#[test]
fn options_that_say_nothing_of_a_module_are_refused() {
    let bench = Bench::new();
    for option in ["--batch 2", "--opset 13", "--precision fp16", "--tolerance loose"] {
        let export = "export tiny.nas --arch first --format pytorch -o net";
        let said = bench.nasc(&format!("{export} {option}"));
        said.fails(1, &["says nothing of a module of PyTorch"]);
    }
    let said = bench.nasc("export tiny.nas --arch first -o net.onnx --images 4");
    said.fails(1, &["`nasc int8` writes one of integers"]);
    assert_eq!(bench.list("."), ["tiny.nas"]);
}
