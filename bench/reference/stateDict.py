"""Saves a network as a training script of the reference code does, and prints what PyTorch computes with it.

    python3 stateDict.py NETWORK FILE.pt PIXELS COUNT

PIXELS is a file of uint8 [COUNT, 112, 112, 3], RGB. Every name gets DataParallel's prefix `module.`, and the class centres are in the file.
Prints one line of JSON, { "rows": [COUNT][512] }: embeddings, not normalised. Not used by the product; the oracle of
test/browser/roundTrip.test.mjs.
"""

import json
import sys

import numpy
import torch
from models import build
from torch import nn

CLASSES = 5
WARM_UP = 4  # random images from which the running statistics come


def draw_norms(net):
    """Batch norms and PReLUs as if trained: no scale is 1, no bias 0, no slope the default."""
    for module in net.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.3, 0.3)
            module.momentum = None  # the statistics become those of the images seen
        if isinstance(module, nn.PReLU):
            nn.init.uniform_(module.weight, 0.1, 0.4)


network, file, pixel_file, count = sys.argv[1:]
torch.manual_seed(7)
net, centres = build(network, CLASSES)
draw_norms(net)
pixels = numpy.fromfile(pixel_file, numpy.uint8).reshape(int(count), 112, 112, 3)
images = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - 127.5) / 127.5
with torch.no_grad():
    net.train()(torch.rand(WARM_UP, 3, 112, 112) * 2 - 1)
    rows = net.eval()(images)
state = nn.DataParallel(net).state_dict()
torch.save({"module.weight": centres.detach(), **state}, file)
print(json.dumps({"rows": rows.tolist()}))
