// rsp_ops.json: one image in [0, 1] and what the perturbations make of it. The keys hold the amounts.

import { noGrad, scope } from "@topofr/torch";
import { z } from "zod";
import { gaussianBlur_, gaussianBlurred } from "../../method/perturbations/blur.js";
import { type Adjustment, adjustColors_, colorsAdjusted } from "../../method/perturbations/color.js";
import { expectArrayClose, parseCase, recordedArray } from "../compare.js";
import { numbers, recordedTensor } from "../tensors.js";

type Operation = (amounts: number[]) => { sigma: number } | Adjustment[];

const one =
  (name: Adjustment["name"]): Operation =>
  ([amount]) => [{ name, amount: amount! }];

/** By the form of the key, in which `#` stands for an amount. */
const OPERATIONS: Record<string, Operation> = {
  grayscale: () => [{ name: "saturation", amount: 0 }],
  "gaussian_blur_k5x9_s#": ([sigma]) => ({ sigma: sigma! }),
  "brightness_#": one("brightness"),
  "contrast_#": one("contrast"),
  "saturation_#": one("saturation"),
  "hue_#": one("hue"),
  "color_jitter_chain_b#_c#_s#_h#": (amounts) =>
    (["brightness", "contrast", "saturation", "hue"] as const).map((name, i) => ({
      name,
      amount: amounts[i]!,
    })),
};

/** A number at the start of a part of the key, after a letter in those of several amounts. */
const AMOUNT = /(?<=_[bcsh]?)-?\d+(?:\.\d+)?(?=_|$)/g;
const formOf = (key: string) => (key in OPERATIONS ? key : key.replace(AMOUNT, "#"));

const schema = z
  .object({ image: recordedArray })
  .catchall(recordedArray)
  .superRefine((recorded, context) => {
    const forms = Object.keys(recorded)
      .filter((key) => key !== "image")
      .map((key) => ({ key, form: formOf(key) }));
    for (const { key } of forms.filter(({ form }) => !(form in OPERATIONS)))
      context.addIssue({ code: "custom", path: [key], message: "no such perturbation" });
    for (const form of Object.keys(OPERATIONS))
      if (!forms.some((one) => one.form === form))
        context.addIssue({ code: "custom", path: [form], message: "no output of this perturbation" });
  });

/** Of values in [0, 1]: float32 sums; the hue goes through a quotient of small differences. */
const VALUES = 1e-5;

export function check(value: unknown, name: string): void {
  const recorded = parseCase(schema, value, name);
  for (const [key, expected] of Object.entries(recorded)) {
    if (key === "image") continue;
    const operation = OPERATIONS[formOf(key)]!;
    const amounts = (key.match(AMOUNT) ?? []).map(Number);
    scope(() =>
      noGrad(() => {
        const image = recordedTensor(recorded.image).unsqueeze(0);
        const change = operation(amounts);
        const byOperators =
          "sigma" in change ? gaussianBlurred(image, change.sigma) : colorsAdjusted(image, change);
        expectArrayClose(key, numbers(byOperators), expected.data, VALUES);
        const inPlace = image.mul(2).sub(1);
        if ("sigma" in change) gaussianBlur_(inPlace, change.sigma);
        else adjustColors_(inPlace, change);
        expectArrayClose(`${key}, in place`, numbers(inPlace.mul(0.5).add(0.5)), expected.data, VALUES);
      }),
    );
  }
}
