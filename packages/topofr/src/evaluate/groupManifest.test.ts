import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TopofrError } from "@topofr/formats";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readGroupManifest } from "./groupManifest.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "groups-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(content: string | Uint8Array) {
  const path = join(folder, "list.csv");
  await writeFile(path, content);
  return readGroupManifest(path);
}

test("commas or tabs, columns in any order, quotes, line ends, paths under the manifest's folder", async () => {
  const comma = await read(
    '\uFEFFGroup,image,identity,age\r\n"South Asian", a/1.jpg ,"Rao, ""R."" A.",30\r\n\r\nAfrican,/abs/2.jpg,B,\n',
  );
  expect(comma).toEqual({
    images: [join(folder, "a/1.jpg"), "/abs/2.jpg"],
    identityIds: Int32Array.of(0, 1),
    identityNames: ['Rao, "R." A.', "B"],
    groupIds: Int32Array.of(0, 1),
    groupNames: ["South Asian", "African"],
    ignoredColumns: ["age"],
  });
  const tab = await read(
    "image\tidentity\tgroup\trole\n1.jpg\tA\tMask\tprobe\n2.jpg\tA\tMask\tGallery\n3.jpg\tA, B\tOther\t\n",
  );
  expect([...tab.roles!]).toEqual([2, 1, 0]);
  expect(tab.identityNames).toEqual(["A", "A, B"]);
  expect([...tab.groupIds]).toEqual([0, 0, 1]);
});

test("wrong lines are named by file and line", async () => {
  const head = "image,identity,group,role\n";
  const cases: [string, string][] = [
    ["", 'list.csv: empty; expected a header line "image,identity,group"'],
    [head, "no image after the header line"],
    ["image,person,group\n1.jpg,a,b\n", 'list.csv:1: the header "image,person,group" has no column identity'],
    ["image,identity,image,group\n", "list.csv:1: the column image is there twice"],
    [`${head}1.jpg,a,b\n`, "list.csv:2: 3 columns; the header has 4"],
    [`${head}1.jpg,a,b,,\n`, "list.csv:2: 5 columns"],
    [`${head}\n1.jpg,,b,\n`, "list.csv:3: the identity is empty"],
    [
      `${head}1.jpg,a,b,
1.jpg,a,"",
`,
      "list.csv:3: the group is empty",
    ],
    [`${head}1.jpg,a,b,gallary\n`, 'list.csv:2: role "gallary"; expected gallery, probe, or nothing'],
    [`${head}1.jpg,"a,b,\n`, "list.csv:2: a quote is not closed on this line"],
    [`${head}1.jpg,"a"x,b,\n`, 'list.csv:2: unexpected text after a closing quote: "x"'],
    [`${head}1.jpg,a,b,\n./1.jpg,a,c,\n`, 'list.csv:3: image "./1.jpg" is on line 2 already'],
  ];
  for (const [text, message] of cases) await expect(read(text), text).rejects.toThrow(message);
  await expect(readGroupManifest(join(folder, "none.csv"))).rejects.toThrow("none.csv: cannot open the file");
});

test("any bytes are either read or refused by a named error", async () => {
  const valid = Buffer.from('image,identity,group,role\n1.jpg,"a ""b""",g,\n2.jpg,a,g,probe\n');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(valid.length - 1), fc.oneof(fc.nat(255), fc.constantFrom(10, 34, 44, 9))), {
        maxLength: 5,
      }),
      fc.option(fc.uint8Array({ maxLength: 80 })),
      async (changes, random) => {
        const bytes = random ?? Uint8Array.from(valid);
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
        await read(bytes).catch((error) => expect(error).toBeInstanceOf(TopofrError));
      },
    ),
    { seed: 18, numRuns: 300 },
  );
});
