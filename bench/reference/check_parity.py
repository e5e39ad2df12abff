"""Checks models.py against the recorded backbone numbers: names, shapes, embedding, loss, gradient norms.

    /usr/bin/python3 bench/reference/check_parity.py [folder with backbone_*.json]

The recorded training pass has two images, so its batch norms see two values and its gradients are ill-conditioned:
one rounding error of the input moves MobileFaceNet's by several percent. One thread and the OpenBLAS kernel of the
recording (Haswell) give the recorded numbers bit for bit, so this script starts itself again with those.
"""

import glob
import json
import os
import sys

import numpy
import torch

from models import build

NETWORKS = {"r18": "iresnet18", "r34": "iresnet34", "r50": "iresnet50", "r100": "iresnet100",
            "r200": "iresnet200", "mbf": "mobilefacenet", "mbf_large": "mobilefacenet-large"}
RECORDED_CLASSES = 10


def formula_weights(net):
    """Fills the state_dict by the rule of the parity notes."""
    t = 0
    state = net.state_dict()
    for name, value in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        index = numpy.arange(1, value.numel() + 1, dtype=numpy.float64)
        u = numpy.modf(index * 0.6180339887498949 + (t + 1) * 0.4142135623730951)[0]
        t += 1
        if name.endswith("running_var"):
            x = 0.75 + 0.5 * u
        elif name.endswith("running_mean"):
            x = 0.2 * (u - 0.5)
        elif value.dim() >= 2:
            x = (u - 0.5) * 2 * numpy.sqrt(3 * value.shape[0] / value.numel())
        elif name.endswith("weight"):
            x = 0.25 * u if "prelu" in name or name.endswith(".2.weight") else 0.5 + 0.5 * u
        else:
            x = 0.1 * (u - 0.5)
        value.copy_(torch.from_numpy(x.astype(numpy.float32)).reshape(value.shape))


def formula_input():
    count = 2 * 3 * 112 * 112
    index = numpy.arange(1, count + 1, dtype=numpy.float64)
    x = 2 * numpy.modf(index * 0.7548776662466927)[0] - 1
    return torch.from_numpy(x.astype(numpy.float32)).reshape(2, 3, 112, 112)


def check(path):
    key = os.path.basename(path)[len("backbone_"):-len(".json")]
    recorded = json.load(open(path))
    net, _ = build(NETWORKS[key], RECORDED_CLASSES)
    names = [[name, list(value.shape)] for name, value in net.state_dict().items()]
    assert names == recorded["state_dict"], next(p for p in zip(names, recorded["state_dict"]) if p[0] != p[1])
    parameters = sum(p.numel() for name, p in net.named_parameters() if name != "weight")
    assert parameters == recorded["parameters"], (parameters, recorded["parameters"])
    formula_weights(net)
    images = formula_input()
    with torch.no_grad():
        embedding = net.eval()(images)
    expected = torch.tensor(recorded["embedding"]["data"]).reshape(recorded["embedding"]["shape"])
    embedding_error = ((embedding - expected).abs().max() / expected.abs().max()).item()
    net.train()
    loss = (net(images) ** 2).mean()
    loss.backward()
    loss_error = abs(loss.item() - recorded["train_loss"]) / recorded["train_loss"]
    grads = {name: 0.0 if p.grad is None else p.grad.norm().item() for name, p in net.named_parameters()}
    largest = max(recorded["grad_norms"].values())
    # Norms that are zero in exact arithmetic (a bias before a batch norm) are rounding noise: judged absolutely.
    grad_error = max(abs(grads[name] - value) / max(value, 1e-5 * largest)
                     for name, value in recorded["grad_norms"].items())
    print(f"{key}: {len(names)} names and shapes equal; {parameters} parameters; relative error: "
          f"embedding {embedding_error:.1e}, loss {loss_error:.1e}, worst gradient norm {grad_error:.1e}")
    assert embedding_error < 1e-3 and loss_error < 1e-4 and grad_error < 1e-3


if __name__ == "__main__":
    if os.environ.get("OPENBLAS_CORETYPE") != "Haswell":
        os.environ["OPENBLAS_CORETYPE"] = "Haswell"  # read when the library loads: it takes a new process
        os.execv(sys.executable, [sys.executable, *sys.argv])
    folder = sys.argv[1] if len(sys.argv) > 1 else "../shared/parity"
    files = sorted(glob.glob(os.path.join(folder, "backbone_*.json")))
    if not files:
        sys.exit(f"no backbone_*.json in {folder}")
    torch.set_num_threads(1)
    for path in files:
        check(path)
