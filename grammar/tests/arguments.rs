//! What commands give in place of a file: one setting, one limit, and nothing smuggled in with it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "functions that only tests use"
)]

use nas_grammar::argument::Misread;
use nas_grammar::ast::{BinaryOp, ExprKind, Sense, Setting};
use nas_grammar::{Source, parse_limit, parse_setting};

fn setting(text: &str) -> Result<Setting, Misread> {
    parse_setting(&Source::new("--set", text))
}

/// What is said, the place, and the help.
fn said(misread: &Misread) -> String {
    let Misread { problem, at } = misread;
    let labels: Vec<_> = problem.labels().into_iter().flatten().collect();
    let label = labels.first().and_then(|label| label.label()).unwrap_or_default().to_owned();
    let help = problem.help().map(|help| format!(" | {help}")).unwrap_or_default();
    format!("{at}: {problem} | {label}{help}")
}

#[test]
fn a_setting_is_a_section_with_one_field() {
    let text = "  weights.rate = 0.05 -> 0 cosine ";
    let Setting::Section(section) = setting(text).unwrap() else { panic!("no section") };
    assert_eq!((section.name.name.as_str(), section.kind), ("weights", None));
    let [field] = section.fields.as_slice() else { panic!("{:?}", section.fields) };
    assert_eq!(&text[field.name.span.range()], "rate");
    assert_eq!(&text[field.value.span.range()], "0.05 -> 0");
    assert_eq!(field.law.as_ref().unwrap().name.name, "cosine");
    assert_eq!(&text[section.span.range()], "weights.rate = 0.05 -> 0 cosine");

    let Setting::Objective(goals, _) = setting("minimize=cross_entropy + macs / 1M").unwrap()
    else {
        panic!("no objective")
    };
    let [goal] = goals.as_slice() else { panic!("{goals:?}") };
    assert_eq!(goal.sense, Sense::Minimize);
    assert!(matches!(goal.formula.kind, ExprKind::Binary(BinaryOp::Add, ..)));
}

#[test]
fn all_of_a_setting_is_read() {
    for (text, at) in [
        ("", 0),
        ("epochs=3", 6),
        ("a.b.c=1", 3),
        ("a .b=1", 1),
        ("schedule.epochs", 15),
        ("schedule.epochs=", 16),
        ("schedule.epochs==3", 15),
        ("schedule.epochs=3 } derive { keep = 1", 18),
        ("schedule.epochs=3 } } expect 1 == 1 search a of b { c { d = 1", 18),
        ("schedule.epochs=3 warmup=1", 24),
        ("minimize=cross_entropy schedule { }", 23),
        ("search.epochs=3", 0),
    ] {
        let misread = setting(text).expect_err(text);
        assert_eq!(misread.at, at, "{text}: {}", said(&misread));
    }
    let text = |text: &str| said(&setting(text).unwrap_err());
    assert_eq!(
        text("a.b=3 }"),
        "6: expected the end or the name of an annealing law | found `}` | \
         remove it: nothing opens it"
    );
    assert_eq!(
        text("a.b=3 c=1"),
        "7: expected the end or the argument of an annealing law, such as `(3)` | found `=`"
    );
    assert_eq!(
        text("a.b=(1, 2"),
        "9: expected `,` or `)` | the text ends here | close it with `)`"
    );
}

#[test]
fn all_of_a_limit_is_read() {
    let limit = |text: &str| parse_limit(&Source::new("--where", text));
    for text in ["macs <= 300M and params <= 5M", " not (depth > 20) // so shallow", "1"] {
        assert!(limit(text).is_ok(), "{text}");
    }
    for (text, at) in [
        ("", 0),
        ("macs <= 1K } space x {", 11),
        ("macs <= 1K require params <= 1", 11),
        ("macs <= 1K\n let x = 1", 12),
        ("macs <=", 7),
    ] {
        let misread = limit(text).expect_err(text);
        assert_eq!(misread.at, at, "{text}: {}", said(&misread));
    }
}

#[test]
fn deep_arguments_are_refused() {
    let deep = format!("a.b={}", "(".repeat(10_000));
    assert_eq!(setting(&deep).unwrap_err().problem.to_string(), "brackets nest more than 64 deep");
    let long = format!("macs <= 1{}", " + 1".repeat(1000));
    let misread = parse_limit(&Source::new("--where", long)).unwrap_err();
    assert_eq!(misread.problem.to_string(), "operators of one expression nest more than 128 deep");
}
