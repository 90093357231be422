"""Makes steps of a supernet or of one network in PyTorch, as it is told: the requests and answers are those of
`backends/torch/examples/step.rs`. `run.py` drives it.

    worker.py SPACE THREADS [OPTION...]

Options: `channels_last`, `compile`, `bf16`, `double`, and `cuda` for a GPU.
"""

import importlib
import json
import sys
import time

import torch
from modules import pytorch_name
from safetensors.torch import load_file, save_file
from torch import nn


class Worker:
    """A model, its optimiser, and what its steps are on."""

    def __init__(self, space, threads, options):
        torch.set_num_threads(threads)
        self.space = importlib.import_module(space)
        self.options = options
        self.layout = torch.preserve_format
        if "channels_last" in options:
            self.layout = torch.channels_last
        self.dtype = torch.double if "double" in options else torch.float
        self.device = "cuda" if "cuda" in options else "cpu"
        if self.device == "cuda":
            # Products of floats by tensor cores, and the fastest algorithm for each convolution, as nasc has them.
            torch.set_float32_matmul_precision("high")
            torch.backends.cudnn.allow_tf32 = True
            torch.backends.cudnn.benchmark = True
        self.mixtures = {}

    def load(self, request):
        self.model = self.space.MODEL(request.get("candidates")).train()
        self.model = self.model.to(self.device, self.dtype, memory_format=self.layout)
        self.clip = request["clip"]
        self.optimizer = torch.optim.SGD(
            self.model.parameters(),
            lr=request["rate"],
            momentum=request["momentum"],
            weight_decay=request["decay"],
            # The fused one fails where a parameter has its first gradient after others.
            fused=request["all"],
            foreach=not request["all"],
        )
        self.forward = torch.compile(self.model) if "compile" in self.options else self.model
        return {}

    def weights(self, request):
        tensors = load_file(request["from"])
        own = self.model.state_dict()
        named = {pytorch_name(name): name for name in tensors}
        theirs = {name for name in own if not name.endswith("num_batches_tracked")}
        assert theirs == set(named), sorted(theirs ^ set(named))[:5]
        with torch.no_grad():
            for name in theirs:
                own[name].copy_(tensors[named[name]])
        self.named = named
        return {}

    def show(self, request):
        tensors = load_file(request["from"])
        image = tensors["input.0"].to(self.device, self.dtype)
        self.image = image.contiguous(memory_format=self.layout)
        self.labels = tensors["labels"].to(self.device)
        return {}

    def mix(self, request):
        tensors = load_file(request["from"])
        self.mixtures = {
            path: tensor.to(self.device, self.dtype) if tensor.is_floating_point() else int(tensor)
            for path, tensor in tensors.items()
        }
        return {}

    def backward(self):
        """The loss, whose gradients are then those of the parameters."""
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device, torch.bfloat16, enabled="bf16" in self.options):
            logits = self.forward(self.image, self.mixtures)
        loss = self.model.loss(logits.to(self.dtype), self.labels)
        loss.backward()
        return loss

    def step(self, request):
        start = time.perf_counter()
        loss = self.backward()
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        # A GPU is waited for once in a step, at its end.
        loss = loss.item()
        return {"seconds": time.perf_counter() - start, "loss": loss}

    def memory(self, request):
        """The bytes that tensors on the GPU have taken at most."""
        return {"peak": torch.cuda.max_memory_allocated()}

    def gradients(self, request):
        loss = self.backward().item()
        parameters = self.model.named_parameters()
        self.write(request["to"], {n: p.grad for n, p in parameters if p.grad is not None})
        return {"loss": loss}

    def save(self, request):
        own = self.model.state_dict().items()
        self.write(request["to"], {n: t for n, t in own if not n.endswith("num_batches_tracked")})
        return {}

    def write(self, path, tensors):
        save_file({self.named[name]: tensors[name].cpu().contiguous() for name in tensors}, path)

    def macs(self, request):
        """Multiply-accumulates of a pass forward, and of the gradient of the first convolution's input, which none wants."""
        counts = []

        def count(module, _, output):
            counts.append(output.numel() * module.weight[0].numel())

        kinds = (nn.Conv2d, nn.Linear)
        layers = [module for module in self.model.modules() if isinstance(module, kinds)]
        handles = [layer.register_forward_hook(count) for layer in layers]
        with torch.no_grad():
            self.model(self.image, self.mixtures)
        for handle in handles:
            handle.remove()
        return {"forward": sum(counts), "first": counts[0]}

    def matmul(self, request):
        """Multiply-accumulates in a second of a large product of matrices."""
        size = 2048
        a, b = torch.randn(2, size, size, device=self.device)
        best = float("inf")
        for _ in range(6):
            start = time.perf_counter()
            float((a @ b)[0, 0])
            best = min(best, time.perf_counter() - start)
        return {"macs_per_second": size**3 / best}

    def profile(self, request):
        """The operators that take most of a few steps."""
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as found:
            for _ in range(request["steps"]):
                self.step({})
        table = found.key_averages().table(sort_by="self_cpu_time_total", row_limit=20)
        return {"table": table}


def main():
    space, threads, *options = sys.argv[1:]
    worker = Worker(space, int(threads), options)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(getattr(worker, request["do"])(request)), flush=True)


main()
