// topofr enroll, identify and gallery as a user has them: on drawn "faces" with tiny networks, and on real ones where they are there.
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { topofr } from "./command.test.support.js";
import { inPictureFolder, MODEL, widthOf } from "./recognize.test.support.js";

inPictureFolder();

describe("topofr enroll, identify and gallery", () => {
  const GALLERY = ["--gallery", "people.gallery"];

  test("a folder of people, then who is on a picture of two", async () => {
    const enrolled = await topofr("enroll", "people", ...GALLERY, ...MODEL);
    expect(enrolled.out).toBe("people.gallery: 3 templates of 2 people added; now 2 people, 3 templates\n");
    expect(enrolled.err).toMatch(/people\.gallery: new gallery, not encrypted\n/);
    const again = await topofr("enroll", "people", ...GALLERY, ...MODEL, "--json");
    expect(JSON.parse(again.out)).toMatchObject({
      added: [],
      known: ["Ann/1.png", "Ann/2.png", "Ben/1.png"],
    });

    const { out, status } = await topofr(
      "identify",
      "both.png",
      ...GALLERY,
      ...MODEL,
      "--threshold",
      "0.8",
      "--picture",
      "i.png",
    );
    expect(status).toBe(0);
    expect(out).toMatch(
      /^both\.png: 2 faces\n {2}at 28,36, 32x32: Ben [01]\.\d+\n {2}at 92,52, 32x32: Ann [01]\.\d+\n$/,
    );
    expect(await widthOf("i.png")).toBe(1520);
    const json = await topofr(
      "identify",
      "both.png",
      "empty.png",
      ...GALLERY,
      ...MODEL,
      "--top",
      "1",
      "--json",
    );
    expect(json.status).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({
      threshold: null,
      pictures: [
        { path: "both.png", faces: [{ matches: [{ identity: "Ben" }] }, { matches: [{ identity: "Ann" }] }] },
      ],
      failures: [{ path: "empty.png", code: "E_DATA" }],
    });
    const strict = await topofr(
      "identify",
      "both.png",
      ...GALLERY,
      ...MODEL,
      "--threshold",
      "1",
      "--choice",
      "largest",
    );
    expect(strict.out).toBe("both.png: unknown\n");
  });

  test("who it is must be said, by a folder or by --identity", async () => {
    const nobody = await topofr("enroll", "both.png", ...GALLERY, ...MODEL);
    expect(nobody).toMatchObject({
      status: 2,
      err: expect.stringMatching(/both\.png: who is this\? Give --identity/) as string,
    });
    const named = await topofr(
      "enroll",
      "people/Ben/1.png",
      "--identity",
      "Zoë",
      "--gallery",
      "z.gallery",
      ...MODEL,
    );
    expect(named.out).toMatch(/1 template of 1 person added/);
    const globbed = await topofr("enroll", "people/*/1.png", "--gallery", "z.gallery", ...MODEL);
    expect(globbed.out).toMatch(/2 templates of 2 people added; now 3 people/);
  });

  test("list, info, remove, export, import", async () => {
    expect((await topofr("gallery", "list", "people.gallery")).out).toBe("     2  Ann\n     1  Ben\n");
    const templates = JSON.parse(
      (await topofr("gallery", "list", "people.gallery", "--identity", "Ann", "--json")).out,
    );
    expect(templates).toMatchObject([{ note: "Ann/1.png" }, { note: "Ann/2.png" }]);
    const info = await topofr("gallery", "info", "people.gallery");
    expect(info.out).toMatch(
      /2 people, 3 templates, .*\nof model halves \(sha256 [0-9a-f]{64}\), 6 numbers\nmade .*; not encrypted; templates not revocable\n/,
    );

    const exported = await topofr("gallery", "export", "people.gallery", "people.jsonl");
    expect(exported.out).toBe("people.jsonl: 3 templates of 2 people\n");
    const refused = await topofr("gallery", "import", "copy.gallery", "people.jsonl");
    expect(refused).toMatchObject({ status: 2, err: expect.stringContaining("say with --model") as string });
    const imported = await topofr("gallery", "import", "copy.gallery", "people.jsonl", "--model", "net.onnx");
    expect(imported.out).toBe("copy.gallery: 3 templates added; now 2 people, 3 templates\n");

    const id = (templates as { id: string }[])[1]!.id;
    expect((await topofr("gallery", "remove", "people.gallery", "--id", id)).out).toBe(
      "people.gallery: 1 template removed, 2 left\n",
    );
    expect((await topofr("gallery", "remove", "people.gallery", "--identity", "Ann")).out).toMatch(
      /1 template removed, 1 left/,
    );
    expect(await topofr("gallery", "remove", "people.gallery", "--identity", "Ann")).toMatchObject({
      status: 1,
      err: expect.stringContaining('nobody is called "Ann"') as string,
    });
    expect(await topofr("gallery", "remove", "people.gallery")).toMatchObject({ status: 2 });
    expect(readFileSync("people.gallery").includes("Ann")).toBe(false);
  });

  test("encrypted and revocable", async () => {
    const files = ["--passphrase-file", "pass", "--secret-file", "secret"];
    writeFileSync("pass", "open sesame\n");
    const enrolled = await topofr("enroll", "people", "--gallery", "safe.gallery", ...MODEL, ...files);
    expect(enrolled.err).toMatch(
      /secret: new secret; keep it apart.*\n(.*\n)*safe\.gallery: new gallery, encrypted\n/,
    );
    expect(statSync("secret").mode & 0o777).toBe(0o600);
    expect(readFileSync("safe.gallery").includes("Ann")).toBe(false);
    expect((await topofr("gallery", "list", "safe.gallery", ...files)).out).toBe(
      "     2  Ann\n     1  Ben\n",
    );
    const found = await topofr(
      "identify",
      "both.png",
      "--gallery",
      "safe.gallery",
      ...MODEL,
      ...files,
      "--top",
      "1",
    );
    expect(found.out).toMatch(/Ben [01]\..*\n.*Ann [01]\./);
    vi.stubEnv("TOPOFR_GALLERY_PASSPHRASE", "wrong");
    const message = async (...flags: string[]) =>
      (await topofr("gallery", "list", "safe.gallery", ...flags)).err;
    expect(await message("--secret-file", "secret")).toMatch(/E_USAGE safe\.gallery: wrong passphrase/);
    expect(await message("--passphrase-file", "pass")).toMatch(/templates are revocable; give the secret/);
    expect(await message("--passphrase-file", "pass", "--secret-file", "pass")).toMatch(
      /E_FORMAT pass: expected 64 hexadecimal/,
    );
    expect(await message("--passphrase-file", "nowhere")).toMatch(
      /E_FILE nowhere: cannot read the passphrase/,
    );
  });

  test("another model, a broken gallery, none", async () => {
    const identify = async (gallery: string, model = "net.onnx") =>
      (
        await topofr(
          "identify",
          "both.png",
          "--gallery",
          gallery,
          "--model",
          model,
          "--detector",
          "detector.onnx",
        )
      ).err;
    await topofr("enroll", "people", "--gallery", "m.gallery", ...MODEL);
    expect(await identify("m.gallery", "six.onnx")).toMatch(
      /E_MODEL m\.gallery: holds embeddings by model "halves" .* not "six"/,
    );
    writeFileSync("m.gallery", readFileSync("m.gallery").subarray(0, -10));
    expect(await identify("m.gallery")).toMatch(/E_FORMAT m\.gallery: .*the file was cut short/);
    expect(await identify("both.png")).toMatch(/E_FORMAT both\.png: not a gallery/);
    expect(await identify("nowhere.gallery")).toMatch(/E_FILE nowhere\.gallery: no such gallery/);
    expect(readdirSync(".").filter((name) => name.endsWith(".lock"))).toEqual([]);
  });
});

const REAL = fileURLToPath(new URL("../../../../../shared/data/", import.meta.url));
const REAL_MODEL = join(REAL, "models/foamliu_mobilefacenet_112x112.onnx");

test.skipIf(!existsSync(REAL_MODEL))(
  "real faces and models (skipped where ../shared/data is not there)",
  async () => {
    writeFileSync(
      "real.card.yaml",
      "input: { scale: 1/255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }\n",
    );
    const real = [
      "--model",
      REAL_MODEL,
      "--card",
      "real.card.yaml",
      "--detector",
      join(REAL, "models/yunet_n_320_320.onnx"),
    ];
    const photo = (name: string, n: number) => join(REAL, "lfw_original", name, `${name}_000${n}.jpg`);
    const enrolled = await topofr(
      ...[
        "enroll",
        photo("Clare_Short", 1),
        "--identity",
        "Clare Short",
        "--gallery",
        "real.gallery",
        ...real,
      ],
    );
    expect(enrolled.status, enrolled.err).toBe(0);
    const args = ["--gallery", "real.gallery", "--threshold", "0.35", ...real];
    const { out } = await topofr("identify", photo("Clare_Short", 3), photo("Abel_Pacheco", 1), ...args);
    expect(out).toMatch(/Clare_Short_0003\.jpg: Clare Short 0\.\d+\n.*Abel_Pacheco_0001\.jpg: unknown\n$/);
  },
);
