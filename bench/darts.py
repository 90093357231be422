"""The supernet of DARTS (Liu et al. 2019, "DARTS: Differentiable architecture search") for CIFAR-10 in plain PyTorch: 8 cells of
14 edges with 8 operators each, batch norms without scale and shift. The same network as `darts.nas`.
"""

import torch
import torch.nn.functional as F
from modules import Block, Choice, Only, Zero, conv
from torch import nn

CLASSES = 10
WIDTH = 16
LAYERS = 8
NODES = 4


def norm(channels):
    """Batch norm as the supernet has it."""
    return nn.BatchNorm2d(channels, affine=False)


class ReluConvBn(Block):
    """ReLU, 1x1 convolution, batch norm."""

    def __init__(self, inputs, out):
        super().__init__(conv=[conv(inputs, out, 1)], batch_norm=[norm(out)])

    def forward(self, x):
        return self.batch_norm[0](self.conv[0](F.relu(x)))


class FactorizedReduce(Block):
    """Two 1x1 convolutions of stride 2, the second one pixel further, joined; batch norm."""

    def __init__(self, inputs, out):
        super().__init__(
            conv=[conv(inputs, out // 2, 1, stride=2) for _ in range(2)], batch_norm=[norm(out)]
        )

    def forward(self, x):
        y = F.relu(x)
        even, odd = self.conv
        return self.batch_norm[0](torch.cat([even(y), odd(y[:, :, 1:, 1:])], 1))


class PoolBn(Block):
    """Pooling, batch norm."""

    def __init__(self, channels, kind, stride):
        super().__init__(batch_norm=[norm(channels)])
        self.pool = nn.MaxPool2d(3, stride, 1)
        if kind == "avg":
            self.pool = nn.AvgPool2d(3, stride, 1, count_include_pad=False)

    def forward(self, x):
        return self.batch_norm[0](self.pool(x))


class DilConv(Block):
    """ReLU, depthwise convolution, 1x1, batch norm."""

    def __init__(self, channels, kernel, stride, dilation):
        super().__init__(
            conv=[
                conv(channels, channels, kernel, stride, dilation, groups=channels),
                conv(channels, channels, 1),
            ],
            batch_norm=[norm(channels)],
        )

    def forward(self, x):
        deep, point = self.conv
        return self.batch_norm[0](point(deep(F.relu(x))))


class SepConv(Block):
    """The same twice, without dilation."""

    def __init__(self, channels, kernel, stride):
        super().__init__(
            dil_conv=[DilConv(channels, kernel, step, 1) for step in (stride, 1)]
        )

    def forward(self, x):
        first, second = self.dil_conv
        return second(first(x))


class Edge(nn.Module):
    """The operators of one edge."""

    def __init__(self, channels, stride):
        super().__init__()
        skip = nn.Identity()
        if stride == 2:
            skip = Only("factorized_reduce_bn", FactorizedReduce(channels, channels))
        candidates = {
            "none": Zero(),
            "max_pool_3": Only("pool_bn", PoolBn(channels, "max", stride)),
            "avg_pool_3": Only("pool_bn", PoolBn(channels, "avg", stride)),
            "skip": skip,
        }
        for kernel in (3, 5):
            candidates[f"sep_{kernel}"] = Only("sep_conv", SepConv(channels, kernel, stride))
        for kernel in (3, 5):
            candidates[f"dil_{kernel}"] = Only("dil_conv", DilConv(channels, kernel, stride, 2))
        self.op = Choice(candidates)

    def forward(self, x, mixture):
        return self.op(x, mixture)


class Nodes(Block):
    """Four nodes, each the sum of edges from all states before it."""

    def __init__(self, older, newer, channels, reduces, is_after_reduction):
        aligned = Only("relu_conv_bn", ReluConvBn(older, channels))
        if is_after_reduction:
            aligned = Only("factorized_reduce_bn", FactorizedReduce(older, channels))
        strides = [
            2 if reduces and state < 2 else 1 for node in range(NODES) for state in range(node + 2)
        ]
        super().__init__(
            align=[aligned],
            relu_conv_bn=[ReluConvBn(newer, channels)],
            edge=[Edge(channels, stride) for stride in strides],
        )
        self.reduces = reduces

    def forward(self, older, newer, mixtures):
        states = [self.align[0](older), self.relu_conv_bn[0](newer)]
        edges = iter(zip(self.edge, mixtures))
        for _ in range(NODES):
            # A list, for all edges of a node read the states before it.
            made = [edge(x, mixture) for x, (edge, mixture) in zip(list(states), edges)]
            made = [y for y in made if y is not None]
            states.append(sum(made[1:], made[0]) if made else self.nothing(states[0]))
        return torch.cat(states[2:], 1)

    def nothing(self, aligned):
        """A node with `none` on all of its edges."""
        step = 2 if self.reduces else 1
        return torch.zeros_like(aligned[:, :, ::step, ::step])


class Cell(Block):
    """A cell, by the kind of its name."""

    def __init__(self, *sizes):
        super().__init__(nodes=[Nodes(*sizes)])

    def forward(self, older, newer, mixtures):
        return self.nodes[0](older, newer, mixtures)


class Stack(Block):
    """The cells in a row, a reduction at each third; then the classes."""

    def __init__(self):
        older, newer, channels = 3 * WIDTH, 3 * WIDTH, WIDTH
        normal, reduction, kinds, is_after = [], [], [], False
        for layer in range(LAYERS):
            reduces = layer in (LAYERS // 3, 2 * LAYERS // 3)
            channels *= 2 if reduces else 1
            cells = reduction if reduces else normal
            cells.append(Cell(older, newer, channels, reduces, is_after))
            kinds.append("reduction" if reduces else "normal")
            older, newer, is_after = newer, NODES * channels, reduces
        super().__init__(normal=normal, reduction=reduction, linear=[nn.Linear(newer, CLASSES)])
        self.kinds = kinds

    def forward(self, x, mixtures):
        cells = {"normal": iter(self.normal), "reduction": iter(self.reduction)}
        older, newer = x, x
        for kind in self.kinds:
            older, newer = newer, next(cells[kind])(older, newer, mixtures[kind])
        return self.linear[0](newer.mean((2, 3)))


class Darts(Block):
    """The supernet."""

    def __init__(self, network=None):
        assert network is None, "only the supernet is written down"
        stem = Block(conv=[conv(3, 3 * WIDTH, 3)], batch_norm=[nn.BatchNorm2d(3 * WIDTH)])
        super().__init__(conv_bn=[stem], stack=[Stack()])

    def forward(self, image, mixtures):
        """`mixtures` says by the path of each decision what its candidates do; cells of a kind share theirs."""
        stem = self.conv_bn[0]
        edges = range(NODES * (NODES + 3) // 2)
        of_kinds = {
            kind: [mixtures[f"{kind}/nodes.0/edge.{edge}/op"] for edge in edges]
            for kind in ("normal", "reduction")
        }
        return self.stack[0](stem.batch_norm[0](stem.conv[0](image)), of_kinds)

    def loss(self, logits, labels):
        return F.cross_entropy(logits, labels)


MODEL = Darts
