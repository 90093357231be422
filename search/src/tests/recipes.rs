//! The settings that strategies declare, and recipes as runs keep them.

use nas_ir::recipe::schema::Kind;
use nas_ir::recipe::{Recipe, Value, common};
use nas_testing::folder;
use serde_json::Value as Json;

use super::toy::Toy;
use super::{create, inputs, sources, versions, whole};
use crate::error::RunError;
use crate::store::{Store, names};
use crate::strategies::{SCHEMAS, TABLE, gumbel, random};

#[test]
fn every_strategy_has_what_all_recipes_have_and_says_what_it_is() {
    assert_eq!(SCHEMAS.len(), TABLE.len());
    for schema in SCHEMAS {
        Recipe::default_for("s", schema).unwrap();
        assert_eq!(SCHEMAS.iter().filter(|other| other.name == schema.name).count(), 1);
        assert!(schema.section(common::STRATEGY).is_some(), "{}", schema.name);
        for (section, field) in schema.fields() {
            for doc in [schema.doc, section.doc, field.doc] {
                assert!(!doc.is_empty() && !doc.ends_with('.'), "{}.{}", section.name, field.name);
            }
            if let Kind::Word(words) = field.kind {
                assert!(!words.is_empty(), "{}", field.name);
            }
        }
    }
}

/// The file that nasc wrote before there was a second strategy.
const WRITTEN: &str = r#"{
  "name": "toy",
  "strategy": {
    "temperature": {
      "from": 5.0,
      "to": 1.0,
      "law": "exponential"
    },
    "prune_below": 0.12,
    "mixing": "soft"
  },
  "objective": [],
  "metrics": {
    "primary": "usual"
  },
  "data": {
    "path": "data/landcover",
    "val": 0.0,
    "take": 0,
    "rank_on": 0,
    "resize": null,
    "fit": "stretch",
    "pad": 0,
    "crop": null,
    "flip": true,
    "scale": null,
    "jitter": 0.0,
    "blur": 0.0,
    "cutout": 0,
    "randaugment": 0,
    "magnitude": 9,
    "mixup": 0.0,
    "cutmix": 0.0,
    "batch": 16,
    "workers": 2
  },
  "loss": {
    "regression": "l1",
    "delta": 1.0,
    "smoothing": 0.0,
    "class_weights": "equal",
    "focal": 0.0,
    "dice": 0.0
  },
  "weights": {
    "optimizer": "sgd",
    "rate": {
      "from": 0.05,
      "to": 0.0,
      "law": "cosine"
    },
    "warmup": 0,
    "momentum": 0.9,
    "beta1": 0.9,
    "beta2": 0.999,
    "smoothing": 0.99,
    "epsilon": 1e-8,
    "decay": 0.0001,
    "accumulate": 1,
    "ema": 0.0,
    "freeze": null,
    "weights_from": null,
    "initial": "he",
    "precision": "fp32"
  },
  "choices": {
    "rate": 0.1,
    "beta1": 0.9,
    "beta2": 0.999,
    "decay": 0.0005
  },
  "schedule": {
    "epochs": 4,
    "warmup": 1,
    "alternate": "epoch",
    "split": 0.8
  },
  "derive": {
    "sample": 4,
    "keep": 2,
    "finalists": 0,
    "epochs": 10,
    "budget": 0
  },
  "retrain": {
    "epochs": 3,
    "optimizer": "sgd",
    "rate": {
      "from": 0.05,
      "to": 0.0,
      "law": "cosine"
    },
    "warmup": 0,
    "momentum": 0.9,
    "beta1": 0.9,
    "beta2": 0.999,
    "smoothing": 0.99,
    "epsilon": 1e-8,
    "decay": 0.0001,
    "accumulate": 1,
    "ema": 0.0,
    "freeze": null,
    "weights_from": null,
    "initial": "he",
    "precision": "fp32",
    "batch": 16,
    "drop_path": {
      "from": 0.0,
      "to": 1.0,
      "law": "linear"
    },
    "patience": 0,
    "min_delta": 0.0,
    "teacher": null,
    "temperature": 4.0,
    "weight": 0.9
  },
  "seed": 0
}
"#;

#[test]
fn a_recipe_is_written_as_it_always_was() {
    let dir = folder();
    let store = create(&Toy::short(), dir.path());
    let written = String::from_utf8(store.read(names::RECIPE).unwrap().unwrap()).unwrap();
    assert_eq!(written, WRITTEN);
}

#[test]
fn every_setting_of_every_strategy_is_written() {
    for schema in SCHEMAS {
        let toy = Toy::short().searched_by(Recipe::default_for("toy", schema).unwrap());
        let dir = folder();
        let written: Json = create(&toy, dir.path()).read_json(names::RECIPE).unwrap();
        for (section, field) in schema.fields().filter(|(_, field)| !field.kind.is_settled()) {
            let of_seed = field.name == common::SEED.name;
            let found =
                if of_seed { written.get("seed") } else { written[section.name].get(field.name) };
            assert!(found.is_some(), "{}.{} of {}", section.name, field.name, schema.name);
        }
    }
}

#[test]
fn a_run_of_another_strategy_is_another_run() {
    let toy = Toy::short();
    let other = toy.searched_by(Recipe::default_for("toy", &random::SCHEMA).unwrap());
    for (began, now, said) in
        [(&toy, &other, "`gumbel`, not by `random`"), (&other, &toy, "`random`, not by `gumbel`")]
    {
        let dir = folder();
        drop(create(began, dir.path()));
        let error = Store::open(dir.path(), &inputs(now, &sources(), &versions())).unwrap_err();
        let RunError::Differs { differences, .. } = &error else { panic!("{error}") };
        assert_eq!(*differences, [format!("it is a search by {said}")]);
    }
}

#[test]
fn a_recipe_that_its_strategy_cannot_read_is_a_fault_of_ours() {
    let mut toy = Toy::short();
    toy.set("strategy", "mixing", Value::Count(3));
    let error = crate::strategies::reads(&toy.recipe).unwrap_err();
    let code = miette::Diagnostic::code(&error).unwrap().to_string();
    assert_eq!(code, "nas::internal::setting");
    assert_eq!(error.to_string(), "the setting `strategy.mixing` has no value that fits");
    assert_eq!(toy.strategy(), &gumbel::SCHEMA);
}

#[test]
fn a_trial_on_its_own_says_what_it_took() {
    let mut recipe = Recipe::default_for("toy", &random::SCHEMA).unwrap();
    recipe.retrain = Toy::short().recipe.retrain;
    recipe.settings.set("score", "by", Value::Word("train"));
    recipe.settings.set("score", "epochs", Value::Count(2));
    let toy = Toy::short().searched_by(recipe);
    let dir = folder();
    let result = whole(&toy, dir.path());
    assert_eq!(result.budget.epochs, 2);
    let store = super::resume(&toy, dir.path());
    assert!(store.read(names::SUPERNET).unwrap().is_none(), "no supernet is trained");
    let scored = super::lines(&store);
    assert!(scored.iter().all(|line| line["budget"]["epochs"] == 2), "{scored:?}");
    assert_eq!(scored.len(), 20);
}
