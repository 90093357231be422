//! Operators that only move elements.

use std::num::NonZeroU32;

use nas_ir::Op;
use nas_ir::ops::{
    Border, ChannelPad, ChannelShuffle, ChannelSlice, Crop, Flatten, GlobalAvgPool, Pad,
};

use super::{Matcher, Shuffle, Step, Why, shape};
use crate::fact::{Fact, Known};
use crate::graph::{Node, ValueId};
use crate::kind::Kind;
use crate::rules::{Site, axis_of, slices};

impl<'m, 'b> Matcher<'m, 'b, '_> {
    /// What a node is that moves elements.
    pub(super) fn moved(
        &mut self,
        node: &'m Node<'b>,
        kind: Kind,
        site: &Site<'_, '_>,
        made: &Fact,
    ) -> Result<Step, Why> {
        let first = node.operand(0).ok_or("it lacks its operand")?;
        let plain = |op: Op| Ok(Step::Op(op, vec![first], Vec::new()));
        match kind {
            Kind::Flatten | Kind::Squeeze | Kind::Reshape | Kind::Unsqueeze => {
                self.reshaped(node, site, made, first)
            }
            Kind::Transpose => self.turned(node, site, first),
            Kind::Pad => plain(pad(site)?),
            Kind::Slice => plain(slice(site)?),
            Kind::Quantize | Kind::Dequantize | Kind::DynamicQuantize => {
                Err("it rounds to integers".into())
            }
            _ => Err("no operator of ours does that".into()),
        }
    }

    fn reshaped(
        &mut self,
        node: &Node<'_>,
        site: &Site<'_, '_>,
        made: &Fact,
        first: ValueId,
    ) -> Result<Step, Why> {
        let from = site.first()?;
        let result = node.outputs.first().copied().flatten().ok_or("it makes nothing")?;
        if from.dims == made.dims {
            return Ok(Step::Alias);
        }
        if let Some(shuffle) = self.shuffles.get(&first).copied().filter(|it| it.is_turned) {
            if self.fact(shuffle.of)?.dims == made.dims {
                let op = Op::ChannelShuffle(ChannelShuffle { groups: shuffle.groups });
                return Ok(Step::Op(op, vec![shuffle.of], Vec::new()));
            }
            return Err("it shuffles no channels".into());
        }
        let is_vector = made.dims.len() == 2 && from.dims.first() == made.dims.first();
        if is_vector && from.dims.len() > 2 {
            return Ok(Step::Op(Op::Flatten(Flatten), vec![first], Vec::new()));
        }
        if let (&[images, channels, h, w], &[batch, groups, each, height, width]) =
            (from.dims.as_slice(), made.dims.as_slice())
            && (images, h, w) == (batch, height, width)
            && groups.checked_mul(each) == Some(channels)
            && let Some(groups) = u32::try_from(groups).ok().and_then(NonZeroU32::new)
        {
            self.shuffles.insert(result, Shuffle { of: first, groups, is_turned: false });
            return Ok(Step::Done);
        }
        Err(format!("it makes {:?} of {:?}", made.dims, from.dims).into())
    }

    fn turned(&mut self, node: &Node<'_>, _: &Site<'_, '_>, first: ValueId) -> Result<Step, Why> {
        let result = node.outputs.first().copied().flatten().ok_or("it makes nothing")?;
        match self.shuffles.get(&first).copied() {
            Some(shuffle) if node.ints("perm") == Some(&[0, 2, 1, 3, 4]) => {
                self.shuffles.insert(result, Shuffle { is_turned: true, ..shuffle });
                Ok(Step::Done)
            }
            _ => Err("it puts axes into another order".into()),
        }
    }

    /// The channels of a value, parted.
    pub(super) fn split(
        &mut self,
        node: &'m Node<'b>,
        site: &Site<'_, '_>,
        results: &[ValueId],
    ) -> Result<(), Why> {
        let first = node.operand(0).ok_or("it lacks its operand")?;
        if axis_of(site.int("axis", 0), site.first()?.dims.len())? != 1 {
            return Err("it parts something else than channels".into());
        }
        let mut start = 0;
        for &result in results {
            let end = start + shape(self.fact(result)?)?.channels();
            let op = Op::ChannelSlice(ChannelSlice { start, end });
            self.push(result, op, &[first], Vec::new())?;
            start = end;
        }
        Ok(())
    }

    /// The mean of all pixels as a vector.
    pub(super) fn pooled_vector(
        &mut self,
        node: &Node<'_>,
        site: &Site<'_, '_>,
    ) -> Result<Step, Why> {
        let first = self.place(node.operand(0).ok_or("it lacks its operand")?)?;
        let result = node.outputs.first().copied().flatten().ok_or("it makes nothing")?;
        let pooled = shape(site.first()?)?.pooled();
        let mean = Op::GlobalAvgPool(GlobalAvgPool);
        self.push_node(result, mean, vec![first], Vec::new(), pooled)?;
        let place = self.place(result)?;
        if let Some(node) = self.nodes.get_mut(place) {
            node.name += ":pooled";
        }
        let vector = shape(self.fact(result)?)?;
        self.push_node(result, Op::Flatten(Flatten), vec![place], Vec::new(), vector)?;
        Ok(Step::Done)
    }
}

fn pad(site: &Site<'_, '_>) -> Result<Op, Why> {
    let is_constant = matches!(site.node.text("mode"), None | Some("constant"));
    let filled = site.given(2).and_then(|fact| fact.known.as_ref()).map(Known::to_floats);
    let filled =
        filled.and_then(|all| all.first().copied()).or(site.node.float("value").map(f64::from));
    if !is_constant || filled.is_some_and(|value| value != 0.0) || site.given(3).is_some() {
        return Err("its border is not of zeros".into());
    }
    let pads = match site.node.ints("pads") {
        Some(pads) => pads,
        None => site.wholes(1)?,
    };
    let pads: Vec<u32> =
        pads.iter().map(|&pad| u32::try_from(pad).ok()).collect::<Option<_>>().ok_or("it crops")?;
    let (before, after) = pads.split_at(pads.len() / 2);
    match (before, after) {
        (&[0, 0, top, left], &[0, 0, bottom, right]) => {
            Ok(Op::Pad(Pad(Border { top, left, bottom, right })))
        }
        (&[0, before, ref first @ ..], &[0, after, ref last @ ..])
            if first.iter().chain(last).all(|&pad| pad == 0) =>
        {
            Ok(Op::ChannelPad(ChannelPad { before, after }))
        }
        _ => Err("its border is neither of pixels nor of channels".into()),
    }
}

fn slice(site: &Site<'_, '_>) -> Result<Op, Why> {
    let dims = &site.first()?.dims;
    let mut border = Border::default();
    let mut channels = None;
    for (axis, part) in slices(site)? {
        let (Some(&whole), Ok(begin), 1) = (dims.get(axis), u32::try_from(part.begin), part.step)
        else {
            return Err("it takes steps".into());
        };
        let count = u32::try_from(part.count).map_err(|_| "it is too large")?;
        let whole = u32::try_from(whole).map_err(|_| "it is too large")?;
        let end = begin.saturating_add(count);
        let rest = whole.saturating_sub(end);
        match (axis, begin, rest) {
            (_, 0, 0) => {}
            (1, ..) => channels = Some(ChannelSlice { start: begin, end }),
            (2, ..) => (border.top, border.bottom) = (begin, rest),
            (3, ..) => (border.left, border.right) = (begin, rest),
            _ => return Err("it takes some images alone".into()),
        }
    }
    match channels {
        Some(slice) if border == Border::default() => Ok(Op::ChannelSlice(slice)),
        None => Ok(Op::Crop(Crop(border))),
        Some(_) => Err("it takes channels and pixels at once".into()),
    }
}
