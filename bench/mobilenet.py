"""A supernet of the layers of MobileNetV3-Large (Howard et al. 2019, "Searching for MobileNetV3"), of which kernel and expansion are
chosen, in plain PyTorch. The same network as `mobilenet.nas`.
"""

import torch.nn.functional as F
from modules import Block, Choice, Only, conv
from torch import nn

CLASSES = 100
# Channels, layers, stride of the first one, share of squeeze-and-excitation, activation.
STAGES = [
    (24, 2, 2, 0, F.relu),
    (40, 3, 2, 0.25, F.relu),
    (80, 3, 2, 0, F.hardswish),
    (112, 2, 1, 0.25, F.hardswish),
    (160, 2, 2, 0.25, F.hardswish),
]
LAYERS = sum(repeats for _, repeats, *_ in STAGES)
NETWORK = {
    f"layer.{i}/op": ("k3_e3", "k5_e6", "k3_e6", "k5_e3")[i % 4] for i in range(LAYERS)
}


def rounded(channels):
    """To a multiple of 8, up from the middle, and no less than nine tenths."""
    near = max(8, int(channels + 4) // 8 * 8)
    return near + 8 if near < 0.9 * channels else near


class ConvBn(Block):
    """Convolution, batch norm, an activation if there is one."""

    def __init__(self, inputs, out, kernel, stride=1, groups=1, act=None):
        super().__init__(
            conv=[conv(inputs, out, kernel, stride, groups=groups)],
            batch_norm=[nn.BatchNorm2d(out)],
        )
        self.act = act

    def forward(self, x):
        y = self.batch_norm[0](self.conv[0](x))
        return self.act(y, inplace=True) if self.act else y


class SqueezeExcite(Block):
    """Squeeze-and-excitation (Hu et al. 2018) with a hard sigmoid."""

    def __init__(self, channels, mid):
        super().__init__(
            conv=[conv(channels, mid, 1, bias=True), conv(mid, channels, 1, bias=True)]
        )

    def forward(self, x):
        squeeze, excite = self.conv
        weight = excite(F.relu(squeeze(F.adaptive_avg_pool2d(x, 1)), inplace=True))
        return x * F.hardsigmoid(weight)


class MbConv(Block):
    """Inverted residual."""

    def __init__(self, inputs, out, stride, kernel, expand, act, se):
        mid = rounded(inputs * expand)
        super().__init__(
            conv_bn=[
                ConvBn(inputs, mid, 1, act=act),
                ConvBn(mid, mid, kernel, stride, groups=mid, act=act),
                ConvBn(mid, out, 1),
            ],
            squeeze_excite=[SqueezeExcite(mid, rounded(mid * se))] if se else [],
        )
        self.has_residual = stride == 1 and inputs == out

    def forward(self, x):
        wide, deep, narrow = self.conv_bn
        y = deep(wide(x))
        for gate in self.squeeze_excite:
            y = gate(y)
        y = narrow(y)
        return x + y if self.has_residual else y


class Layer(nn.Module):
    """One searched layer, with all candidates or with one of them."""

    def __init__(self, inputs, out, stride, act, se, only=None):
        super().__init__()
        self.op = Choice(
            {
                name: Only("mbconv", MbConv(inputs, out, stride, kernel, expand, act, se))
                for kernel in (3, 5)
                for expand in (3, 6)
                if only in (None, name := f"k{kernel}_e{expand}")
            }
        )

    def forward(self, x, mixture):
        return self.op(x, mixture)


class MobileNet(Block):
    """The supernet; with `network`, a candidate's name by the path of each decision, that network."""

    def __init__(self, network=None):
        layers, inputs = [], 16
        for channels, repeats, stride, se, act in STAGES:
            for i in range(repeats):
                only = network and network[f"layer.{len(layers)}/op"]
                step = stride if i == 0 else 1
                layers.append(Layer(inputs, channels, step, act, se, only))
                inputs = channels
        super().__init__(
            conv_bn=[ConvBn(3, 16, 3, 2, act=F.hardswish), ConvBn(inputs, 960, 1, act=F.hardswish)],
            layer=layers,
            linear=[nn.Linear(960, 1280), nn.Linear(1280, CLASSES)],
        )

    def forward(self, image, mixtures):
        """`mixtures` says by the path of each decision what its candidates do."""
        stem, last = self.conv_bn
        x = stem(image)
        for i, layer in enumerate(self.layer):
            x = layer(x, mixtures.get(f"layer.{i}/op"))
        wide, classes = self.linear
        return classes(F.hardswish(wide(last(x).mean((2, 3)))))

    def loss(self, logits, labels):
        return F.cross_entropy(logits, labels)


MODEL = MobileNet
