//! How many operands a node may have.

use crate::error::ReadError;
use crate::graph::Graph;
use crate::kind::{Binary, Kind};

/// Refuses a graph in which a node has more operands than its operator takes.
///
/// # Errors
/// The first such node, and how many it has.
pub(crate) fn check(graph: &Graph<'_>) -> Result<(), ReadError> {
    for node in &graph.nodes {
        let most = node.kind().and_then(most);
        if let Some(most) = most.filter(|&most| node.inputs.len() > most) {
            let (operator, count) = (node.operator_name(), node.inputs.len());
            return Err(ReadError::Operands {
                node: node.called(graph),
                why: format!("it has {count}, and `{operator}` takes {most} at most"),
            });
        }
    }
    Ok(())
}

/// The most operands of a node in any operator set; `None` where there may be any number.
fn most(kind: Kind) -> Option<usize> {
    Some(match kind {
        Kind::Einsum
        | Kind::Concat
        | Kind::Arithmetic(Binary::Add | Binary::Max | Binary::Min | Binary::Other) => return None,
        Kind::Truth
        | Kind::Pool
        | Kind::GlobalPool
        | Kind::Flatten
        | Kind::Transpose
        | Kind::DepthToSpace
        | Kind::SpaceToDepth
        | Kind::Arg
        | Kind::Shape
        | Kind::Size
        | Kind::ConstantOfShape
        | Kind::Cast
        | Kind::DynamicQuantize
        | Kind::EyeLike => 1,
        Kind::Same(_)
        | Kind::Arithmetic(_)
        | Kind::Comparison(_)
        | Kind::MatMul
        | Kind::Prelu
        | Kind::Reshape
        | Kind::Squeeze
        | Kind::Unsqueeze
        | Kind::Split
        | Kind::Gather
        | Kind::GatherElements
        | Kind::GatherNd
        | Kind::Expand
        | Kind::Upsample
        | Kind::Reduce(_)
        | Kind::TopK
        | Kind::CastLike
        | Kind::GridSample => 2,
        Kind::Clip
        | Kind::Where
        | Kind::Conv
        | Kind::ConvTranspose
        | Kind::Gemm
        | Kind::Norm
        | Kind::Dropout
        | Kind::Scatter
        | Kind::Tile
        | Kind::Range
        | Kind::OneHot
        | Kind::Quantize
        | Kind::Dequantize => 3,
        Kind::ConvInteger | Kind::MatMulInteger | Kind::Pad | Kind::Resize => 4,
        Kind::BatchNorm | Kind::Slice => 5,
        Kind::QLinearMatMul | Kind::Recurrent(_) => 8,
        Kind::QLinearConv => 9,
    })
}

#[cfg(test)]
mod tests {
    use onnx_protobuf::{GraphProto, Message, ModelProto, NodeProto, ValueInfoProto};

    use crate::read;

    /// A file with one node that has so many operands.
    fn file(operator: &str, operands: usize) -> Vec<u8> {
        let port =
            |name: &str| ValueInfoProto { name: name.to_owned(), ..ValueInfoProto::default() };
        let node = NodeProto {
            op_type: operator.to_owned(),
            input: vec!["x".to_owned(); operands],
            output: vec!["y".to_owned()],
            ..NodeProto::default()
        };
        let graph = GraphProto {
            node: vec![node],
            input: vec![port("x")],
            output: vec![port("y")],
            ..GraphProto::default()
        };
        ModelProto { graph: Some(graph).into(), ..ModelProto::default() }.write_to_bytes().unwrap()
    }

    #[test]
    fn a_node_with_too_many_operands_is_refused() {
        let why = |operator, operands| read(&file(operator, operands)).err().map(|e| e.to_string());
        let told = why("MaxPool", 2000).unwrap();
        assert!(told.contains("it has 2000, and `MaxPool` takes 1 at most"), "{told}");
        assert_eq!(why("Sum", 2000), None);
        assert_eq!([why("MaxPool", 1), why("Conv", 3), why("Resize", 4)], [None, None, None]);
        assert!(why("Conv", 4).is_some());
    }
}
