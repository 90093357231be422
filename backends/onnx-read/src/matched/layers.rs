//! Operators with weights, and those that work element by element or by windows.

use std::num::NonZeroU32;

use nas_ir::ops::{
    Add, AvgPool, BatchNorm, Concat, Conv, ConvTranspose, GlobalAvgPool, Hsigmoid, Hswish,
    LeakyRelu, Linear, MaxPool, Mul, Padding, Pool, Prelu, Relu, Relu6, Resize, ResizeMode,
    ResizeTo, Sigmoid, Swish, Tanh,
};
use nas_ir::{Op, Tensor};

use super::{Matcher, Parts, Step, Why, shape};
use crate::fact::{Fact, Known};
use crate::graph::{Node, ValueId};
use crate::kind::{Binary, Kind, Reduction, Unary};
use crate::rules::{Plane, Site, groups, plane};

/// The weight of a new batch in the statistics of a batch norm, which no file tells.
const MOMENTUM: f64 = 0.1;

impl<'m, 'b> Matcher<'m, 'b, '_> {
    /// What a node is among the operators of ours.
    pub(super) fn layer(
        &mut self,
        node: &'m Node<'b>,
        kind: Kind,
        site: &Site<'_, '_>,
        made: &Fact,
    ) -> Result<Step, Why> {
        let first = || -> Result<Vec<ValueId>, Why> {
            Ok(vec![node.operand(0).ok_or("it lacks its operand")?])
        };
        let plain = |op: Op| Ok(Step::Op(op, first()?, Vec::new()));
        match kind {
            Kind::Conv => self.conv(node, site, made),
            Kind::ConvTranspose => self.conv_transpose(node, site, made),
            Kind::Gemm => self.gemm(node, site),
            Kind::MatMul => self.mat_mul(node, site),
            Kind::BatchNorm => {
                let parts = ["weight", "bias", "running_mean", "running_var"];
                let mut weights = Vec::new();
                for (place, part) in (1..).zip(parts) {
                    weights.push((part, self.weight(node, place)?));
                }
                let eps = f64::from(node.float("epsilon").unwrap_or(1e-5));
                let norm = BatchNorm { eps, momentum: MOMENTUM, affine: true };
                Ok(Step::Op(Op::BatchNorm(norm), first()?, weights))
            }
            Kind::Prelu => {
                let mut slopes = self.weight(node, 1)?.into_floats().unwrap_or_default();
                let channels = shape(site.first()?)?.channels();
                if let [slope] = *slopes.as_slice() {
                    slopes = vec![slope; channels as usize];
                }
                let slopes = Tensor::of_floats([channels], slopes);
                Ok(Step::Op(Op::Prelu(Prelu), first()?, vec![("weight", slopes)]))
            }
            Kind::Arithmetic(Binary::Add) => self.add(node),
            Kind::Arithmetic(Binary::Mul) => Ok(Step::Op(Op::Mul(Mul), given(node), Vec::new())),
            Kind::Concat
                if site.int("axis", 1) == 1
                    || site.int("axis", 1) == 1 - made.dims.len() as i64 =>
            {
                Ok(Step::Op(Op::Concat(Concat), given(node), Vec::new()))
            }
            Kind::Clip => plain(clipped(site)?),
            Kind::Same(Unary::Elementwise) => plain(activation(node)?),
            Kind::Same(Unary::Identity) | Kind::Dropout => Ok(Step::Alias),
            Kind::Cast if site.first()?.element == made.element => Ok(Step::Alias),
            Kind::Pool => plain(pool(site, made)?),
            Kind::GlobalPool if node.operator == "GlobalAveragePool" => {
                plain(Op::GlobalAvgPool(GlobalAvgPool))
            }
            Kind::Reduce(Reduction::Other) if node.operator == "ReduceMean" => {
                self.mean(node, site, made)
            }
            Kind::Resize | Kind::Upsample => plain(resize(site, made)?),
            _ => self.moved(node, kind, site, made),
        }
    }

    fn conv(&mut self, node: &'m Node<'b>, site: &Site<'_, '_>, made: &Fact) -> Result<Step, Why> {
        let (plane, weights) = self.kernel(node, site, made)?;
        let Plane { kernel, stride, dilation, before, after, .. } = plane;
        let out = shape(made)?.channels();
        let bias = weights.len() > 1;
        let padding = Padding { before, after };
        let conv =
            Conv { out, kernel, stride, dilation, groups: group_count(site)?, bias, padding };
        Ok(Step::Op(Op::Conv(conv), operand(node)?, weights))
    }

    fn conv_transpose(
        &mut self,
        node: &'m Node<'b>,
        site: &Site<'_, '_>,
        made: &Fact,
    ) -> Result<Step, Why> {
        let is_plain = node.ints("output_shape").is_none()
            && matches!(node.text("auto_pad"), None | Some("NOTSET" | "VALID"));
        if !is_plain {
            return Err("its pads follow from the size of its result".into());
        }
        let (plane, weights) = self.kernel(node, site, made)?;
        let Plane { kernel, stride, dilation, before, after, .. } = plane;
        let beyond = node.ints("output_padding").unwrap_or(&[0, 0]);
        let &[y, x] = beyond else { return Err("its output_padding is not of two axes".into()) };
        let [y, x] =
            [y, x].map(|pad| u32::try_from(pad).map_err(|_| "its output_padding is negative"));
        let conv = ConvTranspose {
            out: shape(made)?.channels(),
            kernel,
            stride,
            dilation,
            groups: group_count(site)?,
            bias: weights.len() > 1,
            padding: Padding { before, after },
            output_padding: [y?, x?],
        };
        Ok(Step::Op(Op::ConvTranspose(conv), operand(node)?, weights))
    }

    /// The windows of a convolution, its kernel, and its bias if it has one.
    fn kernel(
        &mut self,
        node: &'m Node<'b>,
        site: &Site<'_, '_>,
        made: &Fact,
    ) -> Result<(Plane, Parts), Why> {
        let kernel = self.weight(node, 1)?;
        let sizes: Vec<u64> = kernel.dims.iter().skip(2).map(|&size| size.into()).collect();
        let plane = plane(site, &sizes, made)?;
        let mut weights = vec![("weight", kernel)];
        if node.operand(2).is_some() {
            weights.push(("bias", self.weight(node, 2)?));
        }
        Ok((plane, weights))
    }

    fn gemm(&mut self, node: &'m Node<'b>, site: &Site<'_, '_>) -> Result<Step, Why> {
        let is_one = |name: &str| node.float(name).unwrap_or(1.0) == 1.0;
        if site.int("transA", 0) != 0 || !is_one("alpha") || !is_one("beta") {
            return Err("it is more than a product and a bias".into());
        }
        let kernel = self.weight(node, 1)?;
        let kernel = if site.int("transB", 0) != 0 { kernel } else { turned(&kernel)? };
        let out = kernel.dims.first().copied().unwrap_or(0);
        let mut weights = vec![("weight", kernel)];
        if node.operand(2).is_some() {
            weights.push(("bias", bias(self.weight(node, 2)?, out)?));
        }
        let linear = Linear { out, bias: weights.len() > 1 };
        Ok(Step::Op(Op::Linear(linear), operand(node)?, weights))
    }

    fn mat_mul(&mut self, node: &'m Node<'b>, site: &Site<'_, '_>) -> Result<Step, Why> {
        if site.first()?.dims.len() != 2 {
            return Err("its operand is no vector for each image".into());
        }
        let kernel = turned(&self.weight(node, 1)?)?;
        let linear = Linear { out: kernel.dims.first().copied().unwrap_or(0), bias: false };
        Ok(Step::Op(Op::Linear(linear), operand(node)?, vec![("weight", kernel)]))
    }

    /// A sum; one of a product of a matrix and a constant is the bias of that.
    fn add(&mut self, node: &'m Node<'b>) -> Result<Step, Why> {
        let &[Some(a), Some(b)] = node.inputs.as_slice() else {
            return Ok(Step::Op(Op::Add(Add), given(node), Vec::new()));
        };
        let constant = [0, 1].into_iter().find(|&place| self.source(node, place).is_some());
        let Some(constant) = constant else {
            return Ok(Step::Op(Op::Add(Add), vec![a, b], Vec::new()));
        };
        let product = if constant == 0 { b } else { a };
        let place = self.place(product)?;
        let is_alone = self.uses[product] == 1;
        let weight = self.weight(node, constant)?;
        let before = self.nodes.get_mut(place).filter(|_| is_alone);
        let Some((before, out)) = before.and_then(|node| match &mut node.op {
            Some(Op::Linear(linear)) if !linear.bias => {
                linear.bias = true;
                let out = linear.out;
                Some((node.name.clone(), out))
            }
            _ => None,
        }) else {
            return Err("it adds a constant".into());
        };
        self.weights.insert(format!("{before}.bias"), bias(weight, out)?);
        let result = node.outputs.first().copied().flatten().ok_or("it makes nothing")?;
        self.places[result] = Some(place);
        // The product alone is no value of the network any more.
        self.places[product] = None;
        Ok(Step::Done)
    }

    fn mean(&mut self, node: &'m Node<'b>, site: &Site<'_, '_>, made: &Fact) -> Result<Step, Why> {
        let input = site.first()?;
        let axes = site.wholes_or("axes", 1)?.unwrap_or_default();
        let rank = input.dims.len() as i64;
        let mut axes: Vec<i64> =
            axes.iter().map(|&axis| if axis < 0 { axis + rank } else { axis }).collect();
        axes.sort_unstable();
        if rank != 4 || axes != [2, 3] {
            return Err("its mean is not that of all pixels".into());
        }
        if made.dims.len() == 4 {
            return Ok(Step::Op(Op::GlobalAvgPool(GlobalAvgPool), operand(node)?, Vec::new()));
        }
        self.pooled_vector(node, site)
    }
}

/// The first operand.
fn operand(node: &Node<'_>) -> Result<Vec<ValueId>, Why> {
    Ok(vec![node.operand(0).ok_or("it lacks its operand")?])
}

/// All operands that are given.
fn given(node: &Node<'_>) -> Vec<ValueId> {
    node.inputs.iter().flatten().copied().collect()
}

fn group_count(site: &Site<'_, '_>) -> Result<NonZeroU32, Why> {
    let groups = u32::try_from(groups(site)?).ok().and_then(NonZeroU32::new);
    Ok(groups.ok_or("it has too many groups")?)
}

/// A matrix with rows and columns exchanged.
fn turned(matrix: &Tensor) -> Result<Tensor, Why> {
    let (&[rows, columns], Some(floats)) = (matrix.dims.as_slice(), matrix.floats()) else {
        return Err("it multiplies by no matrix".into());
    };
    let column =
        |column: usize| floats.iter().skip(column).step_by(columns.max(1) as usize).copied();
    let turned = (0..columns as usize).flat_map(column).collect();
    Ok(Tensor::of_floats([columns, rows], turned))
}

/// A bias `[out]`, of one that may have axes of 1 before.
fn bias(bias: Tensor, out: u32) -> Result<Tensor, Why> {
    let fits = bias.elements.len() == out as usize && bias.dims.last() == Some(&out);
    let floats = bias.into_floats().filter(|_| fits);
    let floats = floats.ok_or("its bias is not one number for each channel")?;
    Ok(Tensor::of_floats([out], floats))
}

fn clipped(site: &Site<'_, '_>) -> Result<Op, Why> {
    let bound =
        |name: &str, place: usize, default: f64| match (site.node.float(name), site.given(place)) {
            (Some(bound), _) => Some(f64::from(bound)),
            (None, Some(fact)) => fact.known.as_ref().map(Known::to_floats)?.first().copied(),
            (None, None) => Some(default),
        };
    match (bound("min", 1, f64::NEG_INFINITY), bound("max", 2, f64::INFINITY)) {
        (Some(0.0), Some(6.0)) => Ok(Op::Relu6(Relu6)),
        (Some(0.0), Some(f64::INFINITY)) => Ok(Op::Relu(Relu)),
        _ => Err("its bounds are not 0 and 6".into()),
    }
}

fn activation(node: &Node<'_>) -> Result<Op, Why> {
    let is = |name: &str, default: f32, wanted: f32| {
        (node.float(name).unwrap_or(default) - wanted).abs() < 1e-6
    };
    Ok(match node.operator {
        "Relu" => Op::Relu(Relu),
        "Sigmoid" => Op::Sigmoid(Sigmoid),
        "Tanh" => Op::Tanh(Tanh),
        "HardSwish" => Op::Hswish(Hswish),
        "HardSigmoid" if is("alpha", 0.2, 1.0 / 6.0) && is("beta", 0.5, 0.5) => {
            Op::Hsigmoid(Hsigmoid)
        }
        "Swish" if is("alpha", 1.0, 1.0) => Op::Swish(Swish),
        "LeakyRelu" => {
            Op::LeakyRelu(LeakyRelu { slope: node.float("alpha").unwrap_or(0.01).into() })
        }
        _ => return Err("there is no such activation among ours".into()),
    })
}

fn pool(site: &Site<'_, '_>, made: &Fact) -> Result<Op, Why> {
    let kernel = site.node.ints("kernel_shape").unwrap_or_default();
    let kernel: Vec<u64> = kernel.iter().map(|&size| size.unsigned_abs()).collect();
    let Plane { kernel, stride, dilation, before, after, ceil } = plane(site, &kernel, made)?;
    if dilation != [1, 1] {
        return Err("its windows are dilated".into());
    }
    let window = Pool { kernel, stride, padding: Padding { before, after }, ceil };
    match site.node.operator {
        "MaxPool" => Ok(Op::MaxPool(MaxPool { window })),
        "AveragePool" => {
            let count_include_pad = site.int("count_include_pad", 0) != 0;
            Ok(Op::AvgPool(AvgPool { window, count_include_pad }))
        }
        _ => Err("there is no such pool among ours".into()),
    }
}

fn resize(site: &Site<'_, '_>, made: &Fact) -> Result<Op, Why> {
    let (from, to) = (shape(site.first()?)?, shape(made)?);
    let (Some(from), Some(size), true) =
        (from.plane(), to.plane(), from.channels() == to.channels())
    else {
        return Err("it resizes no map".into());
    };
    let is_whole = from.iter().zip(&size).all(|(&from, &to)| from > 0 && to.is_multiple_of(from));
    let node = site.node;
    // What older operator sets do without these attributes.
    let old = if site.opset < 11 { "asymmetric" } else { "half_pixel" };
    let place = node.text("coordinate_transformation_mode").unwrap_or(old);
    let nearest = node.text("nearest_mode").unwrap_or(if site.opset < 11 {
        "floor"
    } else {
        "round_prefer_floor"
    });
    let (mode, align_corners) = match (node.text("mode").unwrap_or("nearest"), place) {
        ("nearest", "asymmetric") if nearest == "floor" => (ResizeMode::Nearest, false),
        // Between the pixels of a whole factor there is no tie.
        ("nearest", "half_pixel" | "pytorch_half_pixel")
            if is_whole && nearest.starts_with("round") =>
        {
            (ResizeMode::Nearest, false)
        }
        ("linear" | "bilinear", "align_corners") => (ResizeMode::Bilinear, true),
        ("linear" | "bilinear", "half_pixel") => (ResizeMode::Bilinear, false),
        ("linear" | "bilinear", "pytorch_half_pixel") if size.iter().all(|&size| size > 1) => {
            (ResizeMode::Bilinear, false)
        }
        (mode, place) => return Err(format!("it resizes by `{mode}` and `{place}`").into()),
    };
    Ok(Op::Resize(Resize { to: ResizeTo::Size(size), mode, align_corners }))
}
