//! Kernels of a model, row by row.

use nas_ir::network::NetworkNode;
use nas_ir::ops::KernelRow;
use nas_ir::{Model, Op, Tensor, fault};

pub(crate) fn kernel_node(model: &Model, index: usize) -> &NetworkNode {
    let node = model.network.nodes.get(index);
    node.unwrap_or_else(|| fault("a plan of another network"))
}

/// Changes each tap of a kernel, by what its row does.
pub(crate) fn map_taps(
    op: &Op,
    kernel: &mut Tensor,
    mut change: impl FnMut(KernelRow, f64) -> f64,
) {
    let rows = op.kernel_rows(&kernel.dims);
    let Some(taps) = kernel.rows_mut() else { fault("a kernel of other than floats") };
    for (taps, row) in taps.zip(rows) {
        taps.iter_mut().for_each(|tap| *tap = change(row, f64::from(*tap)) as f32);
    }
}
