"""The compared networks in plain PyTorch: IResNet and MobileFaceNet.

They are the yardstick of the benchmarks: stock modules, stock memory layout, no fusing. Parameter names and shapes
are those of the published checkpoints; check_parity.py compares them with recorded numbers.
Not used by the product.
"""

import torch
from torch import nn

EMBEDDING_SIZE = 512

IRESNET_BLOCKS = {
    "iresnet18": (2, 2, 2, 2),
    "iresnet34": (3, 4, 6, 3),
    "iresnet50": (3, 4, 14, 3),
    "iresnet100": (3, 13, 30, 3),
    "iresnet200": (6, 26, 60, 6),
}


def conv3x3(inputs, outputs, stride=1):
    return nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False)


class IResNetBlock(nn.Module):
    """BN - conv3x3 - BN - PReLU - conv3x3(stride) - BN, plus the shortcut. No activation after the sum."""

    def __init__(self, inputs, outputs, stride, downsample):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = conv3x3(inputs, outputs)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.prelu = nn.PReLU(outputs)
        self.conv2 = conv3x3(outputs, outputs, stride)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = downsample

    def forward(self, x):
        out = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        out = self.bn3(self.conv2(out))
        shortcut = x if self.downsample is None else self.downsample(x)
        return out + shortcut


class IResNet(nn.Module):
    """images [n, 3, 112, 112] -> embedding [n, 512]. The classifier's `weight` [classes, 512] lives here too."""

    def __init__(self, blocks, classes, dropout=0.0):
        super().__init__()
        # N(0, 0.01), as the reference. First, so that the state_dict has the reference's order.
        self.weight = nn.Parameter(torch.empty(classes, EMBEDDING_SIZE).normal_(0, 0.01))
        self.conv1 = conv3x3(3, 64)
        self.bn1 = nn.BatchNorm2d(64)
        self.prelu = nn.PReLU(64)
        self.layer1 = self._stage(64, 64, blocks[0])
        self.layer2 = self._stage(64, 128, blocks[1])
        self.layer3 = self._stage(128, 256, blocks[2])
        self.layer4 = self._stage(256, 512, blocks[3])
        self.bn2 = nn.BatchNorm2d(512)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(512 * 7 * 7, EMBEDDING_SIZE)
        self.features = nn.BatchNorm1d(EMBEDDING_SIZE)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, 0, 0.1)

    @staticmethod
    def _stage(inputs, outputs, count):
        # Every stage halves the side length, so its first block always has a projecting shortcut.
        downsample = nn.Sequential(
            nn.Conv2d(inputs, outputs, kernel_size=1, stride=2, bias=False), nn.BatchNorm2d(outputs)
        )
        first = IResNetBlock(inputs, outputs, 2, downsample)
        rest = [IResNetBlock(outputs, outputs, 1, None) for _ in range(count - 1)]
        return nn.Sequential(first, *rest)

    def forward(self, x):
        x = self.prelu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        x = self.dropout(torch.flatten(self.bn2(x), 1))
        return self.features(self.fc(x))


class Layers(nn.Module):
    """A Sequential held in a field named `layers`: the published checkpoints have `layers.` in every name."""

    def __init__(self, *modules):
        super().__init__()
        self.layers = nn.Sequential(*modules)

    def forward(self, x):
        return self.layers(x)


def linear_block(inputs, outputs, kernel, stride, padding, groups=1):
    return Layers(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False), nn.BatchNorm2d(outputs)
    )


def conv_block(inputs, outputs, kernel, stride, padding, groups=1):
    return Layers(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.PReLU(outputs),
    )


class DepthWise(Layers):
    """Expand 1x1, depthwise 3x3 (stride), project 1x1 without activation; `residual` adds the input."""

    def __init__(self, inputs, outputs, width, stride, residual):
        super().__init__(
            conv_block(inputs, width, 1, 1, 0),
            conv_block(width, width, 3, stride, 1, groups=width),
            linear_block(width, outputs, 1, 1, 0),
        )
        self.residual = residual

    def forward(self, x):
        out = self.layers(x)
        return x + out if self.residual else out


def residual_stage(channels, width, count):
    return Layers(*[DepthWise(channels, channels, width, 1, True) for _ in range(count)])


class MobileFaceNet(nn.Module):
    """images [n, 3, 112, 112] -> embedding [n, 512]. Has no classifier of its own."""

    def __init__(self, blocks=(1, 4, 6, 2), scale=2):
        super().__init__()
        thin, wide = 64 * scale, 128 * scale
        # One block in the first stage is a plain grouped convolution; the large net has residual blocks there.
        second = conv_block(thin, thin, 3, 1, 1, groups=64) if blocks[0] == 1 else residual_stage(thin, 128, blocks[0])
        self.layers = nn.ModuleList(
            [
                conv_block(3, thin, 3, 2, 1),
                second,
                DepthWise(thin, thin, 128, 2, False),
                residual_stage(thin, 128, blocks[1]),
                DepthWise(thin, wide, 256, 2, False),
                residual_stage(wide, 256, blocks[2]),
                DepthWise(wide, wide, 512, 2, False),
                residual_stage(wide, 256, blocks[3]),
            ]
        )
        self.conv_sep = conv_block(wide, 512, 1, 1, 0)
        self.features = Layers(
            linear_block(512, 512, 7, 1, 0, groups=512),
            nn.Flatten(),
            nn.Linear(512, EMBEDDING_SIZE, bias=False),
            nn.BatchNorm1d(EMBEDDING_SIZE),
        )
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.features(self.conv_sep(x))


def build(network, classes):
    """-> (backbone, classifier weight [classes, 512]). The weight is part of an IResNet, a separate one otherwise."""
    if network in IRESNET_BLOCKS:
        net = IResNet(IRESNET_BLOCKS[network], classes)
        return net, net.weight
    if network == "mobilefacenet":
        net = MobileFaceNet()
    elif network == "mobilefacenet-large":
        net = MobileFaceNet(blocks=(2, 8, 12, 4), scale=4)
    else:
        raise ValueError(f"unknown network {network!r}; known: {', '.join([*IRESNET_BLOCKS, 'mobilefacenet'])}")
    return net, nn.Parameter(torch.empty(classes, EMBEDDING_SIZE).normal_(0, 0.01))
