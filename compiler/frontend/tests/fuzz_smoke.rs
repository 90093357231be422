//! Files that nobody would write: mutants of those of the repository, and texts that ask for more
//! than there is. The compiler must come back soon, without a panic and within memory. The fuzzer
//! in `fuzz/` does the same for as long as one likes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nas_testing::exercise;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How many mutants are made.
const MUTANTS: usize = 1200;
/// Seeds above this many bytes take too long for the number of mutants.
const LARGEST_SEED: usize = 2500;
/// What an input may take of one processor: a second, were it not for what other programs take from
/// the caches.
const LONGEST: Duration = Duration::from_secs(2);
/// What the whole process, which runs several inputs at a time, may take of memory, in bytes.
const MOST_MEMORY: usize = 2 << 30;

/// Runs the compiler on a text and fails if that takes long.
fn within_limits(name: &str, text: &str) {
    exercise::exercise_within(LONGEST, text.as_bytes());
    if let Some(peak) = peak_memory() {
        let shown: String = text.chars().take(10_000).collect();
        assert!(peak < MOST_MEMORY, "{name} took {peak} bytes of memory:\n{shown}");
    }
}

/// The most memory that the process held up to now, where the system says so.
fn peak_memory() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<usize>().ok()? * 1024)
}

/// The `.nas` files in a folder and its folders, in order.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut entries: Vec<PathBuf> = entries.collect();
    entries.sort();
    for path in entries {
        // Those of `limits` take as long as the limits allow, and so do their mutants.
        if path.is_dir() && !path.ends_with("data") && !path.ends_with("limits") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "nas") {
            found.push(path);
        }
    }
}

/// The texts from which mutants are made.
fn seeds() -> Vec<String> {
    let spaces = nas_spaces::shipped();
    let mut paths = Vec::new();
    sources(&spaces.join("../tests/ui"), &mut paths);
    sources(spaces, &mut paths);
    let texts = paths.iter().map(|path| std::fs::read(path).unwrap());
    let texts = texts.filter_map(|bytes| String::from_utf8(bytes).ok());
    let texts: Vec<String> = texts.filter(|text| text.len() <= LARGEST_SEED).collect();
    assert!(texts.len() > 100, "there are few seeds: {}", texts.len());
    texts
}

/// Words, numbers, white space and single characters.
fn tokens(text: &str) -> Vec<&str> {
    let class = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => 1,
        ' ' | '\n' => 2,
        _ => 3,
    };
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let same = |c: char| class(c) == class(first) && class(c) != 3;
        let end = rest.find(|c| !same(c)).unwrap_or(rest.len()).max(first.len_utf8());
        let (token, behind) = rest.split_at(end);
        tokens.push(token);
        rest = behind;
    }
    tokens
}

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "7",
    "64",
    "1000",
    "10000",
    "4294967296",
    "9223372036854775808",
    "0.5",
    "1e99",
];

/// One to four changes: a token removed, doubled, swapped, put elsewhere or replaced by one of
/// another file; another number; a stretch of tokens repeated, or nested in brackets.
fn mutant(seeds: &[String], rng: &mut ChaCha8Rng) -> String {
    let seed = seeds.choose(rng).unwrap();
    let mut tokens = tokens(seed);
    for _ in 0..rng.random_range(1..=4) {
        let (a, b) = (rng.random_range(0..tokens.len()), rng.random_range(0..tokens.len()));
        let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 40));
        match rng.random_range(0..8) {
            0 if tokens.len() > 1 => drop(tokens.remove(a)),
            1 => tokens.insert(a, tokens[a]),
            2 => tokens.swap(a, b),
            3 => tokens.insert(a, tokens[b]),
            4 => tokens[a] = self::tokens(seeds.choose(rng).unwrap()).choose(rng).unwrap(),
            5 => {
                let is_number = |token: &&str| token.starts_with(|c: char| c.is_ascii_digit());
                let mut places: Vec<usize> = (0..tokens.len()).collect();
                places.shuffle(rng);
                if let Some(&place) = places.iter().find(|&&place| is_number(&tokens[place])) {
                    tokens[place] = NUMBERS.choose(rng).unwrap();
                }
            }
            6 => {
                let stretch = tokens[from..to].to_vec();
                let times = *[1, 2, 100].choose(rng).unwrap();
                tokens.splice(a..a, stretch.repeat(times));
            }
            _ => {
                let (open, close) = *[("(", ")"), ("[", "]"), ("{", "}")].choose(rng).unwrap();
                let depth = *[1, 10, 60, 5000].choose(rng).unwrap();
                tokens.splice(to..to, vec![close; depth]);
                tokens.splice(from..from, vec![open; depth]);
            }
        }
    }
    tokens.concat()
}

#[test]
fn mutants_of_all_files() {
    let seeds = seeds();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for index in 0..MUTANTS {
        within_limits(&format!("mutant {index}"), &mutant(&seeds, &mut rng));
    }
}

/// A space with these statements before its output.
fn space(statements: &str) -> String {
    format!("space s {{\n input x: [4, 8, 8]\n{statements}\n output result = x -> relu\n}}\n")
}

fn repeated(count: usize, of: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, index| {
        let _ = writeln!(text, "{}", of(index));
        text
    })
}

#[test]
fn loops_that_do_not_end() {
    for body in [
        "for i in 0..4000000000 {}",
        "var xs = [0] for i in 0..1000000 { xs = xs + [i] }",
        "let xs = 0..1000000 for i in 0..1000000 { let u = xs[1..] }",
        "let xs = 0..1000000 let ys = 0..1000000 for i in 0..1000000 { let u = xs == ys }",
        "for i in 0..1000000, j in 0..1000 { let u = 3 ^ 10000 * 3 ^ 10000 % 1000003 }",
        "let y = x -> repeat 1000 { repeat 1000 { repeat 1000 { relu } } }",
        "let y = x -> repeat 20000 { choose op { for i in 0..9 { \"{i}\": relu } } }",
        "for i in 0..1000000, j in 0..1000 { let u = choose [1, 2] }",
        "for i in 0..1000000, j in 0..1000 { let u = 1 + true }",
    ] {
        within_limits(body, &space(body));
    }
    within_limits("constants", &repeated(100, |i| format!("const A{i} = A{0} + A{0}", i + 1)));
    let blocks = repeated(90, |i| format!("block b{i}(x) {{ x -> b{0} -> b{0} }}", i + 1));
    within_limits(
        "blocks",
        &format!("{blocks}block b90(x) {{ x -> relu }}\n{}", space("let y = x -> b0")),
    );
    let spaces =
        repeated(50, |i| space("for i in 0..900000 {}").replace("space s", &format!("space s{i}")));
    within_limits("spaces", &spaces);
}

#[test]
fn values_that_are_too_large() {
    let text = "var t = \"a\" for i in 0..19 { t = \"{t}{t}\" }";
    for body in [
        "let u = [for i in 0..1000 { [for j in 0..1000 { [for k in 0..1000 { k }] }] }]",
        "var a = [1] var b = [1] for i in 0..60 { a = [a, a] b = [b, b] } let u = a == b",
        "var a = [1] for i in 0..60 { a = (a, a) } let u = choose [a, 3]",
        "var a = [1] for i in 0..100000 { a = [a] }",
        "var a = 2 for i in 0..100 { a = a ^ 99999 }",
        "let u = 2 ^ 9223372036854775807",
        "let u = choose (0..1000000)",
        "let u = x -> choose op { for i in 0..1000000 { \"{i}\": relu } }",
        "let u = sum(choose 2 { for i in 0..142 { \"{i}\": x } })",
        "let u = sum(choose 500 { for i in 0..1000 { \"{i}\": x } })",
        "let y = x -> conv(16777216, kernel = 999)",
        "let y = x -> repeat 20000 { conv(4096, kernel = 3) }",
    ] {
        within_limits(body, &space(body));
    }
    for body in [
        "for i in 0..100000 { let u = \"{t}{t}\" }",
        "let u = sum(choose 2 { for i in 0..100 { \"{t}{i}\": x } })",
        "let u = x -> choose op { \"{t}\": repeat 10000 { relu }, b: relu }",
        "let u = x -> choose \"{t}\" { a: relu, b: relu6 }",
    ] {
        within_limits(body, &space(&format!("{text} {body}")));
    }
    let digits = "9".repeat(1_000_000);
    within_limits("digits", &space(&format!("let u = {digits} let v = 0.{digits}")));
    let name = "a".repeat(100_000);
    within_limits("names", &space(&format!("let {name} = 1 let u = {name}b")));
}

#[test]
fn decisions_that_are_entangled() {
    let sum = "var s = 0 for i in 0..12 { s = s + 2 ^ i * choose [0, 1] }";
    let wide = "var s = 0 for i in 0..600 { s = s + choose [0, 1] }";
    for (values, body) in [
        (sum, "let y = x -> conv(s + 1, kernel = 1)"),
        (sum, "for i in 0..100000 { s = s + 1 }"),
        (sum, "for i in 0..100000 { let u = if s > 4000 { s + true } else { 1 } }"),
        (sum, "let u = [for i in 0..100000 { s }] == [for i in 0..100000 { s }]"),
        (wide, "let y = x -> conv(s + 1, kernel = 1)"),
        (wide, "for i in 1..1000 { let u = s * i }"),
        (
            "let c = choose [true, false]",
            "for i in 0..1000 { let u = if c { 0..9999 } else { 1..10000 } }",
        ),
        (
            "let c = choose [1, 2]",
            "let xs = [for i in 0..100000 { c }] for i in 0..1000 { let u = (xs, 3) == (xs, 4) }",
        ),
        ("var y = x", "for i in 0..2000 { if choose [true, false] { y = y -> relu } }"),
        (
            "var hs = [x, x -> relu]",
            "for i in 0..12 { hs = hs + [(choose a (hs)) + (choose b (hs))] } let y = sum(loose_ends(hs))",
        ),
    ] {
        within_limits(body, &space(&format!("{values} {body}")));
    }
}

#[test]
fn texts_that_are_long_or_deep() {
    for (open, close, count) in [
        ("[", "]", 100_000),
        ("(", ")", 100_000),
        ("-", "", 100_000),
        ("not ", "", 100_000),
        ("1 + ", "1", 20_000),
        ("if false { 1 } else ", "{ 2 }", 5_000),
        ("choose { a: ", "}", 5_000),
        ("\"{", "}\"", 5_000),
    ] {
        let body = format!("let u = {}1{}", open.repeat(count), close.repeat(count));
        within_limits(open, &space(&body));
    }
    let clauses: Vec<String> = (0..5000).map(|i| format!("a{i} in [1]")).collect();
    within_limits("clauses", &space(&format!("for {} {{}}", clauses.join(", "))));
    within_limits("names", &space(&repeated(10_000, |i| format!("let a{i} = b{}", 7 * i))));
    within_limits("errors", &space(&repeated(10_000, |i| format!("let a{i} = 1 + true"))));
    within_limits("ports", &space(&repeated(10_000, |i| format!("input a{i}: [3, 8, 8]"))));
    within_limits("broken items", &"block\n".repeat(50_000));
    within_limits("equal items", &"const A = 1\n".repeat(20_000));
    within_limits("imports", &"use a.b\n".repeat(20_000));
    within_limits("expectations", &"expect 1 == 2\n".repeat(20_000));
    within_limits("one line", &"x".repeat(1_000_000));
    within_limits("zeros", &"\0".repeat(1_000_000));
    within_limits("quotes", &"\"".repeat(100_000));
}
