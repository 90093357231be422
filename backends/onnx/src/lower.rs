//! Each operator of the compiler as operators of ONNX: one exhaustive match.

use nas_compiler::ops::{Op, Padding, Resize, ResizeMode};
use nas_compiler::shape::Shape;
use onnx_protobuf::AttributeProto;

use crate::error::EmitError;
use crate::graph::{Graph, Site};
use crate::message::{self, Value, attribute};

/// Adds what computes the node to the graph.
///
/// # Errors
/// The operands are not what the operator takes, which the graph's check makes impossible.
pub(crate) fn node(graph: &mut Graph<'_>, site: &Site, op: &Op) -> Result<(), EmitError> {
    match op {
        Op::Add(_) => chain(graph, site, op, "Add")?,
        Op::AvgPool(pool) => {
            let mut attributes = window(pool.kernel, pool.stride, pool.padding);
            let counts = i64::from(pool.count_include_pad);
            attributes.push(attribute("count_include_pad", Value::Int(counts)));
            simple(graph, site, "AveragePool", attributes);
        }
        Op::BatchNorm(norm) => {
            let mut inputs = site.inputs.clone();
            inputs.extend(graph.plain_weights(site));
            let eps = attribute("epsilon", Value::Float(norm.eps as f32));
            graph.node("BatchNormalization", &site.path, inputs, vec![eps], site.value());
        }
        Op::Concat(_) => simple(graph, site, "Concat", vec![attribute("axis", Value::Int(1))]),
        Op::Conv(conv) => {
            let mut inputs = site.inputs.clone();
            inputs.extend(graph.conv_weights(site, conv.bias));
            let mut attributes = window(conv.kernel, conv.stride, conv.padding);
            attributes.push(attribute("dilations", pair(conv.dilation)));
            attributes.push(attribute("group", Value::Int(i64::from(conv.groups))));
            graph.node("Conv", &site.path, inputs, attributes, site.value());
        }
        Op::Crop(crop) => {
            let [height, width] = map_size(site, site.shapes.first())?;
            let starts = [crop.top, crop.left].map(i64::from);
            let ends = [height - i64::from(crop.bottom), width - i64::from(crop.right)];
            slice(graph, site, starts, ends);
        }
        Op::GlobalAvgPool(_) => simple(graph, site, "GlobalAveragePool", vec![]),
        Op::Hswish(_) => hswish(graph, site),
        Op::Identity(_) => simple(graph, site, "Identity", vec![]),
        Op::MaxPool(pool) => {
            simple(graph, site, "MaxPool", window(pool.kernel, pool.stride, pool.padding));
        }
        Op::Mul(_) => chain(graph, site, op, "Mul")?,
        Op::Relu(_) => simple(graph, site, "Relu", vec![]),
        Op::Relu6(_) => {
            let mut inputs = site.inputs.clone();
            inputs.push(graph.shared_scalar("relu6.min", 0.0));
            inputs.push(graph.shared_scalar("relu6.max", 6.0));
            graph.node("Clip", &site.path, inputs, vec![], site.value());
        }
        Op::Resize(op) => resize(graph, site, op)?,
        Op::Sigmoid(_) => simple(graph, site, "Sigmoid", vec![]),
        Op::Zero(_) => zero(graph, site),
    }
    Ok(())
}

impl Site {
    fn value(&self) -> (&str, Shape) {
        (&self.output, self.shape)
    }
}

/// A node that reads the operands and nothing else.
fn simple(graph: &mut Graph<'_>, site: &Site, kind: &str, attributes: Vec<AttributeProto>) {
    graph.node(kind, &site.path, site.inputs.clone(), attributes, site.value());
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

fn map_size(site: &Site, shape: Option<&Shape>) -> Result<[i64; 2], EmitError> {
    let size = shape.and_then(Shape::spatial);
    size.map(|size| size.map(i64::from))
        .ok_or_else(|| EmitError::network(&site.path, "it needs a map"))
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
                graph.node(kind, &name, vec![left, input.clone()], vec![], (&name, partial));
                name
            }
        });
    }
    Ok(())
}

fn slice(graph: &mut Graph<'_>, site: &Site, starts: [i64; 2], ends: [i64; 2]) {
    let mut inputs = site.inputs.clone();
    for (name, values) in [("starts", starts), ("ends", ends), ("axes", [2, 3])] {
        let name = format!("{}.{name}", site.path);
        inputs.push(graph.constant(message::integers(&name, &values)));
    }
    graph.node("Slice", &site.path, inputs, vec![], site.value());
}

/// `HardSwish` entered ONNX with operator set 14; `HardSigmoid` with these numbers is
/// `relu6(x + 3) / 6`.
fn hswish(graph: &mut Graph<'_>, site: &Site) {
    if graph.opset >= 14 {
        return simple(graph, site, "HardSwish", vec![]);
    }
    let gate = format!("{}:gate", site.path);
    let line =
        vec![attribute("alpha", Value::Float(1.0 / 6.0)), attribute("beta", Value::Float(0.5))];
    graph.node("HardSigmoid", &gate, site.inputs.clone(), line, (&gate, site.shape));
    let mut inputs = site.inputs.clone();
    inputs.push(gate);
    graph.node("Mul", &site.path, inputs, vec![], site.value());
}

/// PyTorch's bilinear `align_corners = false` is `half_pixel` at every size (its
/// `area_pixel_compute_scale`): a result of one pixel is no exception, as `pytorch_half_pixel`
/// would make it.
fn resize(graph: &mut Graph<'_>, site: &Site, op: &Resize) -> Result<(), EmitError> {
    let from = map_size(site, site.shapes.first())?;
    let to = map_size(site, Some(&site.shape))?;
    let (mode, transformation) = match (op.mode, op.align_corners) {
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
    // are exact where they are whole.
    inputs.push(String::new());
    if let [Some(y), Some(x)] = axes(from, to).map(|(from, to)| whole_factor(from, to)) {
        let name = format!("{}.scales", site.path);
        inputs.push(graph.floats(&name, &[4], &[1.0, 1.0, y, x]));
    } else {
        let name = format!("{}.sizes", site.path);
        inputs.push(String::new());
        inputs.push(graph.constant(message::integers(&name, &message::batched(site.shape))));
    }
    graph.node("Resize", &site.path, inputs, attributes, site.value());
    Ok(())
}

/// Old and new size of each axis.
fn axes([h, w]: [i64; 2], [height, width]: [i64; 2]) -> [(i64, i64); 2] {
    [(h, height), (w, width)]
}

fn whole_factor(from: i64, to: i64) -> Option<f32> {
    (to % from.max(1) == 0).then(|| (to / from.max(1)) as f32)
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
    let shape = Shape::map(site.shape.channels(), height as u32, width as u32);
    let axis = |axis| vec![attribute("axis", Value::Int(axis))];
    graph.node("Gather", &tall, inputs, axis(2), (&tall, shape));
    graph.node("Gather", &site.path, vec![tall.clone(), columns], axis(3), site.value());
}

/// Made where it is needed: as an initialiser it would fill the file with zeros.
fn zero(graph: &mut Graph<'_>, site: &Site) {
    let name = format!("{}.shape", site.path);
    let shape = graph.constant(message::integers(&name, &message::batched(site.shape)));
    let zero = Box::new(message::floats("", &[1], &[0.0]));
    let value = attribute("value", Value::Tensor(zero));
    graph.node("ConstantOfShape", &site.path, vec![shape], vec![value], site.value());
}
