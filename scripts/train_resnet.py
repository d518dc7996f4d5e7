"""Train ``model_repository/resnet_model``: a small residual network on scikit-learn's digits.

    pip install torch==2.13.0 onnx scikit-learn numpy
    python scripts/train_resnet.py

Writes ``1/model.onnx`` and a record of the run (``README.md``). The recipe is fixed, seeds and
epochs included, so that another run gives the same accuracy; no epoch or setting is chosen by
looking at the held-out images.
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import sklearn
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "model_repository" / "resnet_model"
sys.path.insert(0, str(ROOT / "examples"))

import digits_data  # noqa: E402

SEED = 7
EPOCHS = 40
BATCH = 64
PIXEL_MAX = 16.0
OPSET = 17


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut, projected by a 1x1 convolution if the shape changes."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.project = stride != 1 or channels_in != channels
        if self.project:
            self.conv3 = nn.Conv2d(channels_in, channels, 1, stride, bias=False)
            self.norm3 = nn.BatchNorm2d(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply to ``(n, channels_in, h, w)`` float32."""
        y = functional.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        shortcut = self.norm3(self.conv3(x)) if self.project else x
        return functional.relu(y + shortcut)


class ResNet(nn.Module):
    """Three residual blocks on 8x8 images: 3.3 million multiply-adds an image."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 32, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(32)
        self.blocks = nn.ModuleList([Block(32, 32, 1), Block(32, 64, 2), Block(64, 64, 1)])
        self.head = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits ``(n, 10)`` of images ``(n, 1, 8, 8)`` float32 with pixels from 0 to 16."""
        x = functional.relu(self.norm(self.stem(x / PIXEL_MAX)))
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean(dim=(2, 3)))


def shifted(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Each image moved by up to one pixel, as digits are never centred the same."""
    padded = functional.pad(images, (1, 1, 1, 1))
    offsets = torch.randint(0, 3, (len(images), 2), generator=generator)
    return torch.stack(
        [
            image[:, dy : dy + 8, dx : dx + 8]
            for image, (dy, dx) in zip(padded, offsets.tolist(), strict=True)
        ]
    )


def train() -> ResNet:
    """Train on the training split with the fixed recipe."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    generator = torch.Generator().manual_seed(SEED)
    images, labels = (torch.from_numpy(array) for array in digits_data.training())
    model = ResNet()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=5e-4)
    steps = EPOCHS * -(-len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    for epoch in range(EPOCHS):
        model.train()
        losses = []
        for index in torch.randperm(len(images), generator=generator).split(BATCH):
            logits = model(shifted(images[index], generator))
            loss = functional.cross_entropy(logits, labels[index], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1:2d}  loss {np.mean(losses):.4f}", flush=True)
    model.eval()
    return model


class Exporter:
    """Writes the network as ONNX operators, BatchNormalization kept as it was trained."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, op: str, name: str, inputs: list[str], **attributes: Any) -> str:
        """A node with one output, which gives it its name."""
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def weight(self, name: str, value: torch.Tensor) -> str:
        """A constant."""
        array = value.detach().numpy().astype(np.float32)
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def conv_norm(
        self, name: str, x: str, conv: nn.Conv2d, norm: nn.BatchNorm2d, scale: float = 1.0
    ) -> str:
        """A convolution and its normalisation; `scale` multiplies the weights."""
        pad, stride = conv.padding[0], conv.stride[0]
        weight = self.weight(f"{name}.weight", conv.weight * scale)
        y = self.add("Conv", name, [x, weight], pads=[pad] * 4, strides=[stride] * 2)
        parameters = [
            self.weight(f"{name}.norm.{part}", value)
            for part, value in (
                ("scale", norm.weight),
                ("bias", norm.bias),
                ("mean", norm.running_mean),
                ("variance", norm.running_var),
            )
        ]
        return self.add("BatchNormalization", f"{name}.norm", [y, *parameters], epsilon=norm.eps)

    def block(self, name: str, x: str, block: Block) -> str:
        """A residual block."""
        y = self.conv_norm(f"{name}.conv1", x, block.conv1, block.norm1)
        y = self.add("Relu", f"{name}.relu1", [y])
        y = self.conv_norm(f"{name}.conv2", y, block.conv2, block.norm2)
        if block.project:
            x = self.conv_norm(f"{name}.project", x, block.conv3, block.norm3)
        return self.add("Relu", f"{name}.relu2", [self.add("Add", f"{name}.add", [y, x])])

    def model(self, network: ResNet) -> onnx.ModelProto:
        """The whole network."""
        # The division of pixels by 16 becomes part of the first weights.
        x = self.conv_norm("stem", "image", network.stem, network.norm, 1 / PIXEL_MAX)
        x = self.add("Relu", "stem.relu", [x])
        for i, block in enumerate(network.blocks):
            x = self.block(f"block{i + 1}", x, block)
        x = self.add("Flatten", "flatten", [self.add("GlobalAveragePool", "pool", [x])], axis=1)
        head = [
            self.weight("head.weight", network.head.weight),
            self.weight("head.bias", network.head.bias),
        ]
        self.add("Softmax", "probabilities", [self.add("Gemm", "head", [x, *head], transB=1)])
        graph = helper.make_graph(
            self.nodes,
            "resnet_model",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 8, 8])],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 10])],
            self.weights,
        )
        opset = helper.make_opsetid("", OPSET)
        return helper.make_model(
            graph, opset_imports=[opset], ir_version=8, producer_name="inferometer"
        )


def main() -> None:
    """Train, measure, export and write the record."""
    network = train()
    images, labels = digits_data.held_out()
    with torch.no_grad():
        predicted = network(torch.from_numpy(images)).argmax(dim=1).numpy()
    correct = int((predicted == labels).sum())
    model = Exporter().model(network)
    onnx.checker.check_model(model, full_check=True)
    path = TARGET / "1" / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))
    accuracy = f"{correct} of {len(labels)} held-out images ({correct / len(labels):.2%})"
    print(accuracy)
    (TARGET / "README.md").write_text(
        f"""# resnet_model

A residual network on scikit-learn's 8x8 digits, written by `scripts/train_resnet.py`.

- Input `image`: `(-1, 1, 8, 8)` float32, pixel values from 0 to 16 as
  `sklearn.datasets.load_digits` gives them; the scaling is part of the model.
- Output `probabilities`: `(-1, 10)` float32, one row of softmax per image.
- {sum(p.numel() for p in network.parameters()):,} parameters, about 3.3 million multiply-adds an \
image, opset {OPSET}, {path.stat().st_size:,} bytes.
- Held-out images: `examples/digits_data.py`, `held_out()`.

## Record of the training run

| | |
|---|---|
| accuracy | {accuracy} |
| recipe | {EPOCHS} epochs, batch {BATCH}, AdamW, seed {SEED}, one thread, shifts by one pixel |
| Python | {platform.python_version()} on {platform.system()} {platform.machine()} |
| torch | {torch.__version__} |
| onnx | {onnx.__version__} |
| scikit-learn | {sklearn.__version__} |
| numpy | {np.__version__} |
"""
    )


if __name__ == "__main__":
    main()
