//! From the bytes of a file to its graph. The numbers of fields are those of `onnx.proto3`.

use std::collections::HashMap;

use crate::constant::Constant;
use crate::element::Element;
use crate::error::ReadError;
use crate::graph::{Attribute, Graph, Node, Size, Stated, Value, ValueId};
use crate::order::ordered;
use crate::tensor::tensor;
use crate::wire::{Fields, Held, varints};

/// The most pieces of a file that are read: nodes, names, attributes, sizes.
const MAX_PIECES: u64 = 4 << 20;
/// The most numbers of an attribute.
const MAX_NUMBERS: usize = 1 << 20;

/// The graph of a file.
///
/// # Errors
/// The bytes are no model, or have more than is read of one.
pub(crate) fn graph(bytes: &[u8]) -> Result<Graph<'_>, ReadError> {
    let mut decoder = Decoder::default();
    let mut has_graph = false;
    let mut version = "";
    let mut fields = Fields(bytes);
    while let Some((number, held)) = fields.next()? {
        match number {
            2 => decoder.graph.producer = held.text()?.to_owned(),
            3 => version = held.text()?,
            7 => {
                has_graph = true;
                decoder.graph(held.bytes()?)?;
            }
            8 => decoder.opset(held.bytes()?)?,
            _ => decoder.count()?,
        }
    }
    if !has_graph {
        return Err(ReadError::damaged("it has no graph"));
    }
    if !version.is_empty() {
        decoder.graph.producer += &format!(" {version}");
    }
    decoder.finish()
}

#[derive(Default)]
struct Decoder<'b> {
    graph: Graph<'b>,
    /// How many pieces were read.
    pieces: u64,
    ids: HashMap<&'b str, ValueId>,
    /// Names and what is said of them.
    inputs: Vec<ValueId>,
}

impl<'b> Decoder<'b> {
    /// Counts a piece of the file.
    fn count(&mut self) -> Result<(), ReadError> {
        self.pieces += 1;
        if self.pieces > MAX_PIECES {
            return Err(ReadError::TooLarge { what: "more pieces".to_owned(), most: MAX_PIECES });
        }
        Ok(())
    }

    /// The value of a name.
    fn value(&mut self, name: &'b str) -> ValueId {
        let values = &mut self.graph.values;
        *self.ids.entry(name).or_insert_with(|| values.push(Value { name, ..Value::default() }))
    }

    fn opset(&mut self, bytes: &'b [u8]) -> Result<(), ReadError> {
        let (mut domain, mut version) = ("", 0);
        let mut fields = Fields(bytes);
        while let Some((number, held)) = fields.next()? {
            match number {
                1 => domain = held.text()?,
                2 => version = held.whole()?,
                _ => {}
            }
        }
        self.count()?;
        self.graph.opsets.insert(domain, version);
        Ok(())
    }

    fn graph(&mut self, bytes: &'b [u8]) -> Result<(), ReadError> {
        let mut fields = Fields(bytes);
        while let Some((number, held)) = fields.next()? {
            self.count()?;
            match number {
                1 => self.node(held.bytes()?)?,
                5 => {
                    let constant = self.tensor(held.bytes()?)?;
                    self.initialiser(constant)?;
                }
                11..=13 => {
                    let id = self.stated(held.bytes()?)?;
                    match number {
                        11 => self.inputs.push(id),
                        12 => self.graph.outputs.push(id),
                        _ => {}
                    }
                }
                15 => return Err(ReadError::graph("it has sparse constants, which are not read")),
                _ => {}
            }
        }
        Ok(())
    }

    fn initialiser(&mut self, constant: Constant<'b>) -> Result<(), ReadError> {
        let id = self.value(constant.name);
        let earlier = self.graph.values[id].constant.replace(constant);
        match earlier {
            Some(earlier) => {
                Err(ReadError::graph(format!("there are two constants `{}`", earlier.name)))
            }
            None => Ok(()),
        }
    }

    /// The value that an input, an output or another value is stated to be.
    fn stated(&mut self, bytes: &'b [u8]) -> Result<ValueId, ReadError> {
        let (mut name, mut stated) = ("", None);
        let mut fields = Fields(bytes);
        while let Some((number, held)) = fields.next()? {
            match number {
                1 => name = held.text()?,
                2 => stated = self.kind(held.bytes()?)?.or(stated),
                _ => {}
            }
        }
        let id = self.value(name);
        let value = &mut self.graph.values[id];
        value.stated = stated.or_else(|| value.stated.take());
        Ok(id)
    }

    /// The tensor of a type; `None` if it is none.
    fn kind(&mut self, bytes: &'b [u8]) -> Result<Option<Stated<'b>>, ReadError> {
        let mut stated = None;
        let mut fields = Fields(bytes);
        while let Some((number, held)) = fields.next()? {
            // Sequences, maps and the like are not looked at.
            if number == 1 {
                stated = self.tensor_type(held.bytes()?)?;
            }
        }
        Ok(stated)
    }

    fn tensor_type(&mut self, bytes: &'b [u8]) -> Result<Option<Stated<'b>>, ReadError> {
        let (mut element, mut sizes) = (None, None);
        let mut fields = Fields(bytes);
        while let Some((number, held)) = fields.next()? {
            match number {
                1 => element = Element::of_code(held.whole()?),
                2 => sizes = Some(self.sizes(held.bytes()?)?),
                _ => {}
            }
        }
        Ok(element.map(|element| Stated { element, sizes }))
    }

    fn sizes(&mut self, bytes: &'b [u8]) -> Result<Vec<Size<'b>>, ReadError> {
        let mut sizes = Vec::new();
        let mut fields = Fields(bytes);
        while let Some((number, held)) = fields.next()? {
            self.count()?;
            if number == 1 {
                sizes.push(size(held.bytes()?)?);
            }
        }
        Ok(sizes)
    }

    fn node(&mut self, bytes: &'b [u8]) -> Result<(), ReadError> {
        let mut node = Node::default();
        let mut fields = Fields(bytes);
        while let Some((number, held)) = fields.next()? {
            self.count()?;
            match number {
                1 => node.inputs.push(self.operand(held)?),
                2 => node.outputs.push(self.operand(held)?),
                3 => node.name = held.text()?,
                4 => node.operator = held.text()?,
                5 => {
                    let (name, value) = self.attribute(held.bytes()?)?;
                    node.attributes.insert(name, value);
                }
                7 => node.domain = held.text()?,
                _ => {}
            }
        }
        match written_out(&node) {
            Some((value, constant)) => {
                let name = self.graph.values[value].name;
                self.initialiser(Constant { name, ..constant })
            }
            None => {
                self.graph.nodes.push(node);
                Ok(())
            }
        }
    }

    /// The value of a name; an empty one stands for an operand that is left out.
    fn operand(&mut self, held: Held<'b>) -> Result<Option<ValueId>, ReadError> {
        let name = held.text()?;
        Ok((!name.is_empty()).then(|| self.value(name)))
    }

    fn attribute(&mut self, bytes: &'b [u8]) -> Result<(&'b str, Attribute<'b>), ReadError> {
        let mut name = "";
        let (mut ints, mut floats) = (Vec::new(), Vec::new());
        let mut value = None;
        let mut kind = 0;
        let mut fields = Fields(bytes);
        while let Some((number, held)) = fields.next()? {
            match number {
                1 => name = held.text()?,
                2 => value = Some(Attribute::Float(float(held)?)),
                3 => value = Some(Attribute::Int(held.whole()?)),
                4 => value = Some(Attribute::Text(held.bytes()?)),
                5 => value = Some(Attribute::Tensor(self.tensor(held.bytes()?)?)),
                7 => push_floats(&mut floats, held)?,
                8 => push_ints(&mut ints, held)?,
                20 => kind = held.whole()?,
                _ => self.count()?,
            }
        }
        // An empty list, and a zero, leave no field behind but their type.
        let value = match (kind, value) {
            (6, _) => Attribute::Floats(floats),
            (7, _) => Attribute::Ints(ints),
            (1, None) => Attribute::Float(0.0),
            (2, None) => Attribute::Int(0),
            (3, None) => Attribute::Text(b""),
            (_, Some(value)) => value,
            (_, None) if !ints.is_empty() => Attribute::Ints(ints),
            (_, None) if !floats.is_empty() => Attribute::Floats(floats),
            (_, None) => Attribute::Other,
        };
        Ok((name, value))
    }

    fn tensor(&mut self, bytes: &'b [u8]) -> Result<Constant<'b>, ReadError> {
        tensor(bytes, &mut || self.count())
    }

    /// The graph, with what its values say of each other checked.
    fn finish(mut self) -> Result<Graph<'b>, ReadError> {
        let graph = &mut self.graph;
        let is_constant = |id: &ValueId| graph.values[*id].constant.is_some();
        graph.inputs = self.inputs.into_iter().filter(|id| !is_constant(id)).collect();
        ordered(graph)?;
        Ok(self.graph)
    }
}

/// The value of a node that is nothing but a constant, and that constant.
fn written_out<'b>(node: &Node<'b>) -> Option<(ValueId, Constant<'b>)> {
    let ("Constant", true, [Some(value)]) =
        (node.operator, node.is_standard(), node.outputs.as_slice())
    else {
        return None;
    };
    let (name, attribute) = node.attributes.first_key_value()?;
    let constant = match (*name, attribute) {
        ("value", Attribute::Tensor(constant)) => constant.clone(),
        ("value_int", Attribute::Int(int)) => Constant::of_ints(&[*int], Vec::new()),
        ("value_ints", Attribute::Ints(ints)) => Constant::of_ints(ints, vec![ints.len() as u64]),
        ("value_float", Attribute::Float(float)) => Constant::of_floats(&[*float], Vec::new()),
        ("value_floats", Attribute::Floats(floats)) => {
            Constant::of_floats(floats, vec![floats.len() as u64])
        }
        _ => return None,
    };
    Some((*value, constant))
}

fn size(bytes: &[u8]) -> Result<Size<'_>, ReadError> {
    let mut size = Size::Open;
    let mut fields = Fields(bytes);
    while let Some((number, held)) = fields.next()? {
        match number {
            // Some writers put 0 or -1 where they do not know.
            1 => {
                size = u64::try_from(held.whole()?)
                    .ok()
                    .filter(|&n| n > 0)
                    .map_or(Size::Open, Size::Of)
            }
            2 => match held.text()? {
                // Paddle names all that it does not know alike.
                "" | "?" => size = Size::Open,
                name => size = Size::Named(name),
            },
            _ => {}
        }
    }
    Ok(size)
}

fn float(held: Held<'_>) -> Result<f32, ReadError> {
    match held {
        Held::Four(bytes) => Ok(f32::from_le_bytes(bytes)),
        _ => Err(ReadError::damaged("something else stands where a float belongs")),
    }
}

fn push_floats(floats: &mut Vec<f32>, held: Held<'_>) -> Result<(), ReadError> {
    match held {
        Held::Bytes(bytes) => {
            within(floats.len(), bytes.len() / 4)?;
            floats.extend(bytes.as_chunks().0.iter().map(|&float| f32::from_le_bytes(float)));
        }
        held => {
            within(floats.len(), 1)?;
            floats.push(float(held)?);
        }
    }
    Ok(())
}

fn push_ints(ints: &mut Vec<i64>, held: Held<'_>) -> Result<(), ReadError> {
    match held {
        Held::Bytes(bytes) => {
            within(ints.len(), bytes.len())?;
            for number in varints(bytes) {
                let number = number.ok_or_else(|| ReadError::damaged("an integer is cut short"))?;
                ints.push(number.cast_signed());
            }
        }
        held => {
            within(ints.len(), 1)?;
            ints.push(held.whole()?);
        }
    }
    Ok(())
}

/// That a list of an attribute does not get too long.
fn within(there: usize, more: usize) -> Result<(), ReadError> {
    let most = MAX_NUMBERS;
    if there + more > most {
        let what = format!("an attribute of {} numbers", there + more);
        return Err(ReadError::TooLarge { what, most: most as u64 });
    }
    Ok(())
}
