"""Brute-force 1:N search in numpy; prints one JSON line.

    /usr/bin/python3 bench/reference/gallerySearch.py folder dimension together top calls
"""

import json
import os
import statistics
import sys
import time

import numpy as np

folder = sys.argv[1]
dimension, together, top, calls = map(int, sys.argv[2:])
read = lambda name: np.fromfile(os.path.join(folder, name), np.float32).reshape(-1, dimension)
templates, queries = read("templates.f32"), read("queries.f32")


def search(query):
    scores = templates @ query
    best = np.argpartition(scores, -top)[-top:]
    return best[np.argsort(-scores[best])]


def search_together(rows):
    scores = rows @ templates.T
    best = np.argpartition(scores, -top)[:, -top:]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1))
    return np.take_along_axis(best, order, axis=1)


def timed(work, count):
    work(0)
    seconds = []
    for k in range(count):
        started = time.perf_counter()
        work(k)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


single = timed(lambda k: search(queries[k % together]), calls)
many = timed(lambda k: search_together(queries), -(-calls // 4)) / together
found = search_together(queries)[:, 0].tolist()
print(json.dumps({"singleSeconds": single, "togetherSeconds": many, "found": found}))
