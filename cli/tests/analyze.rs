//! `nasc analyze`: the front of two measures, and the pictures.

use serde_json::json;

use crate::bench::{Bench, TINY};

/// Three layers; the candidate that computes less in each has more weights.
const TRADE: &str = r#"//! Half the size and a larger kernel, or neither.
block layer(x, out) {
    x -> choose op {
        fine: conv(out, kernel = 3)
        coarse: max_pool(2, stride = 2) -> conv(out, kernel = 5) -> resize(scale = 2)
    }
}

space trade {
    input x: [3, 16, 16]
    output y = x -> layer(4) -> layer(6) -> layer(9)
    require macs <= 200K and params <= 2K
}

arch all_fine of trade {
    op = [fine, fine, fine]
}
"#;

/// The costs of all eight networks.
fn costs(bench: &Bench) -> Vec<(u64, u64)> {
    let name = |is_coarse| if is_coarse { "coarse" } else { "fine" };
    let cost = |index: usize| {
        let op = |layer: usize| name(index >> layer & 1 == 1);
        let choices = json!({"layer.0/op": op(0), "layer.1/op": op(1), "layer.2/op": op(2)});
        bench.write("one.json", choices.to_string());
        let cost = bench.nasc("cost trade.nas --arch one.json --json").json();
        (cost["macs"].as_u64().unwrap(), cost["params"].as_u64().unwrap())
    };
    (0..8).map(cost).collect()
}

#[test]
fn the_front_is_that_of_the_networks_that_keep_the_requirements() {
    let bench = Bench::new();
    bench.write("trade.nas", TRADE);
    let mut all = costs(&bench);
    all.retain(|(macs, params)| *macs <= 200_000 && *params <= 2_000);
    assert!(all.len() < 8, "{all:?}");
    let is_best = |(macs, params): &(u64, u64)| {
        !all.iter()
            .any(|other| other != &(*macs, *params) && other.0 <= *macs && other.1 <= *params)
    };
    let mut best: Vec<(u64, u64)> = all.iter().copied().filter(is_best).collect();
    best.sort_unstable();
    assert!(best.len() > 1, "{best:?}");
    let said = bench.nasc("analyze trade.nas --json --front macs,params").json();
    assert_eq!(said["front"], json!(best));
    let mut without = bench.nasc("analyze trade.nas --json").json();
    without["front"] = json!(best);
    assert_eq!(said, without);
    let text = bench.nasc("analyze trade.nas --front params,macs").done();
    assert!(text.contains(&format!("front, {} points\nparams  macs\n", best.len())), "{text}");
}

#[test]
fn a_front_is_of_two_measures_that_are_known() {
    let bench = Bench::new();
    let front = |pair| bench.nasc(&format!("analyze tiny.nas --front {pair}"));
    front("macs").fails(2, &["such as macs,params"]);
    front("macs,macs").fails(2, &["such as macs,params"]);
    front("macs,parms").fails(2, &["`parms` is none of macs, params", "did you mean `params`?"]);
    let text = front("macs,depth").done();
    assert!(text.contains("Pareto front, "), "{text}");
    front("macs,latency").fails(1, &["tiny.nas: space `tiny` has no latency table"]);
}

/// The texts of a picture, which must be XML.
fn texts(svg: &[u8]) -> Vec<String> {
    let svg = std::str::from_utf8(svg).unwrap();
    let document = roxmltree::Document::parse(svg).unwrap();
    assert_eq!(document.root_element().tag_name().name(), "svg");
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.filter_map(|text| text.text()).map(str::to_owned).collect()
}

#[test]
fn pictures_name_networks_and_requirements() {
    let bench = Bench::new();
    bench.write("trade.nas", TRADE);
    let said = bench.nasc("analyze trade.nas --svg pictures").done();
    let names = ["distribution.svg", "front_macs_params.svg", "layers.svg"];
    assert!(said.ends_with(&format!("\npictures: {}\n", names.join(", "))), "{said}");
    assert_eq!(bench.list("pictures"), names);
    bench.nasc("analyze trade.nas --svg again --json").done();
    let [distribution, front, layers] = names.map(|name| {
        let svg = bench.read(&format!("pictures/{name}"));
        assert_eq!(svg, bench.read(&format!("again/{name}")), "{name}");
        texts(&svg)
    });
    let has = |texts: &[String], text: &str| texts.iter().any(|other| other.contains(text));
    for text in ["all_fine", "macs <= 200K leaves", "params <= 2K leaves"] {
        assert!(has(&distribution, text), "{text} in {distribution:?}");
    }
    for text in ["all_fine", "least params", "most macs", "params <= 2K"] {
        assert!(has(&front, text), "{text} in {front:?}");
    }
    for text in ["layer.0", "layer.1", "layer.2"] {
        assert!(has(&layers, text), "{text} in {layers:?}");
    }
}

#[test]
fn a_front_that_is_asked_for_is_the_one_that_is_drawn() {
    let bench = Bench::new();
    bench.nasc("analyze tiny.nas --svg . --front params,weight_bytes").done();
    assert!(bench.list(".").contains(&"front_params_weight_bytes.svg".to_owned()));
    assert!(!bench.list(".").contains(&"front_macs_params.svg".to_owned()));
}

#[test]
fn networks_of_other_arguments_are_told_and_not_drawn() {
    let bench = Bench::new();
    bench.write(
        "tiny.nas",
        format!("{TINY}\narch big of tiny(size = 64) {{\n    op = [small, large]\n}}\n"),
    );
    bench.nasc("analyze tiny.nas --svg .").done();
    let texts = texts(&bench.read("distribution.svg"));
    assert!(texts.iter().any(|text| text == "first"), "{texts:?}");
    assert!(texts.iter().any(|text| text.ends_with("with other arguments, so not here: big")));
}

#[test]
fn the_layers_of_a_tiny_space() {
    let bench = Bench::new();
    bench.nasc("analyze tiny.nas --svg .").done();
    insta::assert_snapshot!(String::from_utf8(bench.read("layers.svg")).unwrap());
}

#[test]
fn one_network_is_one() {
    let bench = Bench::new();
    bench.write("one.nas", "space one { input x: [1, 2, 2] output y = x -> relu }");
    let said = bench.nasc("analyze one.nas").done();
    assert!(said.starts_with("1 network, 0 decisions\n"), "{said}");
    let svg = bench.nasc("show one.nas --format svg").done();
    assert!(svg.contains("0 decisions, 0 candidates"), "{svg}");
}
