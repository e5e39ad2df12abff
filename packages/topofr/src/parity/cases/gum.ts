// gum_N.json: the Gaussian-uniform mixture of N prediction entropies, as the published code fits it.

import { z } from "zod";
import { fitMixture, signedEntropies } from "../../method/mixture.js";
import { objectiveOptions } from "../../method/objectiveComposition.js";
import { RandomStream } from "../../random/stream.js";
import { expectArrayClose, expectClose, expectSame, parseCase, recordedArray } from "../compare.js";

const schema = z.strictObject({
  entropy: recordedArray,
  signed: recordedArray,
  posterior: recordedArray,
  pi: z.number(),
  sigma: z.number(),
});

/** EM runs in float64 on both sides; the entropies that it starts from are recorded with nine digits. */
const RECORDED_DIGITS = 1e-6;

export function check(value: unknown, name: string): void {
  const recorded = parseCase(schema, value, name);
  const { mixture } = objectiveOptions({ preset: "official" });
  const noDraws = new RandomStream(0, "signs"); // alternating signs draw nothing
  const signed = signedEntropies(recorded.entropy.data, mixture.sign, noDraws);
  expectSame("signed entropies", signed, recorded.signed.data);
  const fit = fitMixture(signed, mixture);
  expectArrayClose("posterior", fit.easy, recorded.posterior.data, RECORDED_DIGITS);
  expectClose("pi", fit.mixing, recorded.pi, RECORDED_DIGITS);
  expectClose("sigma", fit.variance, recorded.sigma, RECORDED_DIGITS);
}
