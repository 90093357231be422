//! Edits of a protobuf message field by field, so that what is around them stays whole.

use rand::Rng;
use rand::seq::IndexedRandom;

use super::case::Random;

/// How deep messages may lie in each other.
const DEEPEST: usize = 8;
/// Numbers where programs end.
const NUMBERS: [u64; 10] = [0, 1, 2, 7, 255, 1 << 20, 1 << 31, 1 << 40, i64::MAX as u64, u64::MAX];

/// A field: its number and wire type as they are written, and what it holds.
#[derive(Debug, Clone)]
struct Field {
    tag: u64,
    value: Value,
}

#[derive(Debug, Clone)]
enum Value {
    Number(u64),
    /// Of four or eight bytes.
    Fixed(Vec<u8>),
    Bytes(Vec<u8>),
}

/// A message with one to three of its fields, however deep, edited; as it was if it is none.
pub(crate) fn edited(random: &mut Random, message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    for _ in 0..random.random_range(1..=3) {
        message = edit(random, &message, 0).unwrap_or(message);
    }
    message
}

fn edit(random: &mut Random, message: &[u8], depth: usize) -> Option<Vec<u8>> {
    let mut fields = fields(message)?;
    let at = random.random_range(0..fields.len());
    let field = fields.get_mut(at)?;
    // Mostly what lies deep is edited: it is most of a message.
    let is_inside = depth < DEEPEST && random.random_bool(0.9);
    if let (Value::Bytes(bytes), true) = (&mut field.value, is_inside)
        && let Some(inner) = edit(random, bytes, depth + 1)
    {
        *bytes = inner;
        return Some(written(&fields));
    }
    match random.random_range(0..6) {
        0 => drop(fields.remove(at)),
        1 => {
            let field = fields.get(at)?.clone();
            let times = *[1, 3, 2000].choose(random)?;
            fields.splice(at..at, vec![field; times]).for_each(drop);
        }
        2 => {
            let other = random.random_range(0..fields.len());
            fields.swap(at, other);
        }
        3 => field.tag = field.tag & 7 | random.random_range(1..20) << 3,
        _ => change(random, &mut field.value),
    }
    Some(written(&fields))
}

fn change(random: &mut Random, value: &mut Value) {
    match value {
        Value::Number(number) => *number = NUMBERS.choose(random).copied().unwrap_or_default(),
        Value::Fixed(bytes) => bytes.iter_mut().for_each(|byte| *byte = random.random()),
        Value::Bytes(bytes) => match random.random_range(0..4) {
            0 => bytes.clear(),
            1 => bytes.truncate(bytes.len() / 2),
            2 => bytes.extend_from_within(..),
            _ => bytes.iter_mut().take(16).for_each(|byte| *byte = random.random()),
        },
    }
}

/// The fields of a message, at least one of them; `None` if it is none.
fn fields(mut bytes: &[u8]) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = number(&mut bytes)?;
        let value = match tag & 7 {
            0 => Value::Number(number(&mut bytes)?),
            1 => Value::Fixed(taken(&mut bytes, 8)?),
            2 => {
                let length = usize::try_from(number(&mut bytes)?).ok()?;
                Value::Bytes(taken(&mut bytes, length)?)
            }
            5 => Value::Fixed(taken(&mut bytes, 4)?),
            _ => return None,
        };
        fields.push(Field { tag, value });
    }
    (!fields.is_empty()).then_some(fields)
}

fn taken(bytes: &mut &[u8], length: usize) -> Option<Vec<u8>> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken.to_vec())
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn written(fields: &[Field]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for Field { tag, value } in fields {
        write_number(&mut bytes, *tag);
        match value {
            Value::Number(number) => write_number(&mut bytes, *number),
            Value::Fixed(fixed) => bytes.extend(fixed),
            Value::Bytes(inner) => {
                write_number(&mut bytes, inner.len() as u64);
                bytes.extend(inner);
            }
        }
    }
    bytes
}

fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    /// 1: 300, 2: { 1: "a" }, 3: four bytes.
    const MESSAGE: [u8; 13] = [8, 0xac, 2, 18, 3, 10, 1, b'a', 29, 1, 2, 3, 4];

    #[test]
    fn a_message_is_written_as_it_was_read() {
        let all = fields(&MESSAGE).unwrap();
        assert_eq!((all.len(), written(&all)), (3, MESSAGE.to_vec()));
        assert!(fields(&MESSAGE[..12]).is_none() && fields(&[]).is_none());
    }

    #[test]
    fn what_is_edited_is_a_message() {
        for seed in 0..2000 {
            let mutant = edited(&mut Random::seed_from_u64(seed), &MESSAGE);
            assert!(mutant.is_empty() || fields(&mutant).is_some(), "{mutant:?}");
        }
        assert_eq!(edited(&mut Random::seed_from_u64(1), b"none"), b"none");
    }
}
