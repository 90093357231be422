//! What each operator makes of its operands, by the specification of ONNX.

mod elementwise;
mod layout;
mod matrices;
mod places;
mod reduce;
mod select;
mod site;
mod windows;

pub(crate) use select::slices;
pub(crate) use site::{Site, axis_of};
pub(crate) use windows::{Plane, groups, plane};

use crate::element::Element;
use crate::fact::Fact;
use crate::kind::Kind;

/// What a node makes: a fact for each of its results, or more.
///
/// # Errors
/// Why that does not follow, in words.
pub(crate) fn made(site: &Site<'_, '_>, kind: Kind) -> Result<Vec<Fact>, String> {
    let one = match kind {
        Kind::Split => return layout::split(site),
        Kind::Pool => return windows::pool(site),
        Kind::Recurrent(_) => return matrices::recurrent(site),
        Kind::TopK => return reduce::top_k(site),
        Kind::Norm => return reduce::norm(site),
        Kind::Dropout => {
            let first = site.first()?;
            return Ok(vec![first.clone(), Fact::new(Element::Truth, first.dims.clone())]);
        }
        Kind::DynamicQuantize => return dynamic_quantize(site),
        Kind::BatchNorm => return batch_norm(site),
        Kind::Same(unary) => elementwise::same(site, unary),
        Kind::Clip => elementwise::clip(site),
        Kind::Truth => Ok(Fact::new(Element::Truth, site.first()?.dims.clone())),
        Kind::Prelu | Kind::Scatter => site.first_with(site.first()?.dims.clone()),
        Kind::Arithmetic(binary) => elementwise::arithmetic(site, binary),
        Kind::Comparison(binary) => elementwise::comparison(site, binary),
        Kind::Where => elementwise::choice(site),
        Kind::Conv => windows::conv(site, 1, site.first()?.element),
        Kind::ConvInteger => windows::conv(site, 1, Element::I32),
        Kind::QLinearConv => windows::conv(site, 3, site.operand(7)?.element),
        Kind::ConvTranspose => windows::conv_transpose(site),
        Kind::GlobalPool => windows::global_pool(site),
        Kind::Gemm => matrices::gemm(site),
        Kind::MatMul => matrices::mat_mul(site, [0, 1], site.first()?.element),
        Kind::MatMulInteger => matrices::mat_mul(site, [0, 1], Element::I32),
        Kind::QLinearMatMul => matrices::mat_mul(site, [0, 3], site.operand(7)?.element),
        Kind::Einsum => matrices::einsum(site),
        Kind::Reshape => layout::reshape(site),
        Kind::Flatten => layout::flatten(site),
        Kind::Squeeze => layout::squeeze(site),
        Kind::Unsqueeze => layout::unsqueeze(site),
        Kind::Transpose => layout::transpose(site),
        Kind::Concat => layout::concat(site),
        Kind::DepthToSpace => layout::depth_to_space(site, false),
        Kind::SpaceToDepth => layout::depth_to_space(site, true),
        Kind::Slice => select::slice(site),
        Kind::Gather => select::gather(site),
        Kind::GatherElements => site.first_with(site.operand(1)?.dims.clone()),
        Kind::GatherNd => select::gather_nd(site),
        Kind::Expand => select::expand(site),
        Kind::Tile => select::tile(site),
        Kind::Pad => select::pad(site),
        Kind::Resize => select::resize(site),
        Kind::Upsample => select::upsample(site),
        Kind::OneHot => select::one_hot(site),
        Kind::ConstantOfShape => select::constant_of_shape(site),
        Kind::Range => select::range(site),
        Kind::Shape => select::shape(site),
        Kind::Size => size(site),
        Kind::Reduce(reduction) => reduce::reduce(site, reduction),
        Kind::Arg => reduce::arg(site),
        Kind::Cast => select::cast(site, select::named(site, "to", Element::F32)?),
        Kind::CastLike => select::cast(site, site.operand(1)?.element),
        Kind::Quantize => {
            let levels = site.given(2).map_or(Element::U8, |zero| zero.element);
            let levels = select::named(site, "output_dtype", levels)?;
            Ok(Fact::new(levels, site.first()?.dims.clone()))
        }
        Kind::Dequantize => Ok(Fact::new(site.operand(1)?.element, site.first()?.dims.clone())),
        Kind::EyeLike => {
            let own = site.first()?;
            Ok(Fact::new(select::named(site, "dtype", own.element)?, own.dims.clone()))
        }
        Kind::GridSample => grid_sample(site),
    };
    one.map(|fact| vec![fact])
}

/// Multiply-accumulates of a node that makes this of its operands: each number of a result of a kernel is a sum of so
/// many products.
///
/// # Errors
/// Its operands are not what they were when its result was found.
pub(crate) fn macs(site: &Site<'_, '_>, kind: Kind, result: &Fact) -> Result<u64, String> {
    let made = result.count().unwrap_or(u64::MAX);
    let each = |taps: u64| made.saturating_mul(taps);
    // A kernel has the channels of the result along this axis; all others are taps.
    let taps = |place: usize| -> Result<u64, String> {
        let dims = &site.operand(place)?.dims;
        Ok(dims.iter().skip(1).fold(1, |taps, &dim| taps.saturating_mul(dim)))
    };
    match kind {
        Kind::Conv | Kind::ConvInteger => Ok(each(taps(1)?)),
        Kind::QLinearConv => Ok(each(taps(3)?)),
        // Each number of the operand meets all taps of its channel.
        Kind::ConvTranspose => {
            Ok(site.first()?.count().unwrap_or(u64::MAX).saturating_mul(taps(1)?))
        }
        Kind::Gemm => {
            let inner = if site.int("transA", 0) == 0 { 1 } else { 0 };
            Ok(each(site::dim(site.first()?, inner)?))
        }
        Kind::MatMul | Kind::MatMulInteger | Kind::QLinearMatMul => {
            Ok(each(site.first()?.dims.last().copied().unwrap_or(1)))
        }
        Kind::Einsum => {
            let (sizes, _) = matrices::letters(site)?;
            Ok(sizes.iter().fold(1, |product, (_, size)| product.saturating_mul(*size)))
        }
        Kind::Recurrent(_) => matrices::recurrent_macs(site),
        _ => Ok(0),
    }
}

fn size(site: &Site<'_, '_>) -> Result<Fact, String> {
    let count = site.first()?.count().map(u64::cast_signed);
    let known = count.map(|count| crate::fact::Known::Wholes(vec![count]));
    Ok(Fact::new(Element::I64, []).with(known))
}

/// The operand, and the statistics of training where those are results.
fn batch_norm(site: &Site<'_, '_>) -> Result<Vec<Fact>, String> {
    let first = site.first()?;
    let channels = site::dim(first, 1)?;
    let statistics: Vec<Fact> = (1..5)
        .map(|place| Ok(Fact::new(site.operand(place)?.element, site.operand(place)?.dims.clone())))
        .collect::<Result<_, String>>()?;
    if let Some(other) = statistics.iter().find(|fact| fact.dims != [channels]) {
        return Err(format!("{} is not for {channels} channels", other.in_words()));
    }
    let mut made = vec![Fact::new(first.element, first.dims.clone())];
    made.extend(statistics);
    Ok(made)
}

/// Levels, a step and a zero.
fn dynamic_quantize(site: &Site<'_, '_>) -> Result<Vec<Fact>, String> {
    let levels = Fact::new(Element::U8, site.first()?.dims.clone());
    Ok(vec![levels, Fact::new(Element::F32, []), Fact::new(Element::U8, [])])
}

fn grid_sample(site: &Site<'_, '_>) -> Result<Fact, String> {
    let (input, grid) = (site.first()?, site.operand(1)?);
    let places = grid.dims.get(1..grid.dims.len().saturating_sub(1)).unwrap_or_default();
    site.first_with([&[site::dim(input, 0)?, site::dim(input, 1)?], places].concat())
}
