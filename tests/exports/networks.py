"""The published networks that nasc has, as torchvision and timm build them.

Their weights are random, with statistics of batch norms that were gathered on random images, so that a
network answers other than a fresh one would. Trained weights have the same names and shapes.
"""

import timm
import torch
import torchvision

# Makes the network, by the name of its map in `spaces`.
NETWORKS = {
    "mobilenet_v2": torchvision.models.mobilenet_v2,
    "mobilenet_v3_large": torchvision.models.mobilenet_v3_large,
    "mobilenet_v3_small": torchvision.models.mobilenet_v3_small,
    "resnet50": torchvision.models.resnet50,
    "efficientnet_b0": torchvision.models.efficientnet_b0,
    "fbnet_c": lambda: timm.create_model("fbnetc_100"),
}
SIZE = 224
# Batches, and images in each, of which batch norms gather their statistics.
BATCHES, IMAGES = 4, 8


def images(count, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 3, SIZE, SIZE, generator=generator)


def network(name):
    """A network as it answers, always with the same weights."""
    torch.manual_seed(1)
    model = NETWORKS[name]()
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for module in model.modules():
        # Zeros would be one constant for all layers of a size, which trained weights are not.
        if getattr(module, "bias", None) is not None:
            torch.nn.init.normal_(module.bias, std=0.1)
    for norm in norms:
        torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
        norm.momentum = None  # The mean over all batches.
    model.train()
    with torch.no_grad():
        for batch in range(BATCHES):
            model(images(IMAGES, batch + 2))
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    return model.eval()
