//! The wire format of protobuf: the fields of a message one after the other, nothing copied.
//!
//! A decoder of whole messages makes hundreds of bytes of an empty one, so that a small file fills the memory; this one
//! makes nothing, and what is kept of each field is its reader's to bound.

use crate::error::ReadError;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Held<'b> {
    /// An integer of variable length.
    Number(u64),
    /// Four bytes.
    Four([u8; 4]),
    /// Eight bytes.
    Eight([u8; 8]),
    /// A text, a message, or numbers one after the other.
    Bytes(&'b [u8]),
}

impl<'b> Held<'b> {
    /// The bytes of a text or a message.
    pub(crate) fn bytes(self) -> Result<&'b [u8], ReadError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(ReadError::damaged("a number stands where a text or a message belongs")),
        }
    }

    /// A text.
    pub(crate) fn text(self) -> Result<&'b str, ReadError> {
        let text = std::str::from_utf8(self.bytes()?);
        text.map_err(|_| ReadError::damaged("a name is not UTF-8"))
    }

    /// An integer.
    pub(crate) fn whole(self) -> Result<i64, ReadError> {
        match self {
            Self::Number(number) => Ok(number.cast_signed()),
            _ => Err(ReadError::damaged("something else stands where an integer belongs")),
        }
    }
}

/// The fields of a message, each by its number.
pub(crate) struct Fields<'b>(pub(crate) &'b [u8]);

impl<'b> Fields<'b> {
    /// The next field.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, Held<'b>)>, ReadError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = self.number()?;
        let held = match tag & 7 {
            0 => Held::Number(self.number()?),
            1 => Held::Eight(*self.chunk()?),
            2 => {
                let length = usize::try_from(self.number()?).unwrap_or(usize::MAX);
                Held::Bytes(self.taken(length)?)
            }
            5 => Held::Four(*self.chunk()?),
            kind => return Err(ReadError::damaged(format!("there is no field of type {kind}"))),
        };
        match tag >> 3 {
            0 => Err(ReadError::damaged("a field has no number")),
            number => Ok(Some((number, held))),
        }
    }

    fn chunk<const N: usize>(&mut self) -> Result<&'b [u8; N], ReadError> {
        let (chunk, rest) = self.0.split_first_chunk().ok_or_else(Self::cut)?;
        self.0 = rest;
        Ok(chunk)
    }

    fn taken(&mut self, length: usize) -> Result<&'b [u8], ReadError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(Self::cut)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u64, ReadError> {
        varint(&mut self.0).ok_or_else(Self::cut)
    }

    fn cut() -> ReadError {
        ReadError::damaged("it is cut short")
    }
}

/// The integers of variable length that stand one after the other; `None` in place of one that is cut short.
pub(crate) fn varints(mut bytes: &[u8]) -> impl Iterator<Item = Option<u64>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let number = varint(&mut bytes);
        if number.is_none() {
            bytes = &[];
        }
        Some(number)
    })
}

/// How many such integers there are.
pub(crate) fn count_varints(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte & 0x80 == 0).count() as u64
}

/// Adds an integer of variable length.
pub(crate) fn push_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_one_after_the_other() {
        // 1: 300, 2: "a", 3: four bytes.
        let mut fields = Fields(&[8, 0xac, 2, 18, 1, b'a', 29, 1, 2, 3, 4]);
        assert_eq!(fields.next().unwrap(), Some((1, Held::Number(300))));
        assert_eq!(fields.next().unwrap(), Some((2, Held::Bytes(b"a"))));
        assert_eq!(fields.next().unwrap(), Some((3, Held::Four([1, 2, 3, 4]))));
        assert_eq!(fields.next().unwrap(), None);
    }

    #[test]
    fn what_is_no_message() {
        for bytes in [&[8][..], &[18, 5, 1], &[11], &[0, 1], &[8, 0xff, 0xff], &[0xff; 20]] {
            assert!(Fields(bytes).next().is_err(), "{bytes:?}");
        }
        let huge = [18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert!(Fields(&huge).next().is_err());
    }

    #[test]
    fn numbers_one_after_the_other() {
        let all: Vec<_> = varints(&[1, 0xac, 2, 0x80]).collect();
        assert_eq!(all, [Some(1), Some(300), None]);
        assert_eq!(count_varints(&[1, 0xac, 2]), 2);
    }
}
