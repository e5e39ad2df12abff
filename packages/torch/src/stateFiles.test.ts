// State dicts on disk.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Linear, Sequential } from "./nn/layers.js";
import { loadTensors, saveTensors } from "./stateFiles.js";
import { type DType, type Tensor, tensorFromBytes, zeros } from "./tensor.js";
import { numbers } from "./torch.test.helpers.js";

const fixture = (name: string) => fileURLToPath(new URL(`../../formats/fixtures/${name}`, import.meta.url));

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "topofr-state-"));
});
afterAll(() => rm(folder, { recursive: true }));

const SIZES: Record<DType, number> = {
  float32: 4,
  float64: 8,
  bfloat16: 2,
  float16: 2,
  int64: 8,
  int32: 4,
  uint8: 1,
  bool: 1,
};

test("safetensors gives back every bit of every dtype, with shape, order and metadata", async () => {
  const state = new Map<string, Tensor>();
  for (const [dtype, size] of Object.entries(SIZES) as [DType, number][]) {
    // All byte values, NaN payloads included; bool has 0 and 1 only.
    const bytes = Uint8Array.from({ length: 6 * size }, (_, index) =>
      dtype === "bool" ? index & 1 : 251 * index + 7,
    );
    state.set(`${dtype}.weight`, tensorFromBytes(bytes, dtype, [2, 3]));
  }
  state.set("scalar", zeros([], { dtype: "int64" }));
  state.set("empty", zeros([0, 4]));
  state.set("transposed", state.get("float32.weight")!.t());
  const path = join(folder, "all.safetensors");
  await saveTensors(path, state, { epoch: "3" });
  const { tensors, metadata } = await loadTensors(path);
  expect([...tensors.keys()].sort()).toEqual([...state.keys()].sort());
  expect(metadata.get("epoch")).toBe("3");
  for (const [name, value] of state) {
    const loaded = tensors.get(name)!;
    expect([loaded.dtype, loaded.shape]).toEqual([value.dtype, value.shape]);
    expect(Buffer.from(loaded.toBytes()).equals(Buffer.from(value.toBytes()))).toBe(true);
  }
});

test("PyTorch's .pt loads with the dtypes, shapes and bytes that PyTorch wrote", async () => {
  const written = JSON.parse(await readFile(fixture("dtypes.json"), "utf8")) as {
    name: string;
    dtype: DType;
    shape: number[];
    hex: string;
  }[];
  const { tensors } = await loadTensors(fixture("dtypes.pt"));
  expect([...tensors.keys()]).toEqual(written.map(({ name }) => name));
  for (const { name, dtype, shape, hex } of written) {
    const loaded = tensors.get(name)!;
    expect([loaded.dtype, loaded.shape, Buffer.from(loaded.toBytes()).toString("hex")]).toEqual([
      dtype,
      shape,
      hex,
    ]);
  }
});

test("a module's state survives the file", async () => {
  const saved = new Sequential(new Linear(3, 2));
  const restored = new Sequential(new Linear(3, 2));
  const path = join(folder, "module.safetensors");
  await saveTensors(path, saved.stateDict());
  restored.loadStateDict((await loadTensors(path)).tensors, path);
  expect(numbers(restored.layers[0]!.weight)).toEqual(numbers(saved.layers[0]!.weight));
});

test("other endings, missing files and broken ones are refused by code", async () => {
  await expect(loadTensors("weights.onnx")).rejects.toMatchObject({ code: "E_USAGE" });
  await expect(loadTensors(join(folder, "none.pt"))).rejects.toMatchObject({ code: "E_FILE" });
  const broken = join(folder, "broken.safetensors");
  await writeFile(broken, "not a safetensors file");
  await expect(loadTensors(broken)).rejects.toMatchObject({ code: "E_FORMAT" });
  await expect(loadTensors(fixture("malicious.pt"))).rejects.toMatchObject({ code: "E_FORMAT" });
});
