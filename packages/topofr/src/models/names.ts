// Names of the networks, without the engine: what recipes and the command line know of them. Building one: registry.ts.

export const NETWORKS = [
  "mobilefacenet",
  "mobilefacenet-large",
  "iresnet18",
  "iresnet34",
  "iresnet50",
  "iresnet100",
  "iresnet200",
] as const;
export type NetworkName = (typeof NETWORKS)[number];

/** Names of other code bases (arcface_torch: `r50`, `mbf`) that mean one of ours. */
const NETWORK_ALIASES: Readonly<Record<string, NetworkName>> = {
  r18: "iresnet18",
  r34: "iresnet34",
  r50: "iresnet50",
  r100: "iresnet100",
  r200: "iresnet200",
  mbf: "mobilefacenet",
  mbflarge: "mobilefacenet-large",
  mobilefacenetlarge: "mobilefacenet-large",
};

/** The network that a user's word means, or the word itself when it means none. */
export function networkName(word: unknown): unknown {
  if (typeof word !== "string") return word;
  const plain = word.toLowerCase();
  return NETWORK_ALIASES[plain.replace(/[^a-z0-9]/g, "")] ?? plain;
}
