// Pictures of measureDiscrepancy: histograms over batches, curves over batch size and over training steps, for the bottleneck distance
// and the alignment loss.
import { lineChart, type Series } from "../../plots/lineChart.js";
import type { Figure } from "./diagramFigures.js";
import { type Discrepancy, ONE_SCALE_NOTE } from "./discrepancy.js";
import { valueHistogram } from "./valueHistogram.js";

export interface DiscrepancySummary extends Omit<Discrepancy, "bottleneck" | "alignment"> {
  batches: number;
  bottleneck: Moments;
  alignment: Moments;
}

export interface Moments {
  mean: number;
  /** Over batches, n - 1; 0 for one batch. */
  std: number;
  min: number;
  max: number;
}

export const summariseDiscrepancy = (found: readonly Discrepancy[]): DiscrepancySummary[] =>
  found.map(({ bottleneck, alignment, ...rest }) => ({
    ...rest,
    batches: bottleneck.length,
    bottleneck: momentsOf(bottleneck),
    alignment: momentsOf(alignment),
  }));

export function momentsOf(values: readonly number[]): Moments {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    mean,
    std: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0,
    min: Math.min(...values),
    max: Math.max(...values),
  };
}

const MEASURES = [
  {
    key: "bottleneck",
    title: "Structure discrepancy",
    label: "bottleneck distance, degree 0",
    note: ONE_SCALE_NOTE,
  },
  {
    key: "alignment",
    title: "Alignment loss",
    label: "alignment loss",
    note: "Each run's own options of the loss (spherical where it has none): values of different options do not compare.",
  },
] as const;

export function discrepancyFigures(found: readonly Discrepancy[]): Figure[] {
  const distinct = <Value>(values: readonly Value[]) => [...new Set(values)];
  const sizes = distinct(found.map(({ batchSize }) => batchSize));
  const severalSets = distinct(found.map(({ data }) => data)).length > 1;
  const nameOf = ({ model, data }: Discrepancy) => (severalSets ? `${model}, ${data}` : model);
  const names = distinct(found.map(nameOf));
  const latest = found.filter(
    (one) => !found.some((other) => other.model === one.model && (other.step ?? 0) > (one.step ?? 0)),
  );
  const hasCurve = (values: readonly unknown[]) => distinct(values).length > 1;
  return MEASURES.flatMap(({ key, title, label, note }): Figure[] => {
    const meanOf = (one: Discrepancy) => momentsOf(one[key]).mean;
    const figures: Figure[] = [
      {
        name: `${key}-histogram`,
        svg: valueHistogram(
          sizes.map((size) => ({
            heading: `Batches of ${size}`,
            series: latest
              .filter(({ batchSize }) => batchSize === size)
              .map((one) => ({ name: nameOf(one), values: one[key] })),
          })),
          {
            title: `${title} of batches`,
            subtitle: "Between the images of a batch and their embeddings, a value a batch.",
            xLabel: label,
            notes: [note],
          },
        ),
      },
    ];
    if (hasCurve(sizes))
      figures.push({
        name: `${key}-by-batch-size`,
        svg: lineChart({
          title: `${title} by batch size`,
          xLabel: "images in a batch",
          yLabel: `${label}, mean over batches`,
          series: names.map(
            (name): Series => ({
              name,
              points: latest
                .filter((one) => nameOf(one) === name)
                .map((one) => [one.batchSize, meanOf(one)] as const),
            }),
          ),
          notes: [note],
        }),
      });
    const overSteps = names.flatMap((name) => {
      const own = found.filter((one) => nameOf(one) === name && one.step !== null);
      return hasCurve(own.map(({ step }) => step)) ? [{ name, own }] : [];
    });
    if (overSteps.length > 0)
      figures.push({
        name: `${key}-by-step`,
        svg: lineChart({
          title: `${title} over training`,
          xLabel: "step",
          yLabel: `${label}, mean over batches`,
          series: overSteps.flatMap(({ name, own }) =>
            sizes.map(
              (size): Series => ({
                name: sizes.length > 1 ? `${name}, batches of ${size}` : name,
                points: own
                  .filter(({ batchSize }) => batchSize === size)
                  .map((one) => [one.step!, meanOf(one)] as const),
              }),
            ),
          ),
          notes: [note],
        }),
      });
    return figures;
  });
}
