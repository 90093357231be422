//! A tensor from its message.

use std::borrow::Cow;

use crate::constant::{Constant, Data, MAX_RANK, Outside, elements};
use crate::element::Element;
use crate::error::ReadError;
use crate::wire::{Fields, Held, push_varint, varints};

/// What of a tensor's message tells where its elements are.
#[derive(Default)]
struct Parts<'b> {
    /// `raw_data`, or packed floats of 32 or 64 bits, which are the same bytes.
    bytes: Vec<Cow<'b, [u8]>>,
    varints: Vec<Cow<'b, [u8]>>,
    has_texts: bool,
    location: Option<&'b str>,
    offset: u64,
    length: Option<u64>,
    is_outside: bool,
}

/// The tensor; `count` is asked for each piece that is kept of it.
///
/// # Errors
/// It is none, or has not as many elements as its sizes say.
pub(crate) fn tensor<'b>(
    bytes: &'b [u8],
    count: &mut dyn FnMut() -> Result<(), ReadError>,
) -> Result<Constant<'b>, ReadError> {
    let (mut name, mut dims, mut code) = ("", Vec::new(), 0);
    let mut parts = Parts::default();
    let mut fields = Fields(bytes);
    while let Some((number, held)) = fields.next()? {
        count()?;
        match (number, held) {
            (1, held) => push_dims(&mut dims, held)?,
            (2, held) => code = held.whole()?,
            (3, _) => {
                return Err(ReadError::graph("a constant is in segments, which are not read"));
            }
            (4 | 9 | 10, Held::Bytes(bytes)) => parts.bytes.push(Cow::Borrowed(bytes)),
            (4, Held::Four(float)) => owned(&mut parts.bytes).extend(float),
            (10, Held::Eight(float)) => owned(&mut parts.bytes).extend(float),
            (5 | 7 | 11, Held::Bytes(bytes)) => parts.varints.push(Cow::Borrowed(bytes)),
            (5 | 7 | 11, Held::Number(number)) => push_varint(owned(&mut parts.varints), number),
            (6, _) => parts.has_texts = true,
            (8, held) => name = held.text()?,
            (13, held) => parts.entry(held.bytes()?)?,
            (14, held) => parts.is_outside = held.whole()? == 1,
            _ => {}
        }
    }
    let element = Element::of_code(code).ok_or_else(|| {
        ReadError::damaged(format!("the elements of constant `{name}` are of a type {code}"))
    })?;
    let data = parts.data(name, element, &dims)?;
    let constant = Constant { name, element, dims, data };
    constant.check()?;
    Ok(constant)
}

/// The last part, to which numbers are added that stand one by one.
fn owned<'p>(parts: &'p mut Vec<Cow<'_, [u8]>>) -> &'p mut Vec<u8> {
    if !matches!(parts.last(), Some(Cow::Owned(_))) {
        parts.push(Cow::Owned(Vec::new()));
    }
    match parts.last_mut() {
        Some(part) => part.to_mut(),
        None => nas_ir::fault("a list without what was just added"),
    }
}

fn push_dims(dims: &mut Vec<u64>, held: Held<'_>) -> Result<(), ReadError> {
    let negative = || ReadError::damaged("a constant has a negative size");
    let mut push = |dim: Option<u64>| {
        dims.push(dim.filter(|&dim| i64::try_from(dim).is_ok()).ok_or_else(negative)?);
        if dims.len() > MAX_RANK {
            let what = "a constant of more axes".to_owned();
            return Err(ReadError::TooLarge { what, most: MAX_RANK as u64 });
        }
        Ok(())
    };
    match held {
        Held::Bytes(bytes) => varints(bytes).try_for_each(push),
        held => push(Some(held.whole()?.cast_unsigned())),
    }
}

impl<'b> Parts<'b> {
    /// A key and a value that say where the elements lie.
    fn entry(&mut self, bytes: &'b [u8]) -> Result<(), ReadError> {
        let (mut key, mut value) = ("", "");
        let mut fields = Fields(bytes);
        while let Some((number, held)) = fields.next()? {
            match number {
                1 => key = held.text()?,
                2 => value = held.text()?,
                _ => {}
            }
        }
        let number = || {
            let number = value.parse::<u64>();
            number.map_err(|_| ReadError::damaged(format!("`{value}` is no {key} in a file")))
        };
        match key {
            "location" => self.location = Some(value),
            "offset" => self.offset = number()?,
            "length" => self.length = Some(number()?),
            _ => {}
        }
        Ok(())
    }

    fn data(self, name: &str, element: Element, dims: &[u64]) -> Result<Data<'b>, ReadError> {
        if self.is_outside {
            let location = self.location.filter(|location| !location.is_empty());
            let location = location.ok_or_else(|| {
                ReadError::graph(format!("nothing says where the data of `{name}` lie"))
            })?;
            let own = element.bytes(elements(dims)?).unwrap_or(u64::MAX);
            let (offset, length) = (self.offset, self.length.unwrap_or(own));
            return Ok(Data::Outside(Outside { location, offset, length }));
        }
        if self.has_texts {
            return Ok(Data::Texts);
        }
        if self.varints.is_empty() {
            return Ok(Data::Bytes(joined(self.bytes)));
        }
        if self.bytes.is_empty() {
            return Ok(Data::Varints(self.varints));
        }
        Err(ReadError::graph(format!("constant `{name}` has its elements twice")))
    }
}

/// Parts as one; a part alone is not copied.
fn joined(mut parts: Vec<Cow<'_, [u8]>>) -> Cow<'_, [u8]> {
    match parts.len() {
        0 => Cow::Borrowed(&[]),
        1 => parts.swap_remove(0),
        _ => Cow::Owned(parts.concat()),
    }
}
