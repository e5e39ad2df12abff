// The paper's experiments as plans, with the paper's own numbers (NeurIPS 2024) to stand beside ours. Values only.
import type { PlanInput } from "../plan.js";

const variant = (label: string, name: string) => ({ label, set: { "objective.variant": name } });
const IJBC = ["IJB-C 1e-6", "IJB-C 1e-5", "IJB-C 1e-4"];
const MS1MV2_R100 = "IResNet-100, MS1MV2; TAR (%) at each FAR";

export const PAPER_PLANS: readonly PlanInput[] = [
  {
    name: "ablation",
    title: "What each part of TopoFR adds (table 3)",
    about:
      "ArcFace, then perturbation (R), alignment (A), both (P), both with one factor of the damage score (F, G), everything.",
    recipe: "ms1mv2_r50.yaml",
    axes: [
      {
        name: "method",
        levels: [
          variant("ArcFace", "arcface"),
          variant("TopoFR-R", "topofr-r"),
          variant("TopoFR-A", "topofr-a"),
          variant("TopoFR-P", "topofr-p"),
          variant("TopoFR-F", "topofr-f"),
          variant("TopoFR-G", "topofr-g"),
          variant("TopoFR", "topofr"),
        ],
      },
    ],
    baseline: { method: "ArcFace" },
    measures: ["accuracy", "tar", "discrepancy"],
    discrepancy: { batches: 20 }, // section 4.1: alignment without perturbation keeps the structure of training images only
    figures: [
      { kind: "bars", measure: "accuracy" },
      { kind: "bars", measure: "discrepancy" },
    ],
    paper: {
      source: "table 3",
      setting: "IResNet-50, MS1MV2; TAR (%) at the FAR",
      columns: ["IJB-C 1e-4"],
      rows: {
        ArcFace: [92.52],
        "TopoFR-R": [92.44],
        "TopoFR-A": [93.26],
        "TopoFR-P": [95.34],
        "TopoFR-F": [95.4],
        "TopoFR-G": [96.23],
        TopoFR: [96.49],
      },
      note: "arcface_torch's own ArcFace reaches 95.97 in this setting, 3.45 more than the paper's baseline.",
    },
  },
  {
    name: "mining",
    title: "Hard-sample mining (table 7)",
    about:
      "Ways to weigh hard samples, each on ArcFace alone; SDE is the paper's damage score without perturbation and alignment.",
    recipe: "ms1mv2_r100.yaml",
    axes: [
      {
        name: "method",
        levels: [
          variant("ArcFace", "arcface"),
          variant("ATk", "atk"),
          variant("MV-Softmax", "mv-softmax"),
          variant("Focal", "focal"),
          variant("EHSM", "ehsm"),
          {
            label: "SDE",
            set: { "objective.variant": null, "objective.perturbation": null, "objective.alignment": null },
          },
        ],
      },
    ],
    baseline: { method: "ArcFace" },
    figures: [{ kind: "bars", measure: "accuracy" }],
    paper: {
      source: "table 7",
      setting: MS1MV2_R100,
      columns: IJBC,
      rows: {
        ArcFace: [85.65, 92.69, 95.74],
        ATk: [85.93, 93.04, 95.89],
        "MV-Softmax": [86.47, 93.38, 95.94],
        Focal: [87.58, 93.87, 96.11],
        EHSM: [88.3, 94.19, 96.18],
        SDE: [89.23, 94.65, 96.49],
      },
      note: "The paper does not give k, t or gamma, nor how EHSM, made for patch tokens, is applied to a CNN.",
    },
  },
  {
    name: "metric",
    title: "What measures the discrepancy (table 8)",
    about:
      "Alignment by the paper's ISA, by the bottleneck distance (B) and by the 1-Wasserstein distance (W): accuracy and time.",
    recipe: "ms1mv2_r100.yaml",
    axes: [
      {
        name: "method",
        levels: [
          variant("TopoFR", "topofr"),
          variant("TopoFR-B", "topofr-b"),
          variant("TopoFR-W", "topofr-w"),
        ],
      },
    ],
    baseline: { method: "TopoFR" },
    measures: ["accuracy", "tar", "secondsPer100Steps", "secondsPerEpoch"],
    timed: true,
    figures: [
      { kind: "bars", measure: "accuracy" },
      { kind: "bars", measure: "secondsPerEpoch" },
    ],
    paper: {
      source: "table 8",
      setting: "IResNet-100, MS1MV2, four A100",
      columns: ["s/epoch", "IJB-C 1e-4"],
      rows: { TopoFR: [2729.28, 96.95], "TopoFR-B": [4312.56, 96.76], "TopoFR-W": [4127.29, 96.81] },
    },
  },
  {
    name: "constraints",
    title: "Without a constraint of ArcFace (table 6)",
    about:
      "ArcFace without its pull to the own centre (intra-class) or away from the others (inter-class), alone and with PTSA. The paper does not say how it removes them.",
    recipe: "ms1mv2_r100.yaml",
    axes: [
      {
        name: "constraint",
        levels: [
          variant("w/o intra-class", "arcface-no-intra"),
          variant("w/o intra-class + topology", "topofr-p-no-intra"),
          variant("w/o inter-class", "arcface-no-inter"),
          variant("w/o inter-class + topology", "topofr-p-no-inter"),
          variant("ArcFace", "arcface"),
        ],
      },
    ],
    baseline: { constraint: "ArcFace" },
    figures: [{ kind: "bars", measure: "accuracy" }],
    paper: {
      source: "table 6",
      setting: MS1MV2_R100,
      columns: IJBC,
      rows: {
        "w/o intra-class": [82.37, 89.13, 94.16],
        "w/o intra-class + topology": [83.69, 91.48, 94.86],
        "w/o inter-class": [82.72, 89.51, 94.47],
        "w/o inter-class + topology": [84.53, 92.36, 95.12],
      },
    },
  },
  {
    name: "batch-size",
    title: "Batch size (table 9)",
    about:
      "TopoFR with larger batches: topology and mixture see more images at once. Same epochs, so fewer steps.",
    recipe: "ms1mv2_r100.yaml",
    set: { "objective.variant": "topofr" },
    axes: [{ name: "batch", key: "batchSize", values: [128, 256, 512] }],
    baseline: { batch: "128" },
    figures: [{ kind: "line", measure: "accuracy", axis: "batch" }],
    paper: {
      source: "table 9",
      setting: MS1MV2_R100,
      columns: ["IJB-C 1e-5", "IJB-C 1e-4"],
      rows: { "128": [95.23, 96.95], "256": [95.22, 96.91], "512": [95.2, 96.93] },
      note: "Whether these are images a GPU or in all is not stated; 128 is its number a GPU.",
    },
  },
  {
    name: "sensitivity",
    title: "Weight of the alignment (alpha) and share of perturbed images (xi) (figure 6)",
    about:
      "TopoFR over the paper's two grids, one switch at a time: alpha in multiples of the recipe's own (0.1 in the paper, so 0.01 to 0.25), and xi.",
    recipe: "ms1mv2_r50.yaml",
    set: { "objective.variant": "topofr" },
    axes: [
      {
        name: "value",
        levels: [
          ...[0.1, 0.5, 1, 1.5, 2, 2.5].map((times) => ({
            label: `alpha times ${times}`,
            set: { "objective.alignment.weight": { times } },
          })),
          ...[0.1, 0.2, 0.3, 0.4, 0.5].map((value) => ({
            label: `xi ${value}`,
            set: { "objective.perturbation.probability": value },
          })),
        ],
      },
    ],
    figures: [{ kind: "line", measure: "accuracy", axis: "value" }],
    paper: {
      source: "figure 6",
      setting: "IResNet-50 and -100, MS1MV2; TAR (%) on IJB-C at FAR 1e-4",
      columns: [],
      rows: {},
      note: "A figure without numbers: between 96.0 and 97.4, rising and then falling.",
    },
  },
  {
    name: "cost",
    title: "Time of training (table 10)",
    about: "Seconds of 100 steps and of an epoch: ArcFace, with PTSA, and with SDE too.",
    recipe: "ms1mv2_r50.yaml",
    axes: [
      {
        name: "method",
        levels: [
          variant("ArcFace", "arcface"),
          variant("ArcFace + PTSA", "topofr-p"),
          variant("TopoFR", "topofr"),
        ],
      },
    ],
    baseline: { method: "ArcFace" },
    measures: ["secondsPer100Steps", "secondsPerEpoch", "accuracy"],
    timed: true,
    figures: [{ kind: "bars", measure: "secondsPer100Steps" }],
    paper: {
      source: "table 10",
      setting: "IResNet-50, MS1MV2, four A100",
      columns: ["s/100 steps", "s/epoch", "IJB-C 1e-4"],
      rows: {
        ArcFace: [15.33, 1743.32, 92.52],
        "ArcFace + PTSA": [17.57, 1999.19, 96.25],
        TopoFR: [17.77, 2020.8, 96.49],
      },
      note: "Table 3 has 95.34 for the row that is 96.25 here.",
    },
  },
  {
    name: "data-amount",
    title: "Structure discrepancy by amount of data and depth (figures 1 and 2)",
    about:
      "ArcFace on shares of everyone's images and with deeper networks: how far the shape of the embeddings is from that of the images.",
    recipe: "ms1mv2_r50.yaml",
    set: { "objective.variant": "arcface" },
    axes: [
      { name: "share", key: "data.share", values: [0.25, 0.5, 1] },
      { name: "network", key: "model.network", values: ["iresnet18", "iresnet50", "iresnet100"] },
    ],
    measures: ["accuracy", "discrepancy"],
    discrepancy: { batches: 20 },
    figures: [
      { kind: "line", measure: "discrepancy", axis: "share" },
      { kind: "line", measure: "accuracy", axis: "share" },
    ],
    paper: {
      source: "figures 1 and 2",
      setting: "IResNet, MS1MV2",
      columns: [],
      rows: {},
      note: "Figures without numbers: the discrepancy grows with the batch, falls with depth, and falls over training. By iterations: topofr analyze discrepancy <run>.",
    },
  },
  {
    name: "backbones",
    title: "Backbones (table 2)",
    about:
      "ArcFace, TopoFR and TopoFR with CosFace's margin (†) on three depths. The deeper ones have half the alpha (0.1 and 0.05 in the paper), and IResNet-100 25 epochs for 30.",
    recipe: "ms1mv2_r50.yaml",
    axes: [
      {
        name: "network",
        levels: [
          {
            label: "IResNet-50",
            set: { "model.network": "iresnet50" },
          },
          {
            label: "IResNet-100",
            set: {
              "model.network": "iresnet100",
              epochs: { times: 25 / 30 },
              "objective.alignment.weight": { times: 0.5 },
            },
          },
          {
            label: "IResNet-200",
            set: { "model.network": "iresnet200", "objective.alignment.weight": { times: 0.5 } },
          },
        ],
      },
      {
        name: "method",
        levels: [
          variant("ArcFace", "arcface"),
          variant("TopoFR", "topofr"),
          {
            label: "TopoFR†",
            set: {
              "objective.variant": "topofr",
              "objective.margin.kind": "cosface",
              "objective.margin.margin": 0.4,
            },
          },
        ],
      },
    ],
    baseline: { method: "ArcFace" },
    figures: [{ kind: "bars", measure: "accuracy" }],
    paper: {
      source: "table 2",
      setting: "MS1MV2; LFW, CFP-FP, AgeDB-30 accuracy, IJB-C and IJB-B TAR (%)",
      columns: ["LFW", "CFP-FP", "AgeDB-30", "IJB-C 1e-5", "IJB-C 1e-4", "IJB-B 1e-4"],
      rows: {
        "IResNet-50, ArcFace": [99.68, 97.11, 97.53, 88.36, 92.52, 91.66],
        "IResNet-50, TopoFR": [99.83, 98.24, 98.25, 94.71, 96.49, 95.14],
        "IResNet-50, TopoFR†": [99.83, 98.24, 98.23, 94.79, 96.42, 95.13],
        "IResNet-100, ArcFace": [99.77, 98.27, 98.15, 92.69, 95.74, 94.09],
        "IResNet-100, TopoFR": [99.85, 98.71, 98.42, 95.23, 96.95, 95.7],
        "IResNet-100, TopoFR†": [99.85, 98.83, 98.42, 95.28, 96.96, 95.7],
        "IResNet-200, ArcFace": [99.79, 98.44, 98.19, 94.67, 96.53, 95.18],
        "IResNet-200, TopoFR": [99.85, 99.05, 98.52, 95.15, 97.08, 95.82],
        "IResNet-200, TopoFR†": [99.85, 99.09, 98.54, 95.19, 97.12, 95.77],
      },
      note: "arcface_torch's own ArcFace has IJB-C 94.07, 95.97 (IResNet-50) and 94.27, 96.37 (IResNet-100).",
    },
  },
  {
    name: "mobile",
    title: "A mobile network (table 5)",
    about: "MobileFaceNet with ArcFace alone and with PTSA and SDE. The paper names only the network.",
    recipe: "ms1mv2_mobilefacenet.yaml",
    axes: [{ name: "method", levels: [variant("ArcFace", "arcface"), variant("TopoFR", "topofr")] }],
    baseline: { method: "ArcFace" },
    figures: [{ kind: "bars", measure: "accuracy" }],
    paper: {
      source: "table 5",
      setting: "MobileFaceNet-0.45G, MS1MV2; TAR (%) at each FAR",
      columns: IJBC,
      rows: { ArcFace: [81.75, 90.13, 93.42], TopoFR: [83.14, 91.01, 94.48] },
      note: "On Glint360K: 83.67, 92.49, 94.86 and 85.44, 93.35, 95.79.",
    },
  },
];
