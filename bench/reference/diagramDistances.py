"""GUDHI's side of bench/diagramDistances.mjs: the same diagrams, its bottleneck distance and Hera's Wasserstein.

Prints one JSON object: version, and seconds (processor time, median of the repeats) and distance by kind and task.
Hera has no exact mode: its times at a relative error of 1e-6 stand beside our exact ones.
"""
import json
import math
import sys
import time

import gudhi
import gudhi.hera
import numpy as np


def make_diagram(count, square, kind):
    k = np.arange(1, count + 1, dtype=float)
    root = math.sqrt(square)
    x, y = (k * root) % 1.0, (k * k * root) % 1.0
    if kind == "uniform":
        return np.stack([x, x + y], 1)
    if kind == "grid":
        births = np.floor(6 * x)
        return np.stack([births, births + 1 + np.floor(4 * y)], 1)
    return np.stack([x, x + np.where((k - 1) % 100 == 0, y, 0.05 * y)], 1)


def wasserstein(order, delta):
    return lambda a, b: gudhi.hera.wasserstein_distance(a, b, order=order, internal_p=math.inf, delta=delta)


TASKS = {
    "bottleneck, exact": lambda a, b: gudhi.bottleneck_distance(a, b),
    "bottleneck, 1%": lambda a, b: gudhi.hera.bottleneck_distance(a, b, delta=0.01),
    "Wasserstein 1, 1%": wasserstein(1, 0.01),
    "Wasserstein 1, exact": wasserstein(1, 1e-6),
    "Wasserstein 2, 1%": wasserstein(2, 0.01),
    "Wasserstein 2, exact": wasserstein(2, 1e-6),
}


def measure(task, a, b, repeats):
    seconds = []
    for _ in range(repeats):
        before = time.process_time()
        distance = task(a, b)
        seconds.append(time.process_time() - before)
    return {"seconds": sorted(seconds)[len(seconds) // 2], "distance": distance}


points, repeats = int(sys.argv[1]), int(sys.argv[2])
result = {"version": gudhi.__version__}
for kind in ["uniform", "noise", "grid"]:
    a, b = make_diagram(points, 2, kind), make_diagram(points, 3, kind)
    result[kind] = {name: measure(task, a, b, repeats) for name, task in TASKS.items()}
print(json.dumps(result))
