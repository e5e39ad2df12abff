"""Images a second by Pillow and NumPy: what a PyTorch data loader's worker processes do with a folder of aligned faces.

    /usr/bin/python3 bench/reference/decode.py folder workers batch passes

Each process reads, decodes, flips half, normalises to float32 and stacks its batches; nothing is sent back, so the cost of
moving batches between processes is not counted against it.
"""

import glob
import multiprocessing
import sys
import time

import numpy as np
from PIL import Image


def load(batch):
    images = []
    for index, path in enumerate(batch):
        pixels = np.asarray(Image.open(path).convert("RGB"))
        if index % 2:
            pixels = pixels[:, ::-1]
        images.append((pixels.transpose(2, 0, 1).astype(np.float32) - 127.5) / 127.5)
    return np.stack(images).shape[0]


def main():
    folder, workers, size, passes = sys.argv[1], *map(int, sys.argv[2:5])
    paths = sorted(glob.glob(f"{folder}/*/*.jpg"))
    batches = [paths[i:i + size] for i in range(0, len(paths) - size + 1, size)]
    with multiprocessing.Pool(workers) as pool:
        pool.map(load, batches)  # warm-up
        started = time.perf_counter()
        count = sum(sum(pool.map(load, batches, chunksize=1)) for _ in range(passes))
        print(count / (time.perf_counter() - started))


if __name__ == "__main__":
    main()
