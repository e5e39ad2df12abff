"""Times complete training steps, or embedding, of the reference in stock PyTorch; prints one JSON line. Runs on the CPU.

    /usr/bin/python3 bench/reference/step.py --network iresnet18 --batch 32 --steps 5

A step is: zero gradients, forward, loss, backward, clip (norm 5), SGD (momentum 0.9, weight decay 5e-4). The batch
is random and stays in memory, as float32 and already perturbed, which the reference's data loader does, so nothing of that
is timed. --inference: evaluation mode, no gradients. PyTorch's defaults otherwise; the thread count is set, because
Debian's default is one.
"""

import argparse
import contextlib
import json
import os
import resource
import statistics
import sys
import time

sys.dont_write_bytecode = True

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

import objective  # noqa: E402
from models import IRESNET_BLOCKS, build  # noqa: E402


class Clock:
    """Collects seconds by part of a step."""

    def __init__(self):
        self.clear()

    def clear(self):
        self.steps = []
        self.now = {}

    @contextlib.contextmanager
    def part(self, name):
        start = time.perf_counter()
        yield
        self.now[name] = self.now.get(name, 0) + time.perf_counter() - start

    def next_step(self):
        self.steps.append(self.now)
        self.now = {}

    def medians(self):
        return {name: statistics.median(step[name] for step in self.steps) for name in self.steps[0]}


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--network", default="iresnet18", choices=[*IRESNET_BLOCKS, "mobilefacenet", "mobilefacenet-large"])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--layout", default="nchw", choices=["nchw", "channels_last"])
    parser.add_argument("--objective", default="arcface", choices=["arcface", "topofr"])
    parser.add_argument("--steps", type=int, default=5, help="timed steps")
    parser.add_argument("--warmup", type=int, default=2, help="steps before the timed ones")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seed", type=int, default=2048)
    parser.add_argument("--inference", action="store_true", help="embed instead of training")
    return parser.parse_args()


def main():
    options = parse()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    net, weight = build(options.network, options.classes)
    net.train(not options.inference)
    images = torch.rand(options.batch, 3, 112, 112) * 2 - 1
    labels = torch.randint(options.classes, (options.batch,))
    if options.layout == "channels_last":
        net = net.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    parameters = list({id(p): p for p in [*net.parameters(), weight]}.values())
    sgd = torch.optim.SGD(parameters, lr=0.1, momentum=0.9, weight_decay=5e-4)
    clock = Clock()

    def forward():
        if options.precision == "bf16":
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return net(images).float()
        return net(images)

    def loss_of(embedding):
        with clock.part("loss"):
            logits = objective.arcface_logits(objective.cosine_logits(embedding, weight), labels)
        if options.objective == "arcface":
            with clock.part("loss"):
                return F.cross_entropy(logits, labels)
        with clock.part("topology"):
            omega = objective.damage_weights(logits, labels)
            structure = objective.alignment(images, embedding)
        with clock.part("loss"):
            classification = (omega * F.cross_entropy(logits, labels, reduction="none")).mean()
            return classification + objective.ALIGNMENT_WEIGHT * structure

    def train():
        with clock.part("optimiser"):
            sgd.zero_grad()
        with clock.part("forward"):
            embedding = forward()
        loss = loss_of(embedding)
        with clock.part("backward"):
            loss.backward()
        with clock.part("optimiser"):
            torch.nn.utils.clip_grad_norm_(parameters, 5)
            sgd.step()
        with clock.part("report"):
            return loss.item()

    def embed():
        with torch.inference_mode(), clock.part("forward"):
            forward().numpy()

    step = embed if options.inference else train
    for _ in range(options.warmup):
        step()
        clock.next_step()
    clock.clear()
    seconds, losses = [], []
    for _ in range(options.steps):
        start = time.perf_counter()
        losses.append(step())
        clock.next_step()
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    print(json.dumps({
        "version": torch.__version__,
        "images": options.batch,
        "stepSeconds": seconds,
        "medianSeconds": median,
        "imagesPerSecond": options.batch / median,
        "parts": clock.medians(),
        "peakResidentBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "loss": losses[-1],
    }))


if __name__ == "__main__":
    main()
