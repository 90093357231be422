//! Hostile texts and bytes, made of those that somebody wrote.

use rand::Rng;
use rand::seq::IndexedRandom;

use super::case::Random;

/// Numbers where programs end.
const NUMBERS: [&str; 20] = [
    "0",
    "1",
    "2",
    "3",
    "7",
    "64",
    "255",
    "1000",
    "4097",
    "65536",
    "16777217",
    "4294967296",
    "9223372036854775807",
    "18446744073709551616",
    "-1",
    "-9223372036854775808",
    "0.5",
    "1e-9",
    "1e308",
    "1e999",
];
/// What no editor shows, and what is no text.
const ODD: [&[u8]; 12] = [
    b"\0",
    b"\x07",
    b"\x1b[31m",
    b"\r",
    b"\x7f",
    "\u{9b}1m".as_bytes(),
    "\u{202e}".as_bytes(),
    "\u{feff}".as_bytes(),
    "\u{2028}".as_bytes(),
    "e\u{301}\u{1f469}\u{200d}".as_bytes(),
    b"\xff",
    b"\xc3\x28",
];
/// How large a mutant may grow, in bytes.
const LARGEST: usize = 12 << 20;

/// A text with one to four edits of its tokens, lines or, seldom, bytes; `others` lend pieces.
pub(crate) fn text(random: &mut Random, seed: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..random.random_range(1..=4) {
        let lender = others.choose(random).map_or(seed, Vec::as_slice);
        bytes = match random.random_range(0..20) {
            0 => with_odd(random, &bytes),
            1..=3 => pieces(random, lines(&bytes), &lines(lender)),
            _ => pieces(random, tokens(&bytes), &tokens(lender)),
        };
        bytes.truncate(LARGEST);
    }
    bytes
}

/// Bytes with one to four edits; `others` lend pieces.
pub(crate) fn bytes(random: &mut Random, seed: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..random.random_range(1..=4) {
        let lender = others.choose(random).map_or(seed, Vec::as_slice);
        let at = random.random_range(0..=bytes.len());
        let to = random.random_range(at..=bytes.len().min(at + 4096));
        match random.random_range(0..8) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..to)),
            2 => {
                bytes = [bytes.get(..to), bytes.get(at..)]
                    .into_iter()
                    .flatten()
                    .flatten()
                    .copied()
                    .collect()
            }
            3 => {
                let from = random.random_range(0..=lender.len());
                let lent = lender.get(from..).unwrap_or_default().iter().take(to - at);
                bytes.splice(at..to, lent.copied());
            }
            // A length that is more than there is, as protobuf and as safetensors write it.
            4 => drop(bytes.splice(at..(at + 1).min(to), [0xff, 0xff, 0xff, 0xff, 0x7f])),
            5 => bytes.iter_mut().skip(at).take(8).for_each(|byte| *byte = 0xff),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.random_range(0..8);
                }
            }
        }
    }
    bytes
}

fn with_odd(random: &mut Random, bytes: &[u8]) -> Vec<u8> {
    let at = random.random_range(0..=bytes.len());
    let (before, behind) = bytes.split_at(at);
    let odd = ODD.choose(random).copied().unwrap_or_default();
    [before, odd, behind].concat()
}

/// An edit of a sequence of tokens or lines.
fn pieces<'t>(random: &mut Random, mut pieces: Vec<&'t [u8]>, lender: &[&'t [u8]]) -> Vec<u8> {
    if pieces.is_empty() {
        return Vec::new();
    }
    let (a, b) = (random.random_range(0..pieces.len()), random.random_range(0..pieces.len()));
    let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 40));
    let stretch: Vec<&[u8]> = pieces.get(from..to).unwrap_or_default().to_vec();
    match random.random_range(0..12) {
        0 => drop(pieces.remove(a)),
        1 => drop(pieces.drain(from..to)),
        2 => pieces.splice(a..a, stretch).for_each(drop),
        3 => pieces.swap(a, b),
        4 => {
            let lent = random.random_range(0..=lender.len());
            let lent = lender.iter().skip(lent).take(to - from + 1).copied();
            pieces.splice(a..a, lent).for_each(drop);
        }
        5 => replace(&mut pieces, a, lender.choose(random).copied()),
        6 => {
            let times = *[10, 300, 5000].choose(random).unwrap_or(&1);
            pieces.splice(a..a, stretch.repeat(times)).for_each(drop);
        }
        7 => {
            let pairs: [[&[u8]; 2]; 4] =
                [[b"(", b")"], [b"[", b"]"], [b"{", b"}"], [b"if true { ", b" } else { 1 }"]];
            let [open, close] = *pairs.choose(random).unwrap_or(&[b"(", b")"]);
            let depth = *[1, 10, 63, 200, 5000].choose(random).unwrap_or(&1);
            pieces.splice(to..to, vec![close; depth]).for_each(drop);
            pieces.splice(from..from, vec![open; depth]).for_each(drop);
        }
        8 => pieces.retain(|piece| *piece != b"\n"),
        _ => {
            let is_number =
                |(_, piece): &(usize, &&[u8])| piece.first().is_some_and(u8::is_ascii_digit);
            let numbers: Vec<usize> =
                pieces.iter().enumerate().filter(is_number).map(|(place, _)| place).collect();
            let number = NUMBERS.choose(random).map(|number| number.as_bytes());
            replace(&mut pieces, *numbers.choose(random).unwrap_or(&a), number);
        }
    }
    pieces.concat()
}

fn replace<'t>(pieces: &mut [&'t [u8]], at: usize, by: Option<&'t [u8]>) {
    if let (Some(piece), Some(by)) = (pieces.get_mut(at), by) {
        *piece = by;
    }
}

/// Lines with their ends.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').collect()
}

/// Words, numbers, white space and single other bytes.
fn tokens(bytes: &[u8]) -> Vec<&[u8]> {
    let class = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => 1,
        b' ' => 2,
        // The bytes of one character stay together.
        0x80.. => 3,
        _ => 4,
    };
    bytes.chunk_by(|a, b| class(*a) == class(*b) && class(*a) != 4).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const SEED: &[u8] = b"space s {\n    input x: [1, 2, 2]\n    output y = x -> relu\n}\n";

    #[test]
    fn a_seed_stands_for_one_mutant_and_most_differ_from_what_they_are_of() {
        let others = [b"block b(x) { x }\n".to_vec(), Vec::new()];
        for edit in [text, bytes] {
            let mutants = |seed| edit(&mut Random::seed_from_u64(seed), SEED, &others);
            let all: Vec<Vec<u8>> = (0..2000).map(mutants).collect();
            assert!(all.iter().filter(|mutant| *mutant != SEED).count() > 1500);
            assert!((0..2000).map(mutants).eq(all));
        }
    }

    #[test]
    fn what_is_empty_can_be_edited() {
        for seed in 0..200 {
            for edit in [text, bytes] {
                edit(&mut Random::seed_from_u64(seed), b"", &[]);
            }
        }
    }

    #[test]
    fn tokens_are_the_text() {
        assert_eq!(tokens(SEED).concat(), SEED);
        assert_eq!(tokens("ab 12é(".as_bytes()).len(), 5);
        assert_eq!(lines(SEED).len(), 4);
    }
}
