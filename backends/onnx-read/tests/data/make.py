"""Writes the models of this folder: python make.py, with torch 2.11 and onnx 1.23."""

import onnx
import torch
from torch import nn
from torch.nn import functional


class Shapes(nn.Module):
    """Sizes that follow from those of the input, as exporters write them."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.deep = nn.Conv2d(8, 8, 3, padding=1, groups=4)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.head = nn.Linear(4, 5)

    def forward(self, image):
        x = torch.relu(self.norm(self.stem(image)))
        n, c, h, w = x.shape
        x = x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        y = functional.interpolate(self.deep(x), size=(h * 2, w * 2), mode="bilinear")
        y = functional.pad(self.up(x), (0, 1, 0, 1)) + y[:, :4, :1, :1]
        a, b = torch.split(y, 2, dim=1)
        return self.head(torch.cat([b, a], dim=1).mean(dim=(2, 3)))


class Attention(nn.Module):
    """A block of a transformer."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(11, 8)
        self.norm = nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.wide = nn.Linear(8, 16)
        self.narrow = nn.Linear(16, 8)

    def forward(self, indices):
        x = self.words(indices)
        y = self.norm(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return x + self.narrow(functional.gelu(self.wide(x)))


def main():
    torch.manual_seed(0)
    shapes, attention = Shapes(), Attention()
    for model in (shapes, attention):
        for tensor in [*model.parameters(), *model.buffers()]:
            if tensor.dtype == torch.float32:
                tensor.data += 0.1 * torch.rand_like(tensor)
        print(type(model).__name__, sum(parameter.numel() for parameter in model.parameters()))
    sizes = {"image": {0: "batch", 2: "height", 3: "width"}}
    torch.onnx.export(
        shapes.eval(), (torch.rand(1, 3, 32, 32),), "shapes.onnx", dynamo=False, opset_version=17,
        input_names=["image"], output_names=["classes"], dynamic_axes=sizes, do_constant_folding=False,
    )
    torch.onnx.export(
        attention.eval(), (torch.zeros(1, 6, dtype=torch.int64),), "attention.onnx", dynamo=False,
        opset_version=17, input_names=["words"], output_names=["values"],
        dynamic_axes={"words": {0: "batch"}},
    )
    model = onnx.load("shapes.onnx")
    onnx.save(
        model, "outside.onnx", save_as_external_data=True, location="outside.data", size_threshold=0
    )
    nodes = [
        onnx.helper.make_node("Identity", ["x"], ["same"], name="first"),
        onnx.helper.make_node("Relu", ["same"], ["bent"], name="second"),
        onnx.helper.make_node("Neg", ["bent"], ["y"], name="third"),
    ]
    ports = [onnx.helper.make_tensor_value_info(name, 1, ["batch", 2, 3, 3]) for name in "xy"]
    graph = onnx.helper.make_graph(nodes, "chain", ports[:1], ports[1:])
    opset = onnx.helper.make_opsetid("", 17)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8), "chain.onnx")
    nodes[1].op_type, nodes[1].domain = "Crumple", "com.example"
    graph = onnx.helper.make_graph(nodes, "odd", ports[:1], ports[1:])
    opsets = [opset, onnx.helper.make_opsetid("com.example", 1)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8), "odd.onnx")


main()
