//! What `nasc show` writes of the shipped spaces, in each stage and format.
#![allow(clippy::unwrap_used, reason = "the functions that the tests share are tests too")]

use std::sync::Arc;

use nas_ir::{Checked, Network, Space};
use nas_passes::specialise;
use nasc::commands::show::{Format, network_as, space_as, supernet_as};
use nasc::render::report::Failure;
use nasc::services::input::Input;
use nasc::services::pick;

fn space(file: &str) -> Arc<Checked<Space>> {
    let path = nas_spaces::shipped().join(file);
    Input::with(&path, |program, compiler| pick::space(program, compiler, None)).unwrap()
}

fn mac_small() -> Network {
    let path = nas_spaces::shipped().join("squeezenas_small.nas");
    Input::with(&path, |program, compiler| {
        let named = pick::network(program, compiler, None, "mac_small")?;
        Ok(specialise(&named.space, &named.assignment))
    })
    .unwrap()
}

fn count(text: &str, what: &str) -> usize {
    text.matches(what).count()
}

#[test]
fn the_picture_of_a_space_has_a_box_for_each_choice() {
    let space = space("squeezenas_small.nas");
    let svg = space_as(&space, Format::Svg).unwrap();
    assert_eq!(count(&svg, "<rect class=\"choice\""), 20);
    assert_eq!(count(&svg, "<rect class=\"candidate\""), 20 * 13);
    // Image, stem, 20 choices, 15 sums, conv before the head, five boxes of the head, logits.
    assert_eq!(count(&svg, "<rect class=") - 20 * 13, 44);
    // The chain, a residual for each sum, and in the head two more branches and the tap.
    assert_eq!(count(&svg, "<path class=\"arrow\""), 41 + 15 + 4);
    assert!(svg.contains(">conv 16, 3×3, stride 2 · batch_norm · relu<"), "{svg}");
    assert_eq!(svg, space_as(&space, Format::Svg).unwrap());
}

#[test]
fn the_picture_of_a_network_says_what_was_chosen() {
    let svg = network_as(&mac_small(), "mac_small", Format::Svg).unwrap();
    // Of 20 units, unit.10 is left out: its skip is the residual alone.
    assert_eq!(count(&svg, "<rect class=\"chosen\""), 19);
    assert!(svg.contains(">unit.4/op=k5_e6_g1<"), "{svg}");
    assert!(svg.contains(">conv 96, 5×5, stride 2, groups 96 · batch_norm · relu<"), "{svg}");
    assert!(svg.contains(">3_007_512_576 MACs, 277_598 parameters<"), "{svg}");
}

#[test]
fn a_network_is_a_graphviz_graph() {
    let network = mac_small();
    let dot = network_as(&network, "mac_small", Format::Dot).unwrap();
    assert_eq!(count(&dot, "[label = "), network.nodes.len() + network.outputs.len());
    assert!(dot.contains("n0 -> n1\n"), "{dot}");
    assert!(dot.contains("n1 [label = \"conv 16, 3×3, stride 2\\n[16, 512, 1024]\"]\n"), "{dot}");
}

#[test]
fn a_supernet_is_a_table() {
    let text = supernet_as(&space("squeezenas_small.nas"), Format::Text).unwrap();
    let line = |start: &str| {
        let line = text.lines().find(|line| line.starts_with(start)).unwrap();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(text.starts_with("20 decisions, 260 architecture parameters\n"), "{text}");
    assert_eq!(line("unit.0/op"), ["unit.0/op", "k3_e1_g1", "186_646_528", "752"]);
    assert_eq!(line("total"), ["total", "49_298_079_744", "3_668_366"]);
}

#[test]
fn a_supernet_is_an_object() {
    let text = supernet_as(&space("squeezenas_large.nas"), Format::Json).unwrap();
    let flat = text.replace(char::is_whitespace, "");
    let head = "{\"macs\":139209031680,\"params\":11581606,\"architecture_params\":286,\
                \"fixed\":{\"macs\":493961216,\"params\":44886},\"decisions\":[{\"path\":\"unit.0/op\",\
                \"candidates\":[{\"name\":\"k3_e1_g1\",\"macs\":343932928,\"params\":752},";
    assert!(flat.starts_with(head), "{text}");
}

#[test]
fn a_format_that_a_stage_does_not_have_is_refused() {
    let space = space("landcover_demo.nas");
    let said = |result: Result<String, Failure>| result.unwrap_err().summary();
    assert_eq!(
        said(space_as(&space, Format::Json)),
        "`--stage space` is written as text, dot or svg"
    );
    assert_eq!(
        said(network_as(&mac_small(), "mac_small", Format::Json)),
        "`--stage network` is written as text, dot or svg"
    );
    assert_eq!(
        said(supernet_as(&space, Format::Svg)),
        "`--stage supernet` is written as text or json"
    );
}
