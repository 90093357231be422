"""The supernet of SqueezeNAS-Small (Shaw et al. 2019, "SqueezeNAS: Fast neural architecture search for faster semantic
segmentation") in plain PyTorch: 20 layers of 13 candidates, with the LR-ASPP head of MobileNetV3 (Howard et al. 2019) that
pools over the whole map. The same network as `squeezenas.nas`.
"""

import torch
import torch.nn.functional as F
from modules import Block, Choice, ConvBnRelu, Only, Zero, conv
from torch import nn

CLASSES = 19
IGNORED = 255
STAGES = [(16, 4, 2), (24, 4, 2), (40, 4, 2), (48, 4, 1), (96, 4, 1)]
EXPANSIONS = [(1, 1), (1, 2), (3, 1), (6, 1)]
# Table 1 of the paper, first row.
MAC_SMALL = """k3_e1_g2 k3_e1_g1 k3_e1_g1 k3_e1_g2 k5_e6_g1 k3_e1_g1 k3_e1_g1 k3_e1_g2_d2 k5_e6_g1 k3_e6_g1_d2 skip k3_e1_g2
k5_e6_g1 k3_e3_g1_d2 k3_e1_g1_d2 k3_e1_g1_d2 k3_e6_g1_d2 k3_e1_g2_d2 k3_e1_g2_d2 k3_e1_g2_d2""".split()


class InvertedResidual(Block):
    """Inverted residual without its residual (Sandler et al. 2018)."""

    def __init__(self, inputs, out, stride, kernel, expand, groups, dilation):
        mid = inputs * expand
        super().__init__(
            conv_bn_relu=[
                ConvBnRelu(inputs, mid, 1, groups=groups),
                ConvBnRelu(mid, mid, kernel, stride, dilation, groups=mid),
            ],
            conv=[conv(mid, out, 1, groups=groups)],
            batch_norm=[nn.BatchNorm2d(out)],
        )

    def forward(self, x):
        wide, deep = self.conv_bn_relu
        return self.batch_norm[0](self.conv[0](deep(wide(x))))


class FactorizedReduce(Block):
    """Two 1x1 convolutions of stride 2, the second one pixel further, joined."""

    def __init__(self, inputs, out):
        super().__init__(
            conv=[conv(inputs, out // 2, 1, stride=2) for _ in range(2)],
            batch_norm=[nn.BatchNorm2d(out // 2) for _ in range(2)],
        )

    def forward(self, x):
        y = F.relu(x)
        even = self.batch_norm[0](self.conv[0](y))
        odd = self.batch_norm[1](self.conv[1](y[:, :, 1:, 1:]))
        return torch.cat([even, odd], 1)


class ReluConvBn(Block):
    """ReLU, convolution, batch norm."""

    def __init__(self, inputs, out):
        super().__init__(conv=[conv(inputs, out, 1)], batch_norm=[nn.BatchNorm2d(out)])

    def forward(self, x):
        return self.batch_norm[0](self.conv[0](F.relu(x)))


def skip(inputs, out, stride):
    """What "skip" means depends on the shape."""
    if stride == 2:
        return Only("skip_to", Only("factorized_reduce", FactorizedReduce(inputs, out)))
    if inputs == out:
        return Zero()
    return Only("skip_to", Only("relu_conv_bn", ReluConvBn(inputs, out)))


def candidates(inputs, out, stride):
    """Those of figure 2 of the paper, in its order; each by a function that makes it."""

    def residual(kernel, expand, groups, dilation=1):
        made = InvertedResidual(inputs, out, stride, kernel, expand, groups, dilation)
        return Only("inverted_residual", made)

    made = {}
    for kernel in (3, 5):
        for e, g in EXPANSIONS:
            made[f"k{kernel}_e{e}_g{g}"] = lambda k=kernel, e=e, g=g: residual(k, e, g)
    for e, g in EXPANSIONS:
        made[f"k3_e{e}_g{g}_d2"] = lambda e=e, g=g: residual(3, e, g, dilation=2)
    made["skip"] = lambda: skip(inputs, out, stride)
    return made


class Unit(nn.Module):
    """One searched layer, with all candidates or with one of them. The residual stands outside the choice."""

    def __init__(self, inputs, out, stride, only=None):
        super().__init__()
        made = candidates(inputs, out, stride)
        self.op = Choice({name: make() for name, make in made.items() if only in (None, name)})
        self.has_residual = stride == 1 and inputs == out

    def forward(self, x, mixture):
        y = self.op(x, mixture)
        if not self.has_residual:
            return y
        return x if y is None else x + y


class Head(Block):
    """LR-ASPP."""

    def __init__(self, deep, low, mid=128, upsample=8):
        super().__init__(
            conv=[
                conv(deep, mid, 1, bias=True),
                conv(mid, CLASSES, 1, bias=True),
                conv(low, CLASSES, 1, bias=True),
            ],
            conv_bn_relu=[ConvBnRelu(deep, mid, 1)],
        )
        self.upsample = upsample

    def forward(self, deep, low):
        of_gate, of_deep, of_low = self.conv
        gate = torch.sigmoid(of_gate(F.adaptive_avg_pool2d(deep, 1)))
        features = self.conv_bn_relu[0](deep) * gate
        larger = F.interpolate(features, size=low.shape[2:], mode="bilinear", align_corners=False)
        coarse = of_deep(larger) + of_low(low)
        return F.interpolate(
            coarse, scale_factor=self.upsample, mode="bilinear", align_corners=True
        )


class SqueezeNas(Block):
    """The supernet; with `network`, a candidate's name by the path of each decision, that network."""

    def __init__(self, network=None):
        units, inputs = [], 16
        for channels, repeats, stride in STAGES:
            for i in range(repeats):
                only = network and network[f"unit.{len(units)}/op"]
                units.append(Unit(inputs, channels, stride if i == 0 else 1, only))
                inputs = channels
        super().__init__(
            conv_bn_relu=[ConvBnRelu(3, 16, 3, stride=2), ConvBnRelu(96, 256, 1)],
            unit=units,
            lr_aspp_global=[Block(lr_aspp_fuse=[Head(256, 24)])],
        )

    def forward(self, image, mixtures):
        """`mixtures` says by the path of each decision what its candidates do."""
        stem, widen = self.conv_bn_relu
        x = stem(image)
        for i, unit in enumerate(self.unit):
            x = unit(x, mixtures.get(f"unit.{i}/op"))
            if i == 7:
                low = x
        return self.lr_aspp_global[0].lr_aspp_fuse[0](widen(x), low)

    def loss(self, logits, labels):
        return F.cross_entropy(logits, labels, ignore_index=IGNORED)


MODEL = SqueezeNas
NETWORK = {f"unit.{i}/op": name for i, name in enumerate(MAC_SMALL)}
