//! Published figures: the networks and every layer of the SqueezeNAS spaces.

use nas_ir::Cost;
use nas_passes::specialise;

/// Every shipped space, with its networks and expectations.
#[test]
fn shipped_files_have_no_problem() {
    let names = nas_testing::shipped_names();
    assert!(names.len() >= 4, "{names:?}");
    for name in names {
        let ((), problems) = nas_testing::compile(nas_testing::shipped(&name), |_, compiler| {
            drop(compiler.check_all())
        });
        assert_eq!(problems, Vec::<String>::new(), "{name}");
    }
}

/// Table 1 of the paper.
#[test]
fn networks_cost_what_was_published() {
    for (file, arch, macs, params) in [
        ("squeezenas_small.nas", "mac_small", 3_007_512_576, 277_598),
        ("squeezenas_large.nas", "mac_large", 9_386_147_840, 704_382),
    ] {
        let (cost, problems) =
            nas_testing::compile(nas_testing::shipped(file), |program, compiler| {
                let item = program.archs().find(|item| item.name.name == arch).unwrap();
                let network = compiler.named_network(item).unwrap();
                specialise(&network.space, &network.assignment).cost()
            });
        assert_eq!(problems, Vec::<String>::new(), "{file}");
        assert_eq!(cost, Cost { macs, params }, "{arch}");
    }
}

/// Each line of the table: a distinct layer of SqueezeNAS-Small, -Large or -XLarge.
#[test]
fn every_candidate_of_every_layer_costs_what_was_published() {
    let mut lines = include_str!("figures/squeezenas_layers.txt").lines();
    let head = lines.next().unwrap();
    let names: Vec<&str> = head.split_once(": ").unwrap().1.split(' ').collect();
    assert_eq!(names.len(), 13);
    let mut checked = 0;
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let [channels, out, stride, height, width, figures @ ..] = words.as_slice() else {
            panic!("a line of too few words: {line}")
        };
        let space = nas_testing::space(nas_testing::beside_shipped(&format!(
            "use squeezenas_units.unit\nspace layer {{\n    input x: [{channels}, {height}, {width}]\n    \
             output y = x -> unit({out}, stride = {stride})\n}}\n"
        )));
        let (id, decision) = space.decision_ids().next().unwrap();
        assert_eq!(decision.candidates, names);
        for (candidate, figure) in figures.iter().enumerate() {
            let mut assignment = space.first_assignment();
            assignment.set(id, candidate);
            let Cost { macs, params } = specialise(&space, &assignment).cost();
            let at = &words[..5];
            assert_eq!(format!("{macs}/{params}"), **figure, "{} at {at:?}", names[candidate]);
            checked += 1;
        }
    }
    assert_eq!(checked, 31 * 13);
}

/// The benchmark's own figures for each of its networks, where `NASC_NASBENCH_MACRO` names its file.
#[test]
fn every_network_of_nasbench_macro_costs_what_was_published() {
    let Some(file) = std::env::var_os("NASC_NASBENCH_MACRO") else {
        let why = "NASC_NASBENCH_MACRO names no file of the benchmark";
        return nas_testing::skipped(
            "every_network_of_nasbench_macro_costs_what_was_published",
            why,
        );
    };
    let text = std::fs::read_to_string(file).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let networks = json["networks"].as_object().unwrap();
    let space = nas_testing::space(nas_testing::shipped("nasbench_macro.nas"));
    assert_eq!(networks.len(), 6_561);
    for (digits, published) in networks {
        let mut assignment = space.first_assignment();
        for ((id, _), digit) in space.decision_ids().zip(digits.bytes()) {
            assignment.set(id, usize::from(digit - b'0'));
        }
        let Cost { macs, params } = specialise(&space, &assignment).cost();
        let expected = [&published["macs"], &published["params"]].map(|figure| figure.as_u64());
        assert_eq!([Some(macs), Some(params)], expected, "{digits}");
    }
}
