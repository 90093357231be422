//! Spaces of vectors, sequences, maps and volumes: rules that do not count axes, from the text form
//! to costs.
#![allow(clippy::unwrap_used, clippy::panic, reason = "functions that only tests use")]

use nas_analysis::{Supernet, costs, depth_range, memory_range, range};
use nas_diagnostics::Problems;
use nas_ir::measure::Bounds;
use nas_ir::ops::{GlobalAvgPool, ShapeProblem};
use nas_ir::text::{parse, print, print_network};
use nas_ir::verify::verify;
use nas_ir::{Checked, Costs, Measure, Op, Shape, Space};
use nas_passes::specialise;

/// A space of values with these sizes beside the channels.
fn text(spatial: &[u32]) -> String {
    let of = |channels: u32| Shape::new(&[&[channels], spatial].concat()).unwrap();
    let elements = of(10).elements();
    let [x1, x6, x8, x10, x12] = [1, 6, 8, 10, 12].map(of);
    format!(
        r#"space any

d0 = decision "op" label "op" [norm, skip]

n0 = input "x" : {x6}
n1 = batch_norm(n0) {{eps = 1e-5, momentum = 0.1, affine = true}} "norm.0" : {x6}
n2 = prelu(n1) "prelu.0" : {x6}
n3 = zero(n0) "zero.0" : {x6}
n4 = select d0 (n2, n3) "op" : {x6}
n5 = add(n0, n4) "add.0" : {x6}
n6 = concat(n5, n0) "concat.0" : {x12}
n7 = channel_slice(n6) {{start = 2, end = 10}} "slice.0" : {x8}
n8 = channel_pad(n7) {{before = 0, after = 2}} "pad.0" : {x10}
n9 = channel_slice(n0) {{start = 0, end = 1}} "slice.1" : {x1}
n10 = mul(n8, n9) "mul.0" : {x10}
n11 = dropout(n10) {{p = 0.5}} "dropout.0" : {x10}
n12 = identity(n11) "identity.0" : {x10}
n13 = hswish(n12) "hswish.0" : {x10}
n14 = flatten(n13) "flatten.0" : [{elements}]
n15 = linear(n14) {{out = 3, bias = true}} "linear.0" : [3]
n16 = output (n15) "y" : [3]
"#
    )
}

/// The space of a text, or what the checker has against it.
fn checked(text: &str) -> Result<Checked<Space>, String> {
    let mut problems = Problems::default();
    let space = verify(parse(text).unwrap_or_else(|error| panic!("{error}")), &mut problems);
    let found: Vec<String> = problems.into_vec().iter().map(ToString::to_string).collect();
    space.ok_or_else(|| found.join("; "))
}

const SPATIAL: [&[u32]; 4] = [&[], &[7], &[4, 5], &[2, 3, 4]];

#[test]
fn from_text_to_costs() {
    for spatial in SPATIAL {
        let text = text(spatial);
        let space = checked(&text).unwrap_or_else(|found| panic!("{found}"));
        assert_eq!(print(&space), text);

        let positions: u64 = spatial.iter().map(|&size| u64::from(size)).product();
        let linear = 3 * 10 * positions;
        let [norm, skip] = [0, 1].map(|candidate| {
            let mut assignment = space.first_assignment();
            assignment.set(space.decision_ids().next().unwrap().0, candidate);
            specialise(&space, &assignment)
        });
        // Scale, shift and slopes of 6 channels.
        for (network, own, peak) in [(&norm, 3 * 6, 6 + 6 + 12), (&skip, 0, 12 + 8 + 1)] {
            let Costs { macs, params, depth, peak_memory, .. } = costs(network);
            assert_eq!((macs, params, depth), (linear, linear + 3 + own, 1));
            // What `concat` reads and makes; without the norm it is the input that it reads, and the
            // slice, beside what `mul` reads, is larger.
            assert_eq!(peak_memory, 4 * positions * peak, "{}", print_network(network));
        }
        let found = range(&space, Measure::Params).unwrap();
        assert_eq!((found.min, found.max), (linear + 3, linear + 3 + 18));
        let memory = memory_range(&space);
        assert_eq!(memory.min, Bounds::exactly(4 * positions * 21));
        // In the written order, in which the input is sliced last and stays, it would be 26.
        assert_eq!(memory.max, Bounds::exactly(4 * positions * 24));
        assert_eq!(depth_range(&space).max, Bounds::exactly(1));
        assert_eq!(Supernet::of(&space).total.macs, linear);
    }
}

#[test]
fn sizes_that_depend_on_decisions() {
    let text = r#"space any

d0 = decision "size" label "size" values ["16", "24"]

n0 = input "x" : d0 {[3, 16] | [3, 24]}
n1 = relu(n0) "relu.0" : d0 {[3, 16] | [3, 24]}
n2 = output (n1) "y" : d0 {[3, 16] | [3, 24]}
"#;
    let space = checked(text).unwrap_or_else(|found| panic!("{found}"));
    assert_eq!(print(&space), text);
    let (_, output) = space.graph.outputs().next().unwrap();
    assert_eq!(output.shape.largest(), Shape::from([3, 24]));
    let memory = memory_range(&space);
    assert_eq!(
        [memory.min, memory.max],
        [4 * 3 * 16, 4 * 3 * 24].map(|bytes| Bounds::exactly(2 * bytes))
    );
}

#[test]
fn shapes_that_do_not_follow_are_refused() {
    for spatial in SPATIAL {
        let sizes = |channels: u32| Shape::new(&[&[channels], spatial].concat()).unwrap();
        let wrong = text(spatial)
            .replace(&format!("\"mul.0\" : {}", sizes(10)), &format!("\"mul.0\" : {}", sizes(9)));
        let found = checked(&wrong).unwrap_err();
        assert!(found.contains("n10: a shape that does not follow"), "{found}");
    }
    let other_rank = text(&[4, 5]).replace("\"add.0\" : [6, 4, 5]", "\"add.0\" : [6, 20]");
    let found = checked(&other_rank).unwrap_err();
    assert!(found.contains("n5: a shape that does not follow"), "{found}");
}

#[test]
fn what_has_two_directions_takes_nothing_else() {
    let needs = |shape: Shape| match Op::GlobalAvgPool(GlobalAvgPool).shape(&[shape]) {
        Err(ShapeProblem::Rank { needs, .. }) => Some(needs),
        Ok(_) => None,
        Err(other) => panic!("{other:?}"),
    };
    assert_eq!(needs(Shape::from([6, 4, 5])), None);
    assert_eq!(needs(Shape::from([6])), Some("a map [C, H, W], not a vector"));
    let of_others = Some("a map [C, H, W], with a height and a width");
    assert_eq!(needs(Shape::from([6, 7])), of_others);
    assert_eq!(needs(Shape::from([6, 2, 3, 4])), of_others);
}

#[test]
fn what_differs_is_told_by_name() {
    let problem = |op: &str, shapes: &[Shape]| {
        let op = (nas_ir::ops::find(op).unwrap().build)(&Default::default()).unwrap();
        match op.shape(shapes) {
            Err(ShapeProblem::Mismatch { title, .. }) => title,
            Err(ShapeProblem::Overflow { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    };
    let (a, b) = (Shape::from([6, 7]), Shape::from([6, 8]));
    assert_eq!(
        problem("add", &[a, b]),
        "cannot add tensors of shapes [6, 7] and [6, 8]: their sizes differ"
    );
    let c = Shape::from([6, 7, 1]);
    assert_eq!(
        problem("concat", &[a, c]),
        "cannot join maps of shapes [6, 7] and [6, 7, 1]: not all have as many sizes"
    );
    for (shape, what) in [
        (Shape::from([1, 1 << 25]), "a length of 33554432"),
        (Shape::from([1, 1 << 25, 1, 1]), "a depth of 33554432"),
        (Shape::from([1, 1, 1, 1 << 25]), "a width of 33554432"),
        (Shape::from([1, 1, 1, 1, 1 << 25]), "a size of 33554432"),
    ] {
        assert_eq!(problem("relu", &[shape]), what);
    }
}
