//! Convolutions, transposed ones, pools: sizes by their windows.

use super::site::{Made, Site, dim, overflow, size};
use crate::element::Element;
use crate::fact::Fact;

/// The windows of a node.
struct Windows {
    kernel: Vec<u64>,
    strides: Vec<u64>,
    dilations: Vec<u64>,
    /// Pixels before and after, along each axis.
    pads: Vec<[i64; 2]>,
    /// The size of the result is that of the operand over the stride, whatever the pads.
    is_same: bool,
    ceil: bool,
}

/// A convolution of the operand by a kernel, `[out, in / groups, …]`.
pub(crate) fn conv(site: &Site<'_, '_>, kernel: usize, element: Element) -> Made {
    let (input, kernel) = (site.first()?, site.operand(kernel)?);
    let (groups, channels) = (groups(site)?, dim(input, 1)?);
    let (out, each) = (dim(kernel, 0)?, dim(kernel, 1)?);
    if each.checked_mul(groups) != Some(channels) || out % groups != 0 {
        return Err(format!(
            "a kernel {:?} of {groups} groups does not fit an operand {}",
            kernel.dims,
            input.in_words()
        ));
    }
    let spatial = kernel.dims.get(2..).unwrap_or_default().to_vec();
    let windows = Windows::of(site, spatial)?;
    let mut dims = vec![dim(input, 0)?, out];
    dims.extend(windows.count(&input.dims)?);
    Ok(Fact::new(element, dims))
}

/// A transposed convolution by a kernel `[in, out / groups, …]`.
pub(crate) fn conv_transpose(site: &Site<'_, '_>) -> Made {
    let (input, kernel) = (site.first()?, site.operand(1)?);
    let groups = groups(site)?;
    if dim(kernel, 0)? != dim(input, 1)? || dim(kernel, 0)? % groups != 0 {
        let input = input.in_words();
        return Err(format!("a kernel {:?} does not fit an operand {input}", kernel.dims));
    }
    let spatial = kernel.dims.get(2..).unwrap_or_default().to_vec();
    let windows = Windows::of(site, spatial)?;
    let mut dims = vec![dim(input, 0)?, dim(kernel, 1)?.checked_mul(groups).ok_or_else(overflow)?];
    if let Some(shape) = site.node.ints("output_shape") {
        let spatial = shape.get(shape.len().saturating_sub(windows.kernel.len())..);
        for &whole in spatial.unwrap_or_default() {
            dims.push(size(whole)?);
        }
    } else {
        let beyond = listed(site, "output_padding", windows.kernel.len(), 0)?;
        for (axis, beyond) in beyond.into_iter().enumerate() {
            dims.push(windows.transposed(axis, dim(input, axis + 2)?, beyond)?);
        }
    }
    if dims.len() != input.dims.len() {
        return Err(format!("a kernel {:?} has other axes than {}", kernel.dims, input.in_words()));
    }
    site.first_with(dims)
}

/// A pool, and the places of its maxima where they are asked for.
pub(crate) fn pool(site: &Site<'_, '_>) -> Result<Vec<Fact>, String> {
    let input = site.first()?;
    let kernel = site.node.ints("kernel_shape").ok_or("it has no kernel_shape")?;
    let kernel = kernel.iter().map(|&whole| size(whole)).collect::<Result<Vec<_>, _>>()?;
    let windows = Windows::of(site, kernel)?;
    let mut dims = vec![dim(input, 0)?, dim(input, 1)?];
    dims.extend(windows.count(&input.dims)?);
    Ok(vec![Fact::new(input.element, dims.clone()), Fact::new(Element::I64, dims)])
}

/// All positions as one.
pub(crate) fn global_pool(site: &Site<'_, '_>) -> Made {
    let input = site.first()?;
    site.first_with(
        input
            .dims
            .iter()
            .enumerate()
            .map(|(axis, &dim)| if axis < 2 { dim } else { 1 })
            .collect::<Vec<_>>(),
    )
}

/// The windows of a node over a map, with every pad told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plane {
    pub(crate) kernel: [u32; 2],
    pub(crate) stride: [u32; 2],
    pub(crate) dilation: [u32; 2],
    pub(crate) before: [u32; 2],
    pub(crate) after: [u32; 2],
    pub(crate) ceil: bool,
}

/// The windows of a node with a kernel of these sizes that makes this of its first operand.
pub(crate) fn plane(site: &Site<'_, '_>, kernel: &[u64], result: &Fact) -> Result<Plane, String> {
    let windows = Windows::of(site, kernel.to_vec())?;
    if windows.kernel.len() != 2 {
        return Err(format!("its windows have {} axes, and not 2", windows.kernel.len()));
    }
    let mut plane = Plane {
        kernel: [0; 2],
        stride: [0; 2],
        dilation: [0; 2],
        before: [0; 2],
        after: [0; 2],
        ceil: windows.ceil,
    };
    let is_lower = site.node.text("auto_pad") == Some("SAME_LOWER");
    let number = |size: u64| u32::try_from(size).map_err(|_| overflow());
    for axis in 0..2 {
        let ([kernel, stride, dilation], mut pads) = windows.line(axis)?;
        if windows.is_same {
            let (from, to) = (dim(site.first()?, axis + 2)?, dim(result, axis + 2)?);
            let reach = to
                .saturating_sub(1)
                .saturating_mul(stride)
                .saturating_add(dilation * (kernel - 1) + 1);
            let all = i64::try_from(reach.saturating_sub(from)).map_err(|_| overflow())?;
            let less = all / 2;
            pads = if is_lower { [all - less, less] } else { [less, all - less] };
        }
        let [before, after] =
            pads.map(|pad| u32::try_from(pad).map_err(|_| format!("a pad of {pad} crops")));
        for (side, number) in [
            (&mut plane.kernel, number(kernel)),
            (&mut plane.stride, number(stride)),
            (&mut plane.dilation, number(dilation)),
            (&mut plane.before, before),
            (&mut plane.after, after),
        ] {
            if let Some(side) = side.get_mut(axis) {
                *side = number?;
            }
        }
    }
    Ok(plane)
}

pub(crate) fn groups(site: &Site<'_, '_>) -> Result<u64, String> {
    let groups = site.int("group", 1);
    u64::try_from(groups)
        .ok()
        .filter(|&groups| groups > 0)
        .ok_or_else(|| format!("there are {groups} groups"))
}

/// An attribute with a number for each axis.
fn listed(site: &Site<'_, '_>, name: &str, axes: usize, default: i64) -> Result<Vec<u64>, String> {
    let Some(given) = site.node.ints(name) else {
        return Ok(vec![size(default)?; axes]);
    };
    if given.len() != axes {
        return Err(format!("{name} has {} numbers for {axes} axes", given.len()));
    }
    given.iter().map(|&whole| size(whole)).collect()
}

impl Windows {
    fn of(site: &Site<'_, '_>, kernel: Vec<u64>) -> Result<Self, String> {
        let axes = kernel.len();
        let strides = listed(site, "strides", axes, 1)?;
        let dilations = listed(site, "dilations", axes, 1)?;
        if kernel.iter().chain(&strides).chain(&dilations).any(|&n| n == 0 || n > u32::MAX.into()) {
            return Err(format!(
                "a kernel {kernel:?} of strides {strides:?} and dilations {dilations:?} is none"
            ));
        }
        let auto = site.node.text("auto_pad").unwrap_or("NOTSET");
        let given = site.node.ints("pads").filter(|_| auto == "NOTSET");
        let pads = given.unwrap_or_default();
        if !(pads.is_empty() || pads.len() == 2 * axes)
            || pads.iter().any(|pad| pad.unsigned_abs() > u32::MAX.into())
        {
            return Err(format!("{pads:?} are no pads of {axes} axes"));
        }
        let pad = |place: usize| pads.get(place).copied().unwrap_or(0);
        Ok(Self {
            pads: (0..axes).map(|axis| [pad(axis), pad(axis + axes)]).collect(),
            is_same: matches!(auto, "SAME_UPPER" | "SAME_LOWER"),
            ceil: site.int("ceil_mode", 0) != 0,
            kernel,
            strides,
            dilations,
        })
    }

    fn line(&self, axis: usize) -> Result<([u64; 3], [i64; 2]), String> {
        let at =
            |all: &[u64]| all.get(axis).copied().ok_or_else(|| format!("it has no axis {axis}"));
        let pads = self.pads.get(axis).copied().unwrap_or_default();
        Ok(([at(&self.kernel)?, at(&self.strides)?, at(&self.dilations)?], pads))
    }

    /// How many windows there are along each axis of a map of these sizes, batch and channels included.
    fn count(&self, dims: &[u64]) -> Result<Vec<u64>, String> {
        let spatial = dims.get(2..).unwrap_or_default();
        if spatial.len() != self.kernel.len() {
            return Err(format!("a window {:?} does not fit the sizes {dims:?}", self.kernel));
        }
        spatial.iter().enumerate().map(|(axis, &size)| self.along(axis, size)).collect()
    }

    fn along(&self, axis: usize, size: u64) -> Result<u64, String> {
        let ([kernel, stride, dilation], [before, after]) = self.line(axis)?;
        if self.is_same {
            return Ok(size.div_ceil(stride));
        }
        // INVARIANT: kernel, stride and dilation are of 32 bits.
        let extent = dilation * (kernel - 1) + 1;
        let padded =
            size.checked_add_signed(before).and_then(|size| size.checked_add_signed(after));
        let inside = padded.and_then(|padded| padded.checked_sub(extent)).ok_or_else(|| {
            format!("a window of {extent} does not fit into a size of {size}, padded by {before} and {after}")
        })?;
        let whole = inside / stride + 1;
        // As PyTorch and engines have it: a last window must begin inside, or in the padding before.
        let next = whole.checked_mul(stride).ok_or_else(overflow)?;
        let begins_inside = i128::from(next) < i128::from(size) + i128::from(before);
        Ok(if self.ceil && inside % stride != 0 && begins_inside { whole + 1 } else { whole })
    }

    fn transposed(&self, axis: usize, size: u64, beyond: u64) -> Result<u64, String> {
        let ([kernel, stride, dilation], [before, after]) = self.line(axis)?;
        let steps = size.checked_sub(1).ok_or("its operand is empty")?;
        if self.is_same {
            return size.checked_mul(stride).ok_or_else(overflow);
        }
        let extent = dilation * (kernel - 1) + 1;
        let all =
            steps.checked_mul(stride).and_then(|all| all.checked_add(extent)?.checked_add(beyond));
        let cut = all
            .ok_or_else(overflow)?
            .checked_add_signed(-before)
            .and_then(|all| all.checked_add_signed(-after));
        cut.filter(|&size| size > 0).ok_or_else(|| "its pads leave nothing".to_owned())
    }
}
