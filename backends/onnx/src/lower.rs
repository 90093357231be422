//! Each operator of the compiler as operators of ONNX: one exhaustive match.

use nas_ir::open_size::Why;
use nas_ir::ops::{
    AvgPool, BatchNorm, ChannelShuffle, Conv, ConvTranspose, Linear, MaxUnpool, Padding, Pool,
    Resize, ResizeMode, Shift,
};
use nas_ir::{Op, Shape};
use onnx_protobuf::AttributeProto;
use onnx_protobuf::tensor_proto::DataType;

use crate::error::EmitError;
use crate::graph::{Graph, Site};
use crate::message::{self, Value, attribute};
use crate::running::{running_sizes, sizes_vector};
use crate::sizes::Size;

/// Adds what computes the node to the graph.
///
/// # Errors
/// The operands are not what the operator takes, which the graph's check makes impossible.
pub(crate) fn node(graph: &mut Graph<'_>, site: &Site, op: &Op) -> Result<(), EmitError> {
    match op {
        Op::Add(_) => chain(graph, site, op, "Add")?,
        Op::AvgPool(pool) => avg_pool(graph, site, pool)?,
        Op::BatchNorm(norm) => batch_norm(graph, site, norm),
        Op::ChannelPad(op) => {
            pad(graph, site, &[op.before], &[op.after]);
        }
        Op::ChannelShuffle(op) => channel_shuffle(graph, site, op)?,
        Op::ChannelSlice(op) => {
            slice(graph, site, &[1], &[i64::from(op.start)], &[i64::from(op.end)]);
        }
        Op::Concat(_) => simple(graph, site, "Concat", vec![attribute("axis", Value::Int(1))]),
        Op::Conv(op) => {
            let weights = graph.weights(site);
            conv(graph, site, op, weights);
        }
        Op::ConvTranspose(op) => conv_transpose(graph, site, op),
        Op::Crop(op) => {
            let size = map_size(site, site.shapes.first())?;
            let border = op.0;
            let starts = [border.top, border.left].map(i64::from);
            // Counted from the end where the end is open.
            let end = |size: u32, cut: u32| match (site.is_fixed, cut) {
                (true, _) => i64::from(size) - i64::from(cut),
                (false, 0) => i64::MAX,
                (false, _) => -i64::from(cut),
            };
            let ends = [end(size[0], border.bottom), end(size[1], border.right)];
            slice(graph, site, &[2, 3], &starts, &ends);
        }
        // These act in training only.
        Op::DropPath(_) | Op::Dropout(_) | Op::SpatialDropout(_) | Op::Identity(_) => {
            simple(graph, site, "Identity", vec![]);
        }
        Op::Flatten(_) => simple(graph, site, "Flatten", vec![]),
        Op::GlobalAvgPool(_) => simple(graph, site, "GlobalAveragePool", vec![]),
        Op::Hsigmoid(_) => simple(graph, site, "HardSigmoid", relu6_gate()),
        Op::Hswish(_) => hswish(graph, site),
        Op::LeakyRelu(op) => {
            let alpha = attribute("alpha", Value::Float(op.slope as f32));
            simple(graph, site, "LeakyRelu", vec![alpha]);
        }
        Op::Linear(op) => linear(graph, site, op),
        Op::MaxPool(pool) => {
            let padding = pool.window.whole_padding(map_size(site, site.shapes.first())?);
            simple(graph, site, "MaxPool", pool_window(&pool.window, padding));
        }
        Op::MaxUnpool(op) => max_unpool(graph, site, op),
        Op::Mul(_) => chain(graph, site, op, "Mul")?,
        Op::Pad(op) => {
            let border = op.0;
            pad(graph, site, &[0, border.top, border.left], &[0, border.bottom, border.right]);
        }
        Op::Prelu(_) => {
            let slopes = graph.slopes(site);
            with(graph, site, "PRelu", slopes, vec![]);
        }
        Op::Relu(_) => simple(graph, site, "Relu", vec![]),
        Op::Relu6(_) => {
            // Where some nodes compute with 16-bit floats and others with 32, there are bounds of both.
            let mark = if graph.is_other() { ":half" } else { "" };
            let bounds = [("relu6.min", 0.0), ("relu6.max", 6.0)].map(|(name, bound)| {
                let tensor = graph.float_tensor(&format!("{name}{mark}"), &[], &[bound]);
                graph.shared(tensor)
            });
            with(graph, site, "Clip", bounds.into(), vec![]);
        }
        Op::Resize(op) => resize(graph, site, op)?,
        Op::Shift(op) => shift(graph, site, op),
        Op::Sigmoid(_) => simple(graph, site, "Sigmoid", vec![]),
        Op::Swish(_) => gated(graph, site, "Sigmoid", vec![]),
        Op::Tanh(_) => simple(graph, site, "Tanh", vec![]),
        Op::Zero(_) => zero(graph, site),
    }
    Ok(())
}

impl Site {
    fn value(&self) -> (&str, Vec<Size>) {
        (&self.output, self.sizes.clone())
    }
}

/// A node that reads the operands and nothing else.
fn simple(graph: &mut Graph<'_>, site: &Site, kind: &str, attributes: Vec<AttributeProto>) {
    with(graph, site, kind, Vec::new(), attributes);
}

/// A node that reads the operands, then some constants.
fn with(
    graph: &mut Graph<'_>,
    site: &Site,
    kind: &str,
    constants: Vec<String>,
    attributes: Vec<AttributeProto>,
) {
    let mut inputs = site.inputs.clone();
    inputs.extend(constants);
    graph.node(kind, &site.path, inputs, attributes, site.value());
}

fn pair(pair: [u32; 2]) -> Value {
    Value::Ints(pair.map(i64::from).into())
}

/// Kernel, pads and strides of a window. ONNX has all pads before, then all pads after.
fn window(kernel: [u32; 2], stride: [u32; 2], padding: Padding) -> Vec<AttributeProto> {
    let pads = padding.before.into_iter().chain(padding.after).map(i64::from).collect();
    vec![
        attribute("kernel_shape", pair(kernel)),
        attribute("pads", Value::Ints(pads)),
        attribute("strides", pair(stride)),
    ]
}

fn conv(graph: &mut Graph<'_>, site: &Site, op: &Conv, weights: Vec<String>) {
    let mut attributes = window(op.kernel, op.stride, op.padding);
    attributes.push(attribute("dilations", pair(op.dilation)));
    attributes.push(attribute("group", Value::Int(i64::from(op.groups.get()))));
    with(graph, site, "Conv", weights, attributes);
}

fn conv_transpose(graph: &mut Graph<'_>, site: &Site, op: &ConvTranspose) {
    let mut attributes = window(op.kernel, op.stride, op.padding);
    attributes.push(attribute("dilations", pair(op.dilation)));
    attributes.push(attribute("group", Value::Int(i64::from(op.groups.get()))));
    attributes.push(attribute("output_padding", pair(op.output_padding)));
    let weights = graph.weights(site);
    with(graph, site, "ConvTranspose", weights, attributes);
}

/// No engine has the operator; as a convolution it is one node.
fn shift(graph: &mut Graph<'_>, site: &Site, op: &Shift) {
    let (conv_op, kernel) = op.as_conv(site.shape);
    let dims = [site.shape.channels(), 1, op.kernel, op.kernel];
    let kernel = graph.floats(&format!("{}.steps", site.path), &dims, &kernel);
    conv(graph, site, &conv_op, vec![kernel]);
}

fn linear(graph: &mut Graph<'_>, site: &Site, op: &Linear) {
    let mut inputs = site.inputs.clone();
    if let (Some(shape), Some(input)) = (site.shapes.first(), inputs.first_mut())
        && shape.is_spatial()
    {
        let vector = format!("{}:vector", site.path);
        let value = (vector.as_str(), graph.open.of_step(Shape::from([shape.channels()])));
        graph.node("Flatten", &vector, vec![input.clone()], vec![], value);
        *input = vector;
    }
    let mut weights = graph.weights(site);
    let transposed = vec![attribute("transB", Value::Int(1))];
    // tract 0.23 multiplies the bias of a `Gemm` by a 32-bit float, whatever the bias is made of.
    let added = (graph.float() != DataType::FLOAT).then(|| weights.pop_if(|_| op.bias)).flatten();
    inputs.extend(weights);
    let Some(bias) = added else {
        graph.node("Gemm", &site.path, inputs, transposed, site.value());
        return;
    };
    let product = format!("{}:product", site.path);
    let value = (product.as_str(), site.sizes.clone());
    graph.node("Gemm", &product, inputs, transposed, value);
    graph.node("Add", &site.path, vec![product.clone(), bias], vec![], site.value());
}

/// Where it has no epsilon it only subtracts, as the normalisation of an input does of which a convolution has taken in
/// the factor.
fn batch_norm(graph: &mut Graph<'_>, site: &Site, norm: &BatchNorm) {
    let channels = site.shape.channels();
    if let Some(means) = graph.subtracted(site, norm) {
        let means =
            graph.floats(&format!("{}.mean", site.path), site.shape.pooled().dims(), &means);
        with(graph, site, "Sub", vec![means], vec![]);
        return;
    }
    let mut constants = Vec::new();
    if !norm.affine {
        for (name, value) in [("scale", 1.0), ("shift", 0.0)] {
            let data = vec![value; channels as usize];
            constants.push(graph.floats(&format!("{}.{name}", site.path), &[channels], &data));
        }
    }
    constants.extend(graph.weights(site));
    let eps = attribute("epsilon", Value::Float(norm.eps as f32));
    with(graph, site, "BatchNormalization", constants, vec![eps]);
}

/// Windows with explicit padding: `ceil_mode` of ONNX means different things in its versions and
/// in engines.
fn pool_window(pool: &Pool, padding: Padding) -> Vec<AttributeProto> {
    window(pool.kernel, pool.stride, padding)
}

fn avg_pool(graph: &mut Graph<'_>, site: &Site, pool: &AvgPool) -> Result<(), EmitError> {
    let size = map_size(site, site.shapes.first())?;
    let own = pool.window.padding;
    let padding = pool.window.whole_padding(size);
    let mut inputs = site.inputs.clone();
    let mut attributes = pool_window(&pool.window, padding);
    let mut counts = pool.count_include_pad;
    if counts && padding != own {
        // What counts becomes part of the map; what lies beyond stays padding, which does not.
        counts = false;
        inputs = vec![padded(graph, site, own, size)];
        let [below, right] = padding.after;
        let after = [below.saturating_sub(own.after[0]), right.saturating_sub(own.after[1])];
        attributes = pool_window(&pool.window, Padding { before: [0, 0], after });
    }
    // Zero is what it is without it; protobuf leaves the number out, and TVM reads no attribute without one.
    if counts {
        attributes.push(attribute("count_include_pad", Value::Int(1)));
    }
    graph.node("AveragePool", &site.path, inputs, attributes, site.value());
    Ok(())
}

/// The operand with zeros around it.
fn padded(graph: &mut Graph<'_>, site: &Site, padding: Padding, [h, w]: [u32; 2]) -> String {
    let name = format!("{}:padded", site.path);
    let ([top, left], [bottom, right]) = (padding.before, padding.after);
    let pads = [0, 0, top, left, 0, 0, bottom, right].map(i64::from);
    let mut inputs = site.inputs.clone();
    inputs.push(graph.integers(site, "pads", &pads));
    let shape = site.shape.with_spatial([h + top + bottom, w + left + right]);
    let sizes = graph.open.of_step(shape);
    graph.node("Pad", &name, inputs, vec![], (&name, sizes));
    name
}

/// The places of the maxima are those of pooling once more; the values are scattered to them in
/// one vector of all elements, which is what these places count in. `MaxUnpool` would say the same
/// in one node, but few engines have it.
fn max_unpool(graph: &mut Graph<'_>, site: &Site, op: &MaxUnpool) {
    let ([values, pooled], [shape, _]) = (site.inputs.as_slice(), site.shapes.as_slice()) else {
        return;
    };
    let step = |what: &str| format!("{}:{what}", site.path);
    let [maxima, places, row, indices, zeros, flat] =
        ["maxima", "places", "values", "indices", "zeros", "flat"].map(step);
    let images = graph.open.batch();
    let times = |elements: u64| match images {
        Size::Of(images) if site.is_fixed => Size::Of(images * elements as i64),
        _ => Size::Open,
    };
    let [few, many] = [shape, &site.shape].map(|shape| vec![times(shape.elements())]);
    let (float, whole) = (graph.float(), DataType::INT64);
    let sizes = graph.open.of_step(*shape);
    let outputs = [(maxima.as_str(), float, sizes.clone()), (places.as_str(), whole, sizes)];
    let pool = op.pool();
    let attributes = pool_window(&pool, pool.padding);
    graph.node_of("MaxPool", &maxima, vec![pooled.clone()], attributes, &outputs);

    let all = graph.integers(site, "count", &[-1]);
    for (from, name, kind) in [(values, &row, float), (&places, &indices, whole)] {
        let output = (name.as_str(), kind, few.clone());
        graph.node_of("Reshape", name, vec![from.clone(), all.clone()], vec![], &[output]);
    }
    let shape = if site.is_fixed {
        graph.integers(site, "shape", &site.numbers())
    } else {
        running_sizes(graph, site, pooled)
    };
    let empty = step("empty");
    let value = vec![zero_value(graph)];
    graph.node("ConstantOfShape", &empty, vec![shape.clone()], value, (&empty, site.sizes.clone()));
    graph.node("Reshape", &zeros, vec![empty.clone(), all], vec![], (&zeros, many.clone()));
    let inputs = vec![zeros.clone(), indices.clone(), row.clone()];
    graph.node("ScatterElements", &flat, inputs, vec![], (&flat, many));
    graph.node("Reshape", &site.path, vec![flat.clone(), shape], vec![], site.value());
}

/// Zeros before and after along the axes, channels first; none along those that are left out.
fn pad(graph: &mut Graph<'_>, site: &Site, before: &[u32], after: &[u32]) {
    let along = |zeros: &[u32]| {
        let axes = 0..site.shape.rank();
        let given = axes.map(|axis| zeros.get(axis).copied().map_or(0, i64::from));
        std::iter::once(0).chain(given).collect::<Vec<i64>>()
    };
    let pads = [along(before), along(after)].concat();
    let pads = graph.integers(site, "pads", &pads);
    with(graph, site, "Pad", vec![pads], vec![]);
}

/// Channels in rows of one group each, read by columns. Where sizes are open, each channel is picked by its index:
/// `Reshape` would have to be told them.
fn channel_shuffle(
    graph: &mut Graph<'_>,
    site: &Site,
    op: &ChannelShuffle,
) -> Result<(), EmitError> {
    let groups = i64::from(op.groups.get());
    let each = i64::from(site.shape.channels()) / groups;
    if !site.is_fixed {
        let channels = (0..each).flat_map(|column| (0..groups).map(move |row| row * each + column));
        let channels = graph.integers(site, "channels", &channels.collect::<Vec<_>>());
        let axis = vec![attribute("axis", Value::Int(1))];
        with(graph, site, "Gather", vec![channels], axis);
        return Ok(());
    }
    let [height, width] = map_size(site, Some(&site.shape))?.map(i64::from);
    let images = site.numbers().first().copied().unwrap_or(1);
    let [rows, columns] =
        [[groups, each], [each, groups]].map(|[a, b]| vec![images, a, b, height, width]);
    let [split, turned] = ["split", "turned"].map(|what| format!("{}:{what}", site.path));
    let sizes = |of: &[i64]| of.iter().map(|&size| Size::Of(size)).collect();
    let mut inputs = site.inputs.clone();
    inputs.push(graph.integers(site, "groups", &rows));
    graph.node("Reshape", &split, inputs, vec![], (&split, sizes(&rows)));
    let turn = attribute("perm", Value::Ints(vec![0, 2, 1, 3, 4]));
    let output = (turned.as_str(), sizes(&columns));
    graph.node("Transpose", &turned, vec![split.clone()], vec![turn], output);
    let joined = graph.integers(site, "shape", &site.numbers());
    graph.node("Reshape", &site.path, vec![turned.clone(), joined], vec![], site.value());
    Ok(())
}

fn map_size(site: &Site, shape: Option<&Shape>) -> Result<[u32; 2], EmitError> {
    let size = shape.and_then(Shape::plane);
    size.ok_or_else(|| EmitError::network(&site.path, "it needs a map"))
}

/// An operator on two tensors for any number of them, from left to right; fewer engines take the
/// n-ary `Sum` of ONNX, and a product of many does not exist.
fn chain(graph: &mut Graph<'_>, site: &Site, op: &Op, kind: &str) -> Result<(), EmitError> {
    let mut left: Option<String> = None;
    for (place, input) in site.inputs.iter().enumerate() {
        let last = place + 1 == site.inputs.len();
        let shapes = site.shapes.get(..=place).unwrap_or_default();
        left = Some(match left {
            None if last => {
                simple(graph, site, "Identity", vec![]);
                break;
            }
            None => input.clone(),
            Some(left) if last => {
                graph.node(kind, &site.path, vec![left, input.clone()], vec![], site.value());
                break;
            }
            Some(left) => {
                let name = format!("{}:{place}", site.path);
                let partial = op
                    .shape(shapes)
                    .map_err(|problem| EmitError::network(&site.path, format!("{problem:?}")))?;
                let sizes = graph.open.of_step(partial);
                graph.node(kind, &name, vec![left, input.clone()], vec![], (&name, sizes));
                name
            }
        });
    }
    Ok(())
}

fn slice(graph: &mut Graph<'_>, site: &Site, axes: &[i64], starts: &[i64], ends: &[i64]) {
    let constants = [("starts", starts), ("ends", ends), ("axes", axes)]
        .map(|(name, values)| graph.integers(site, name, values));
    with(graph, site, "Slice", constants.into(), vec![]);
}

/// `HardSigmoid` with these numbers is `relu6(x + 3) / 6`.
fn relu6_gate() -> Vec<AttributeProto> {
    vec![attribute("alpha", Value::Float(1.0 / 6.0)), attribute("beta", Value::Float(0.5))]
}

/// `HardSwish` entered ONNX with operator set 14.
fn hswish(graph: &mut Graph<'_>, site: &Site) {
    if graph.opset().version() >= 14 {
        simple(graph, site, "HardSwish", vec![]);
    } else {
        gated(graph, site, "HardSigmoid", relu6_gate());
    }
}

/// The operand times a function of it.
fn gated(graph: &mut Graph<'_>, site: &Site, kind: &str, attributes: Vec<AttributeProto>) {
    let gate = format!("{}:gate", site.path);
    graph.node(kind, &gate, site.inputs.clone(), attributes, (&gate, site.sizes.clone()));
    with(graph, site, "Mul", vec![gate], vec![]);
}

/// PyTorch's bilinear `align_corners = false` is `half_pixel` at every size (its
/// `area_pixel_compute_scale`): a result of one pixel is no exception, as `pytorch_half_pixel`
/// would make it.
fn resize(graph: &mut Graph<'_>, site: &Site, op: &Resize) -> Result<(), EmitError> {
    let from = map_size(site, site.shapes.first())?.map(i64::from);
    let to = map_size(site, Some(&site.shape))?.map(i64::from);
    let factors = factors(graph, site, from, to);
    let (mode, transformation) = match (op.mode, op.align_corners) {
        (ResizeMode::Nearest, _) if factors.is_none() && graph.open.size.is_some() => {
            return Err(EmitError::OneSize { node: site.path.clone(), why: Why::Size });
        }
        (ResizeMode::Nearest, _) if !floors_exactly(from, to) => {
            gather_nearest(graph, site, from, to);
            return Ok(());
        }
        (ResizeMode::Nearest, _) => ("nearest", "asymmetric"),
        (ResizeMode::Bilinear, true) => ("linear", "align_corners"),
        (ResizeMode::Bilinear, false) => ("linear", "half_pixel"),
    };
    let mut attributes = vec![
        attribute("mode", Value::Text(mode)),
        attribute("coordinate_transformation_mode", Value::Text(transformation)),
    ];
    if op.mode == ResizeMode::Nearest {
        attributes.push(attribute("nearest_mode", Value::Text("floor")));
    }
    let mut inputs = site.inputs.clone();
    // No region of interest; then scales, or sizes. Engines that take only one take scales, which
    // are exact where they are whole. What is left out has no name, and before operator set 13 no elements.
    let absent = |graph: &mut Graph<'_>| match graph.opset().version() {
        ..13 => graph.shared(message::floats("none", &[0], &[])),
        _ => String::new(),
    };
    inputs.push(absent(graph));
    if let Some([y, x]) = factors {
        let name = format!("{}.scales", site.path);
        inputs.push(graph.constant(message::floats(&name, &[4], &[1.0, 1.0, y, x])));
    } else {
        inputs.push(absent(graph));
        inputs.push(sizes_vector(graph, site));
    }
    graph.node("Resize", &site.path, inputs, attributes, site.value());
    Ok(())
}

/// The factors of a resize, where they are whole; where sizes are open, also if those of both maps grow by them.
fn factors(graph: &Graph<'_>, site: &Site, from: [i64; 2], to: [i64; 2]) -> Option<[f32; 2]> {
    let [Some(y), Some(x)] = axes(from, to).map(|(from, to)| whole_factor(from, to)) else {
        return None;
    };
    let grows_alike = graph.grows_by(site.index, [y, x]);
    grows_alike.then_some([y, x].map(|factor| factor as f32))
}

/// Old and new size of each axis.
fn axes([h, w]: [i64; 2], [height, width]: [i64; 2]) -> [(i64, i64); 2] {
    [(h, height), (w, width)]
}

fn whole_factor(from: i64, to: i64) -> Option<i64> {
    (to % from.max(1) == 0).then(|| to / from.max(1))
}

/// The index of the nearest pixel, `floor(place * from / to)`.
fn nearest(place: i64, (from, to): (i64, i64)) -> i64 {
    place * from / to
}

/// Whether engines find the nearest pixels: they compute `floor(place / (to / from))` in 32 bits,
/// which is a pixel off where the quotient should be whole and is not (14 to 2, for example).
fn floors_exactly(from: [i64; 2], to: [i64; 2]) -> bool {
    axes(from, to).into_iter().all(|(from, to)| {
        let scale = to as f32 / from as f32;
        (0..to).all(|place| (place as f32 / scale).floor() as i64 == nearest(place, (from, to)))
    })
}

/// Nearest pixels by their indices: first rows, then columns.
fn gather_nearest(graph: &mut Graph<'_>, site: &Site, from: [i64; 2], to: [i64; 2]) {
    let [rows, columns] = axes(from, to)
        .map(|sizes| -> Vec<i64> { (0..sizes.1).map(|place| nearest(place, sizes)).collect() });
    let [rows, columns] = [("rows", rows), ("columns", columns)].map(|(name, indices)| {
        graph.constant(message::integers(&format!("{}.{name}", site.path), &indices))
    });
    let tall = format!("{}:rows", site.path);
    let mut inputs = site.inputs.clone();
    inputs.push(rows);
    let ([height, _], [_, width]) = (to, from);
    let shape = site.shape.with_spatial([height as u32, width as u32]);
    let axis = |axis| vec![attribute("axis", Value::Int(axis))];
    let sizes = graph.open.of_step(shape);
    graph.node("Gather", &tall, inputs, axis(2), (&tall, sizes));
    graph.node("Gather", &site.path, vec![tall.clone(), columns], axis(3), site.value());
}

/// Made where it is needed: as an initialiser it would fill the file with zeros.
fn zero(graph: &mut Graph<'_>, site: &Site) {
    let shape = sizes_vector(graph, site);
    let value = vec![zero_value(graph)];
    graph.node("ConstantOfShape", &site.path, vec![shape], value, site.value());
}

fn zero_value(graph: &mut Graph<'_>) -> AttributeProto {
    let zero = graph.float_tensor("", &[1], &[0.0]);
    attribute("value", Value::Tensor(Box::new(zero)))
}
