"""What PyTorch has no layer for, and how weights are read and written by the names of nasc."""

import json
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

FOLDER = pathlib.Path(__file__).resolve().parent


class PaddedConv2d(nn.Conv2d):
    """A convolution with other padding before than after: (left, right, top, bottom)."""

    def __init__(self, *args, around, **kwargs):
        super().__init__(*args, **kwargs)
        self.around = around

    def forward(self, x):
        return super().forward(F.pad(x, self.around))


class CutConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution of which rows and columns are cut: (left, right, top, bottom)."""

    def __init__(self, *args, around, **kwargs):
        super().__init__(*args, **kwargs)
        self.around = around

    def forward(self, x):
        left, right, top, bottom = self.around
        x = super().forward(x)
        return x[:, :, top : x.shape[2] - bottom, left : x.shape[3] - right]


class DropPath(nn.Module):
    """Whole images of a batch are zero in training with probability p; the others are divided by 1 - p."""

    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        kept = torch.rand(x.shape[0], *[1] * (x.dim() - 1), device=x.device) >= self.p
        return x * kept / (1 - self.p)


def linear_vector(x):
    """A map of one pixel as a vector."""
    return x.flatten(1)


def avg_pool(x, kernel, stride, around, counts_padding, whole):
    """The mean over windows. `whole` is the padding with which the last windows lie inside."""
    left, right, top, bottom = around
    ones = torch.ones_like(x[:1, :1])
    ones = F.pad(ones, around, value=1.0 if counts_padding else 0.0)
    x = F.pad(x, around)
    more = (0, whole[1] - right, 0, whole[3] - bottom)
    area = kernel[0] * kernel[1]
    x, ones = (F.avg_pool2d(F.pad(part, more), kernel, stride) * area for part in (x, ones))
    return x / ones


def max_pool(x, kernel, stride, whole):
    """The maximum over windows, of which padding is never one."""
    return F.max_pool2d(F.pad(x, whole, value=float("-inf")), kernel, stride)


def max_unpool(x, pooled, kernel, stride):
    """Values at the places of the maxima of `pooled`, zeros elsewhere."""
    _, places = F.max_pool2d(pooled, kernel, stride, return_indices=True)
    flat = torch.zeros_like(pooled).flatten(2)
    return flat.scatter(2, places.flatten(2), x.flatten(2)).view_as(pooled)


def pad_channels(x, before, after):
    """Channels of zeros before and after."""
    return F.pad(x, [0, 0] * (x.dim() - 2) + [before, after])


def crop(x, left, right, top, bottom):
    """The map without its borders."""
    return x[:, :, top : x.shape[2] - bottom, left : x.shape[3] - right]


def shift(x, kernel, dilation):
    """Each channel moved by a step of a kernel, in turns (Wu et al. 2018)."""
    channels, taps = x.shape[1], kernel * kernel
    tap = torch.arange(channels, device=x.device) % taps
    tap[channels // taps * taps :] = taps // 2
    steps = F.one_hot(tap, taps).to(x.dtype).view(channels, 1, kernel, kernel)
    return F.conv2d(x, steps, padding=kernel // 2 * dilation, dilation=dilation, groups=channels)


def multiply(*factors):
    """The product; vectors `[N, C]` are factors of the channels of maps."""
    rank = max(factor.dim() for factor in factors)
    product = None
    for factor in factors:
        factor = factor.view(*factor.shape, *[1] * (rank - factor.dim()))
        product = factor if product is None else product * factor
    return product


def add(*terms):
    """The sum, from left to right."""
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def load_weights(module, path=FOLDER / "weights.safetensors"):
    """Reads a weights file with the names of nasc into a module of this folder."""
    tensors = load_file(path)
    names = json.loads((FOLDER / "names.json").read_text())
    state = {key: tensors[name] for key, name in names.items()}
    missing, unexpected = module.load_state_dict(state, strict=False)
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"{path} is of another network: {missing or unexpected}")
    return module


def save_weights(module, path):
    """Writes the weights of a module with the names that `nasc export --weights` reads."""
    names = json.loads((FOLDER / "names.json").read_text())
    state = module.state_dict()
    save_file({name: state[key].detach().contiguous().cpu() for key, name in names.items()}, path)
