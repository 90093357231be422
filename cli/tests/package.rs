//! Networks as ONNX files: export and verify.

use std::path::Path;

use nas_ir::Weights;
use nasc::services::pick::named_network;
use nasc::services::weights_file;

use crate::bench::{Bench, TINY, tiny_for_target};

/// What an export of `net.onnx` leaves.
const FILES: [&str; 3] = ["net.check.safetensors", "net.onnx", "net.verify.json"];

/// The weights of `first`, before anything is calibrated.
fn weights(space: &Path) -> Weights {
    let (_, network) = named_network(space.into(), None, "first").unwrap();
    weights_file::initial(network, 0).weights
}

/// The same as a file.
fn weights_of(bench: &Bench) -> Vec<u8> {
    nas_safetensors::to_bytes(&weights(&bench.path("tiny.nas")), None).unwrap()
}

/// Where the first weight of the last convolution stands in an export with [`weights`].
fn weight_in(onnx: &[u8], space: &Path) -> usize {
    let weights = weights(space);
    let floats = weights["conv.0.weight"].floats().unwrap();
    let bytes: Vec<u8> = floats.iter().flat_map(|w| w.to_le_bytes()).collect();
    onnx.windows(bytes.len()).position(|window| window == bytes).unwrap()
}

#[test]
fn a_changed_weight_is_found_out() {
    let bench = Bench::new();
    bench.write("given.safetensors", weights_of(&bench));
    let said = bench.nasc("export tiny.nas --arch first -o net.onnx");
    assert!(said.err.contains("fresh ones of seed 0") && said.err.contains("passed: tract"));
    let said = bench.nasc("export tiny.nas --arch first --weights given.safetensors -o net.onnx");
    assert!(!said.err.contains("fresh") && said.err.contains("passed: tract"));
    assert_eq!(said.done(), "net.onnx\nnet.verify.json\nnet.check.safetensors\n");
    assert!(bench.nasc("verify net.onnx").done().starts_with("net.onnx: passed: "));

    let mut onnx = bench.read("net.onnx");
    let weight = weight_in(&onnx, &bench.path("tiny.nas"));
    // A bit of the exponent: four times as large, or as small.
    onnx[weight + 3] ^= 1;
    bench.write("net.onnx", onnx);
    let said = bench.nasc("verify net.onnx");
    assert_eq!(said.code, Some(1));
    assert!(said.out.starts_with("net.onnx: FAILED: ") && said.out.contains("`logits`"));
    assert_eq!(said.err, "error: not verified: net.onnx\n");
    let said = bench.nasc("verify net.onnx absent.onnx --json");
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &report[0]["passed"]), (Some(1), &false.into()));
    let absent = serde_json::json!({
        "file": "absent.onnx", "passed": false, "error": "absent.onnx: there is no such file"
    });
    assert_eq!(report[1], absent);
}

/// A network of more than four billion multiply-accumulates. Nearest pixels of a mean have factors, which differ by its size.
fn much() -> String {
    let large = TINY.replace("size = 32", "size = 512").replace("unit(8)", "unit(96)");
    let text = large.replace("output logits = image", "let y = image").replace(
        "        -> conv(classes",
        "    let mean = y -> global_avg_pool -> resize(size = (y.height, y.width), mode = \"nearest\")
    output logits = (y + mean)\n        -> conv(classes",
    );
    assert!(text.contains("let y") && text.contains("let mean"));
    text
}

#[test]
fn a_network_that_is_much_to_compute_is_verified_on_smaller_pictures() {
    let bench = Bench::new();
    bench.write("much.nas", much());
    let said = bench.nasc("export much.nas --arch first -o net.onnx");
    assert!(said.err.contains("for which the file differs in sizes alone"), "{}", said.err);
    said.done();
    let at = || -> serde_json::Value {
        serde_json::from_slice::<serde_json::Value>(&bench.read("net.verify.json")).unwrap()["at"]
            .clone()
    };
    let side = at()[0].as_u64().unwrap();
    assert!((16..256).contains(&side) && at()[1] == side, "{}", at());
    assert!(bench.read("net.check.safetensors").len() < 2_000_000);
    // The file is that for its own size, and runs with the recorded one.
    let text = nas_onnx::dump(&bench.read("net.onnx")).unwrap();
    assert!(text.contains("image: f32[1, 3, 512, 512]"), "{text:.300}");
    let told = bench.nasc("verify net.onnx").done();
    assert!(told.contains(&format!("of {side} x {side}, for which")), "{told}");
    bench.nasc("export much.nas --arch first --seed 1 -o other.onnx").done();
    let said = bench.nasc("verify other.onnx --check net.check.safetensors");
    assert!(said.code == Some(1) && said.out.contains("FAILED"), "{}", said.out);

    let said = bench.nasc("export much.nas --arch first --full -o net.onnx");
    assert!(!said.err.contains("differs in sizes alone"), "{}", said.err);
    said.done();
    assert!(at().is_null() && bench.read("net.check.safetensors").len() > 3_000_000);
    bench.nasc("verify net.onnx").done();
}

#[test]
fn equal_inputs_give_equal_files() {
    let [one, two] = [Bench::new(), Bench::new()];
    for bench in [&one, &two] {
        bench.nasc("export tiny.nas --arch random:3 --seed 4 -o net.onnx").done();
        assert_eq!(bench.list(".")[..3], FILES);
    }
    assert!(FILES.iter().all(|name| one.read(name) == two.read(name)));
    two.nasc("export tiny.nas --arch random:3 --seed 5 -o net.onnx").done();
    assert_ne!(one.read("net.onnx"), two.read("net.onnx"));
}

#[test]
fn a_sample_is_exported() {
    let bench = Bench::new();
    bench.write("drawn.json", bench.nasc("sample tiny.nas --seed 1").done());
    bench.nasc("export tiny.nas --arch drawn.json -o net.onnx").done();
    bench.nasc("verify net.onnx").done();
}

// Without libtorch, tract is compared with itself and any tolerance is met.
#[cfg(feature = "torch")]
#[test]
fn a_tolerance_that_is_not_met_leaves_no_file() {
    let bench = Bench::new();
    bench.nasc("export tiny.nas --arch first -o net.onnx").done();
    let exact = bench.nasc("export tiny.nas --arch first -o net.onnx --tolerance exact");
    exact.fails(1, &["nas::verify::differs", "net.onnx was not written", "--tolerance loose"]);
    assert_eq!(bench.list("."), ["tiny.nas"]);
}

#[test]
fn the_target_says_in_which_operator_set() {
    let bench = Bench::new();
    bench.write("board.nas", tiny_for_target("space tiny(classes = 2, size = 32)"));
    let warning = "warning: the file is in ONNX operator set 14, as `--opset` says; the target of \
                   the space reads 19";
    for (args, opset, is_warned) in [
        ("tiny.nas", 17, false),
        ("tiny.nas --opset 14", 14, false),
        ("board.nas", 19, false),
        ("board.nas --opset 19", 19, false),
        ("board.nas --opset 14", 14, true),
    ] {
        let said = bench.nasc(&format!("export {args} --arch first -o net.onnx"));
        assert_eq!(said.err.contains(warning), is_warned, "{args}: {}", said.err);
        said.done();
        assert_eq!(bench.opset("net.onnx"), opset, "{args}");
    }
}

#[test]
fn an_export_with_no_place_is_refused_before_it_begins() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("folder.onnx")).unwrap();
    let export = |rest: &str| bench.nasc(&format!("export tiny.nas --arch first {rest}"));
    export("-o folder.onnx").fails(1, &["it is a folder"]);
    export("-o ./tiny.nas").fails(1, &["it is what is read here"]);
    bench.write("part.nas", "block part(x) {\n    x -> relu\n}\n");
    let whole = TINY
        .replacen("use std", "use part.part\nuse std", 1)
        .replace("-> unit(8)\n        -> conv(", "-> unit(8)\n        -> part\n        -> conv(");
    bench.write("whole.nas", whole);
    bench
        .nasc("export whole.nas --arch first -o part.nas")
        .fails(1, &["cannot write part.nas: it is what is read here"]);
    for file in ["part.nas", "whole.nas"] {
        std::fs::remove_file(bench.path(file)).unwrap();
    }
    export("-o net.onnx --weights nope.safetensors").fails(1, &["nas::weights::unreadable"]);
    bench.write("bytes.safetensors", b"\x00\x01\x02");
    export("-o net.onnx --weights bytes.safetensors").fails(1, &["nas::weights::format"]);
    bench.write("a.check.safetensors", b"weights");
    export("-o a.onnx --weights a.check.safetensors")
        .fails(1, &["cannot write a.check.safetensors: it is what is read here"]);
    export("-o net.onnx --opset 3").fails(1, &["nas::onnx::opset", "from 11 to 21"]);
    assert_eq!(
        bench.list("."),
        ["a.check.safetensors", "bytes.safetensors", "folder.onnx", "tiny.nas"]
    );
}

#[test]
fn an_export_makes_its_folder_and_each_has_a_record_of_its_own() {
    let bench = Bench::new();
    for name in ["net.v1", "net.v2", "net.onnx"] {
        bench.nasc(&format!("export tiny.nas --arch first -o made/here/{name}")).done();
    }
    let of = |name: &str| ["check.safetensors", "verify.json"].map(|kind| format!("{name}.{kind}"));
    let mut expected: Vec<String> = ["net", "net.v1", "net.v2"].into_iter().flat_map(of).collect();
    expected.extend(["net.onnx", "net.v1", "net.v2"].map(str::to_owned));
    expected.sort();
    assert_eq!(bench.list("made/here"), expected);
}

/// A model that pads an image to one of 2^`power` rows and columns, as ONNX.
fn padding(power: u32) -> Vec<u8> {
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()][..], bytes].concat()
    }
    let number = |field: u8, value: u8| vec![field << 3, value];
    let sizes = |sizes: &[u8]| -> Vec<u8> {
        sizes.iter().flat_map(|&size| field(1, &number(1, size))).collect()
    };
    let port = |name: &str, shape: Vec<u8>| {
        let tensor = field(1, &[number(1, 1), shape].concat());
        [field(1, name.as_bytes()), field(2, &tensor)].concat()
    };
    let pads = [0, 0, 0, 0, 0, 0, 1_i64 << power, 1 << power].map(i64::to_le_bytes).concat();
    let node = [field(1, b"image"), field(1, b"p"), field(2, b"logits"), field(4, b"Pad")].concat();
    let constant = [number(1, 8), number(2, 7), field(8, b"p"), field(9, &pads)].concat();
    let graph = [
        field(1, &node),
        field(2, b"g"),
        field(5, &constant),
        field(11, &port("image", field(2, &sizes(&[1, 3, 32, 32])))),
        field(12, &port("logits", Vec::new())),
    ];
    // Its graph is longer than a byte can tell.
    let graph = graph.concat();
    let length = [graph.len() as u8 | 0x80, (graph.len() >> 7) as u8];
    let opset = field(8, &[field(1, b""), number(2, 17)].concat());
    [number(1, 8), vec![7 << 3 | 2], length.to_vec(), graph, opset].concat()
}

#[test]
fn a_file_that_ends_the_engine_does_not_end_the_verification() {
    let bench = Bench::new();
    bench.nasc("export tiny.nas --arch first -o net.onnx").done();
    bench.write("bomb.onnx", padding(20));
    let verify = "verify net.onnx bomb.onnx net.onnx --check net.check.safetensors";
    let said = bench.nasc(verify);
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert_eq!(said.out.matches("net.onnx: passed: ").count(), 2, "{}", said.out);
    for told in ["bomb.onnx:\nnas::verify::aborted", "ended early", "memory allocation of"] {
        assert!(said.err.contains(told), "{told}:\n{}", said.err);
    }
    assert!(said.err.ends_with("error: not verified: bomb.onnx\n"), "{}", said.err);
    let said = bench.nasc(&format!("{verify} --json"));
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let passed = [0, 1, 2].map(|file| report[file]["passed"].as_bool());
    assert_eq!(passed, [Some(true), Some(false), Some(true)]);
    assert!(report[1]["error"].as_str().unwrap().contains("does not survive `bomb.onnx`"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_takes_no_more_memory_than_it_may() {
    let bench = Bench::new();
    bench.nasc("export tiny.nas --arch first -o net.onnx").done();
    // Three gigabytes.
    bench.write("large.onnx", padding(14));
    let one = "verify-one large.onnx --check net.check.safetensors --memory 2500000000";
    let mut command = bench.command(one);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let _alive = child.stdin.take();
    assert!(!child.wait().unwrap().success());
}

#[test]
fn every_file_is_verified_also_after_one_that_cannot_be() {
    let bench = Bench::new();
    bench.nasc("export tiny.nas --arch first -o net.onnx").done();
    bench.write("lone.onnx", bench.read("net.onnx"));
    let said = bench.nasc("verify nope.onnx lone.onnx net.onnx");
    assert_eq!(said.code, Some(1));
    assert!(said.out.starts_with("net.onnx: passed: "), "{}", said.out);
    assert!(said.err.contains("nope.onnx: there is no such file"), "{}", said.err);
    assert!(said.err.contains("there is no record lone.check.safetensors"), "{}", said.err);
    assert!(said.err.ends_with("not verified: nope.onnx, lone.onnx\n"), "{}", said.err);
    bench.nasc("verify lone.onnx --check net.check.safetensors").done();
}

/// A deep network whose fresh logits were 1.5e7, and which no engine computed as another.
#[cfg(feature = "torch")]
#[test]
fn fresh_weights_of_a_deep_network_are_of_order_1() {
    let bench = Bench::new();
    bench.write("ghostnet.nas", include_str!("ghostnet.nas"));
    bench.nasc("export ghostnet.nas --arch x10 -o net.onnx").done();
    let report: serde_json::Value = serde_json::from_slice(&bench.read("net.verify.json")).unwrap();
    let worst = &report["worst"];
    let largest = worst["max_abs"].as_f64().unwrap() / worst["max_rel"].as_f64().unwrap();
    assert!((0.5..50.0).contains(&largest), "{largest}");
    assert!(report["moved"].as_f64().unwrap() > 0.05, "{report}");
}

/// What stands in the text of `net.onnx` and in its record, for options of its form.
#[test]
fn a_file_has_the_form_that_is_asked_for() {
    let bench = Bench::new();
    let export = |options: &str| {
        bench.nasc(&format!("export tiny.nas --arch first -o net.onnx {options}")).done();
        bench.nasc("verify net.onnx").done();
        nas_onnx::dump(&bench.read("net.onnx")).unwrap()
    };
    let has = |text: &str, words: &[&str]| {
        for words in words {
            assert!(text.contains(words), "{words} in {text}");
        }
    };
    has(
        &export("--batch 3"),
        &["input image: f32[3, 3, 32, 32]", "output logits: f32[3, 2, 32, 32]"],
    );
    let open = export("--batch dynamic --size dynamic --opset 11 --rename image=data");
    has(&open, &["opset [11]", "input data: f32[batch, 3, height, width]"]);
    let swapped = export("--rename image=logits --rename logits=image");
    has(&swapped, &["input logits: f32[1, 3, 32, 32]", "output image: f32[1, 2, 32, 32]"]);
    has(&export("--precision fp16"), &["float16", "input image: f32[", "output logits: f32["]);
    let bytes =
        export("--input-type uint8 --normalise=0.5,0.5,0.5/0.2,0.3,0.4 --channel-order bgr");
    has(&bytes, &["input image: uint8[1, 3, 32, 32]", ": Sub("]);
    has(&export("--answer argmax"), &["output logits: i64[1, 32, 32]"]);
    has(&export("--answer logits=top2"), &["output logits: f32[", "output logits_indices: i64["]);
    has(&export("--answer softmax --opset 12"), &[": Softmax(", "logits:channels_last"]);
}

#[test]
fn a_form_that_cannot_be_is_refused() {
    let bench = Bench::new();
    let pool = "-> conv(classes, kernel = 1, bias = true)\n        -> resize(scale = 2)";
    let flat = crate::bench::TINY.replace(pool, "-> flatten -> linear(classes)");
    let flat = flat.replace("segmentation(classes, ignore = 255)", "classification(classes)");
    bench.write("flat.nas", flat);
    let export = |rest: &str| bench.nasc(&format!("export {rest} --arch first -o net.onnx"));
    let said = export("flat.nas --size dynamic");
    said.fails(1, &["nas::onnx::one_size", "flat.nas:", "-> flatten", "vector of all pixels"]);
    export("tiny.nas --answer top3").fails(1, &["3 largest of `logits`", "2 channels"]);
    export("tiny.nas --answer scores=argmax").fails(1, &["no output `scores`", "`logits`"]);
    export("tiny.nas --rename picture=x").fails(1, &["no input or output `picture`"]);
    export("tiny.nas --rename image=logits").fails(1, &["nas::onnx::duplicate_name"]);
    export("tiny.nas --rename image=conv.0").fails(1, &["nas::onnx::duplicate_name", "`conv.0`"]);
    export("tiny.nas --batch 4294967295").fails(1, &["268435456 are the most"]);
    bench.write("given.safetensors", weights_of(&bench));
    let json =
        r#"{"input":"image","order":"RGB","height":32,"width":32,"mean":[0,0,0],"std":[1,1,1]}"#;
    bench.write("input.json", json);
    export("tiny.nas --weights given.safetensors --input-type uint8")
        .fails(1, &["bytes are not normalised", "`--normalise`"]);
    export("tiny.nas --normalise").fails(1, &["no `input.json` lies beside the weights"]);
    export("tiny.nas --normalise=0.5/0.2").fails(1, &["3 channels, and the means are 1"]);
    export("tiny.nas --normalise=0.5/0").fails(2, &["deviations above 0"]);
    export("tiny.nas --batch 0").fails(2, &["a number from 1 on, or `dynamic`"]);
    let given = ["flat.nas", "given.safetensors", "input.json", "tiny.nas"];
    assert_eq!(bench.list("."), given);
}
