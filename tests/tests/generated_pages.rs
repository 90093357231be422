//! The pages of the reference that are written from declarations: `operators.md` from those of the
//! operators, `library.md` from the doc comments of the standard library, `recipes.md` from the schemas
//! of the strategies, `names.md` from the tables of names, `data.md` from what `nas-data` reads. `BLESS=1`
//! rewrites them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the functions that the tests share are tests too"
)]

use std::path::Path;

use nas_data::{Dataset, IMAGENET_MEAN, IMAGENET_STD, Normalisation};
use nas_diagnostics::Problems;
use nas_frontend::Compiler;
use nas_frontend::foreign::{CALLABLES, Here, PARAMETERS, Row};
use nas_frontend::modules::Program;
use nas_grammar::Source;
use nas_grammar::ast::{Block, File, ItemKind};
use nas_grammar::parse::parse;
use nas_ir::ops::TABLE;
use nas_ir::ops::signature::{Declaration, Default, Parameter};
use nas_ir::recipe::schema::{Field, Section};
use nas_ir::recipe::{MINIMIZE, StrategySchema, common};
use nas_search::strategies::SCHEMAS;
use nasc::render::diagram;
use nasc::services::source::load_module;

/// What every generated page says under its title.
const NOTE: &str = "<!-- Written by tests/tests/generated_pages.rs; BLESS=1 rewrites it. -->";

/// Compares a page with what it should be, or rewrites it.
fn keep(name: &str, text: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = root.join("grammar/reference").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&page, text).unwrap();
    }
    let found = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(found == text, "{name} is not what the declarations say; BLESS=1 rewrites it");
}

#[test]
fn the_page_of_operators_follows_from_their_declarations() {
    let mut page = format!(
        "# Operators\n\n{NOTE}\n\nThe primitive operators. All else is made of them, in `.nas`: see [library.md](library.md).\nTensors come first, then the parameters, by position in this order or by name. A pair such as the\nkernel is one number for both directions or a tuple (vertical, horizontal).\n"
    );
    for row in TABLE {
        page.push_str(&operator(row.declaration));
    }
    keep("operators.md", &page);
}

fn operator(declaration: &Declaration) -> String {
    let Declaration { name, operands, params, doc, example } = declaration;
    let mut text = format!("\n## {name}\n\n{doc} Takes {operands}.\n\n    {example}\n");
    if !params.is_empty() {
        text.push_str("\n| parameter | takes | if left out | meaning |\n|---|---|---|---|\n");
    }
    for Parameter { name, kind, default, doc } in *params {
        let default = match default {
            Default::Required => "must be given".to_owned(),
            Default::Absent => "see its meaning".to_owned(),
            Default::Is(value) => format!("`{value}`"),
        };
        text.push_str(&format!("| `{name}` | {kind} | {default} | {doc} |\n"));
    }
    text
}

#[test]
fn the_page_of_the_library_follows_from_its_doc_comments() {
    let mut page = format!(
        "# The standard library\n\n{NOTE}\n\nBlocks written in `.nas`, imported by `use std.module.name`. They are made of the\n[operators](operators.md) and of each other; a block of your own is as good as they are.\n"
    );
    for module in nas_spaces::std_modules() {
        let text = nas_spaces::std_module(module).unwrap();
        let source = Source::new(format!("std/{module}.nas"), text);
        let parsed = parse(&source);
        assert!(parsed.problems.is_empty(), "std.{module} does not parse");
        page.push_str(&library(module, &parsed.file, text));
    }
    keep("library.md", &page);
}

fn library(module: &str, file: &File, source: &str) -> String {
    let mut text = format!("\n## std.{module}\n\n{}\n", file.docs.join("\n"));
    for item in &file.items {
        let ItemKind::Block(block) = &item.kind else { continue };
        assert!(!item.docs.is_empty(), "std.{module}: `{}` has no doc comment", block.name.name);
        let title = &block.name.name;
        let head = signature(block, source);
        text.push_str(&format!("\n### {title}\n\n    {head}\n\n{}\n", item.docs.join("\n")));
    }
    text
}

/// The name and the parameters of a block, as they are written.
fn signature(block: &Block, source: &str) -> String {
    let head = block.name.span.start as usize..block.body.span.start as usize;
    source[head].split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_page_of_recipes_follows_from_the_schemas() {
    let names: Vec<String> = SCHEMAS.iter().map(|schema| format!("`{}`", schema.name)).collect();
    let mut page = format!(
        "# Recipes\n\n{NOTE}\n\nThe settings of `search` items; the [language](language.md#recipes) says how they are written. A recipe is\nof one strategy of these: {}; where it names none, of the first. A setting of one strategy is unknown to\nanother. On the command line, `--set section.setting=value` is one of them.\n",
        names.join(", "),
    );
    page.push_str(&format!(
        "\n## minimize, maximize\n\nIn `minimize FORMULA` or `maximize FORMULA`: {}. Without either, strategies that train choices go down `{}`, and \
         networks are ranked by the primary metric, of equals the one of fewer MACs first.\n",
        MINIMIZE.doc, MINIMIZE.written
    ));
    page.push_str("\n## Every strategy\n");
    let [first, ..] = SCHEMAS else { panic!("there is no strategy") };
    page.push_str(&sections(first, common::has));
    for schema in SCHEMAS {
        page.push_str(&format!("\n## strategy {}\n\nIt {}.\n", schema.name, schema.doc));
        page.push_str(&sections(schema, |section, field| !common::has(section, field)));
    }
    keep("recipes.md", &page);
}

/// The sections of a schema, with the settings of which this holds.
fn sections(schema: &StrategySchema, is_shown: impl Fn(&str, &str) -> bool) -> String {
    let mut text = String::new();
    for section in schema.sections {
        let fields = section.fields.iter().filter(|field| is_shown(section.name, field.name));
        let rows: String = fields.map(row).collect();
        if !rows.is_empty() {
            let Section { name, doc, .. } = section;
            text.push_str(&format!("\n### {name}\n\n{}.\n\n{HEAD}{rows}", capitalised(doc)));
        }
    }
    text
}

#[test]
fn the_page_of_names_follows_from_the_tables() {
    let page = format!(
        "# Names of other frameworks\n\n{NOTE}\n\nWhat PyTorch, Keras and ONNX call what nasc has, or has not. Capitals and underscores make no\ndifference: `ReLU6` and `relu_6` are `relu6`, and `Conv2d` is `conv2d`. Where a file has a name of the left\ncolumn, `nasc check` says what stands in the right one.\n\n## Operators and functions\n\n{}\n## Parameters\n\n{}",
        names(CALLABLES),
        names(PARAMETERS),
    );
    keep("names.md", &page);
}

/// The space of the README, drawn as `nasc show --format svg` does.
#[test]
fn the_picture_of_the_readme_is_that_of_its_space() {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("```nas\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    let mut problems = Problems::default();
    let program = Program::load(Source::new("land.nas", text), &load_module, &mut problems);
    let mut compiler = Compiler::new(&program, &mut problems);
    compiler.check_all();
    let space = compiler.space("land", &[]).unwrap();
    assert!(problems.into_vec().is_empty());
    keep("land.svg", &diagram::svg(&diagram::of_space(&space)));
}

/// A table of names, a row for each thing.
fn names(rows: &[Row]) -> String {
    let mut text = "| elsewhere | here |\n|---|---|\n".to_owned();
    for Row { names, here } in rows {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let here = match here {
            Here::Is(ours) => format!("`{ours}`"),
            Here::Library(module, block) => {
                format!("`{block}` of [std.{module}](library.md#std{module})")
            }
            Here::Written(how) => (*how).to_owned(),
            Here::Nothing(instead) => format!("nothing: {instead}"),
            Here::LeftOut(why) => format!("left out: {why}"),
        };
        text.push_str(&format!("| {} | {here} |\n", names.join(", ")));
    }
    text
}

/// `dataset.json` as `data.md` shows it.
const DESCRIPTION: &str = r#"{"classes": ["water", "forest"], "ignore": 255, "mean": [0.29, 0.31, 0.24], "std": [0.23, 0.19, 0.23]}"#;

#[test]
fn the_page_of_data_follows_from_what_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Dataset::open(folder.path()).unwrap();
    let bare = open();
    let by = |mean: [f32; 3], std: [f32; 3]| Normalisation { mean: mean.into(), std: std.into() };
    assert_eq!(bare.ignore, None);
    assert_eq!(bare.normalisation(3).unwrap(), by(IMAGENET_MEAN, IMAGENET_STD));
    std::fs::write(folder.path().join("dataset.json"), DESCRIPTION).unwrap();
    let described = open();
    assert_eq!(described.classes, ["water", "forest"]);
    let expected = by([0.29, 0.31, 0.24], [0.23, 0.19, 0.23]);
    assert_eq!(described.normalisation(3).unwrap(), expected);
    let page = include_str!("generated_pages/data.md")
        .replace("{note}", NOTE)
        .replace("{description}", DESCRIPTION)
        .replace("{mean}", &format!("{IMAGENET_MEAN:?}"))
        .replace("{std}", &format!("{IMAGENET_STD:?}"));
    keep("data.md", &page);
}

const HEAD: &str = "| setting | takes | if left out | meaning |\n|---|---|---|---|\n";

fn row(Field { name, kind, doc }: &Field) -> String {
    let range = kind.range().map(|range| format!(", {range}")).unwrap_or_default();
    let (takes, default) = (kind.expected(), kind.default());
    let is_literal = default == kind.example();
    let default = if is_literal { format!("`{default}`") } else { default };
    format!("| `{name}` | {takes}{range} | {default} | {doc} |\n")
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
