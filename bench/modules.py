"""What the two supernets share: plain modules of PyTorch, in the tree of names that nasc gives.

A tensor `unit.0/op=skip/conv.0.weight` of nasc is `unit.0.op.skip.conv.0.weight` here: the n-th block of a kind is entry n of
a list of that name.
"""

import torch
from torch import nn


def pytorch_name(name):
    """The name here of a tensor of nasc."""
    return name.replace("/", ".").replace("=", ".")


def listed(**kinds):
    """A list of modules by each name."""
    return {kind: nn.ModuleList(modules) for kind, modules in kinds.items()}


class Block(nn.Module):
    """Modules in lists by kind."""

    def __init__(self, **kinds):
        super().__init__()
        for kind, modules in listed(**kinds).items():
            self.add_module(kind, modules)


class Only(Block):
    """One block of a kind, as the content of a candidate."""

    def __init__(self, kind, module):
        super().__init__(**{kind: [module]})
        self.kind = kind

    def forward(self, x):
        return getattr(self, self.kind)[0](x)


class Zero(nn.Module):
    """Nothing: `None` stands for it, so that it costs nothing."""

    def forward(self, x):
        return None


def conv(inputs, out, kernel, stride=1, dilation=1, groups=1, bias=False):
    """A convolution that keeps the size but for its stride."""
    padding = dilation * (kernel - 1) // 2
    return nn.Conv2d(inputs, out, kernel, stride, padding, dilation, groups, bias)


class ConvBnRelu(Block):
    """Convolution, batch norm, ReLU."""

    def __init__(self, inputs, out, kernel, stride=1, dilation=1, groups=1):
        super().__init__(
            conv=[conv(inputs, out, kernel, stride, dilation, groups)],
            batch_norm=[nn.BatchNorm2d(out)],
        )
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.batch_norm[0](self.conv[0](x)))


class Choice(nn.ModuleDict):
    """The candidates of one decision by name.

    `mixture` says what they do: weights `[N, candidates]`, the number of one of them, or `None` where there is but one.
    """

    def forward(self, x, mixture):
        candidates = list(self.values())
        if mixture is None:
            return candidates[0](x)
        if isinstance(mixture, int):
            return candidates[mixture](x)
        total = None
        for candidate, weight in zip(candidates, mixture.unbind(1)):
            y = candidate(x)
            if y is None:
                continue
            weight = weight.to(y.dtype).view(-1, 1, 1, 1)
            total = y * weight if total is None else torch.addcmul(total, y, weight)
        return total
