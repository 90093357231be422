//! The recipes by which published networks were found, as they are shipped but for sizes: each searches a small form of its
//! space for a few steps, on images made up here.

use std::fs;

use nas_testing::pictures;

use crate::bench::Bench;

/// What makes a recipe short.
struct Short {
    /// The file, and the space with arguments that make it small.
    file: &'static str,
    space: &'static str,
    /// Settings for it alone.
    settings: &'static [&'static str],
    /// The networks that it tries.
    tried: usize,
}

const RELAXED: &[&str] = &[
    "schedule.epochs=2",
    "schedule.warmup=1",
    "schedule.split=0.5",
    "derive.sample=2",
    "derive.keep=1",
];
const TRAINED: &[&str] = &["data.val=0", "score.epochs=1", "derive.sample=3", "derive.keep=1"];

const RECIPES: [Short; 10] = [
    Short {
        file: "squeezenas",
        space: "squeezenas_xlarge(classes = 2, height = 64, width = 64)",
        settings: &["data.crop=(64, 64)"],
        tried: 0,
    },
    Short { file: "fbnet", space: "fbnet(classes = 2, size = 32)", settings: &[], tried: 0 },
    Short { file: "fbnetv2", space: "fbnetv2(classes = 2, size = 32)", settings: &[], tried: 0 },
    Short {
        file: "darts",
        space: "darts_relaxed(classes = 2, size = 16, width = 4, layers = 3)",
        settings: &[],
        tried: 0,
    },
    Short {
        file: "proxylessnas",
        space: "proxylessnas(classes = 2, size = 32)",
        settings: &[],
        tried: 0,
    },
    Short {
        file: "single_path",
        space: "single_path(classes = 2, size = 32)",
        settings: &["schedule.epochs=1"],
        tried: 3,
    },
    Short {
        file: "ofa",
        space: "ofa(classes = 2, size = 32)",
        settings: &["schedule.epochs=4", "data.rank_on=4"],
        tried: 3,
    },
    Short {
        file: "amoebanet",
        space: "amoebanet_cifar(classes = 2, size = 16, filters = 8, repeats = 1)",
        settings: TRAINED,
        tried: 3,
    },
    Short {
        file: "nasnet",
        space: "nasnet_cifar(classes = 2, size = 16, filters = 8, repeats = 1)",
        settings: TRAINED,
        tried: 3,
    },
    Short {
        file: "mnasnet",
        space: "mnasnet(classes = 2, size = 32)",
        settings: &[
            "data.val=0",
            "score.epochs=1",
            "derive.sample=3",
            "derive.keep=1",
            "retrain.warmup=0",
        ],
        tried: 3,
    },
];

/// A folder with the shipped spaces, and images.
fn bench() -> Bench {
    let bench = Bench::new();
    for entry in fs::read_dir(nas_spaces::shipped()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "nas") {
            bench.write(path.file_name().unwrap().to_str().unwrap(), fs::read(&path).unwrap());
        }
    }
    pictures::edges(&bench.path("maps"), [("train", 8), ("val", 2), ("test", 2)]);
    // Each of both classes has so many.
    pictures::blue_and_red(&bench.path("classes"), [("train", 4), ("val", 2), ("test", 2)]);
    bench
}

/// The file of a recipe, with its space made small.
fn reduced(bench: &Bench, recipe: &Short) -> String {
    let file = format!("{}_search.nas", recipe.file);
    let text = String::from_utf8(bench.read(&file)).unwrap();
    let (head, rest) = text.split_once("search published of ").unwrap();
    let (_, body) = rest.split_once(" {\n").unwrap();
    assert!(!body.contains("search "), "{file} has several recipes");
    bench.write(&file, format!("{head}search published of {} {{\n{body}", recipe.space));
    file
}

#[test]
fn every_shipped_recipe_searches() {
    let bench = bench();
    let mut shipped: Vec<String> = bench.list(".");
    shipped.retain(|name| name.ends_with("_search.nas"));
    let mut tested = RECIPES.map(|recipe| format!("{}_search.nas", recipe.file)).to_vec();
    tested.sort();
    assert_eq!(shipped, tested);
    for recipe in &RECIPES {
        let began = std::time::Instant::now();
        let (file, relaxes) = (reduced(&bench, recipe), recipe.tried == 0);
        let data = if recipe.file == "squeezenas" { "maps" } else { "classes" };
        let path = format!("data.path=\"{data}\"");
        let common = ["data.batch=4", "data.workers=1", "retrain.epochs=1", "retrain.batch=4"];
        let finals = ["derive.finalists=1", "derive.epochs=2"];
        let shorter = if relaxes { RELAXED } else { &["derive.sample=3", "derive.keep=1"] };
        let mut command = bench.command(&format!(
            "search {file} --recipe published --threads 1 --out {}",
            recipe.file
        ));
        for set in [path.as_str()]
            .iter()
            .chain(&common)
            .chain(&finals)
            .chain(shorter)
            .chain(recipe.settings)
        {
            command.args(["--set", set]);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{file}: {said}");
        assert!(bench.path(&format!("{}/network.onnx", recipe.file)).exists(), "{file}");
        let export = format!("runs export {} --format jsonl", recipe.file);
        let scored = bench.nasc(&export).done().lines().count();
        // One finalist is tried again, with a budget of its own.
        let enough = if relaxes { scored >= 2 } else { scored == recipe.tried + 1 };
        assert!(enough, "{file}: {scored} scores");
        println!("{file}: {:.1} s", began.elapsed().as_secs_f64());
    }
}
