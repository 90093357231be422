//! The keys of parts.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};
use thiserror::Error;

/// How many digits a key has.
const DIGITS: usize = 32;

/// Stands for what a part computes: operators with arguments, wiring, shapes, precision; not names.
/// Equal parts of any two spaces have equal keys.
///
/// As text it is 32 hexadecimal digits, in small letters, and only such a text is one: a file that is
/// named by a key lies in its folder, wherever the key was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u128);

/// A text that is no key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} is no key of a part: it must be {DIGITS} hexadecimal digits, in small letters")]
pub struct NotAKey {
    /// The text.
    pub text: String,
}

impl Key {
    /// The key of a part with this hash.
    pub(super) fn of(hash: u128) -> Self {
        Self(hash)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0DIGITS$x}", self.0)
    }
}

impl FromStr for Key {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        const SHOWN: usize = 80;
        let is_key =
            text.len() == DIGITS && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let hash = is_key.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        hash.map(Self).ok_or_else(|| NotAKey { text: text.chars().take(SHOWN).collect() })
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the key of a part")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Key, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_text() {
        for text in ["00000000000000000000000000000000", "0123456789abcdef0123456789abcdef"] {
            let key: Key = text.parse().unwrap();
            assert_eq!(key.to_string(), text);
            let json = serde_json::to_string(&key).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<Key>(&json).unwrap(), key);
        }
    }

    #[test]
    fn no_other_text_is_a_key() {
        let texts = [
            "",
            "0",
            "../victim",
            "/0000000000000000000000000000000",
            "+0000000000000000000000000000000",
            "../00000000000000000000000000000",
            "0123456789ABCDEF0123456789ABCDEF",
            "0123456789abcdef0123456789abcde",
            "0123456789abcdef0123456789abcdef0",
            "０123456789abcdef0123456789abcd",
        ];
        for text in texts {
            assert!(text.parse::<Key>().is_err(), "{text}");
            let json = serde_json::to_string(text).unwrap();
            assert!(serde_json::from_str::<Key>(&json).is_err(), "{text}");
        }
        let long = "x".repeat(1 << 20).parse::<Key>().unwrap_err();
        assert!(long.to_string().len() < 200);
    }
}
