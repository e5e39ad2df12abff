import { expect, test } from "vitest";
import { TopofrError } from "./error.js";
import { fileError } from "./fileError.js";
import { printable } from "./printable.js";

test("an error carries its code, its name and its cause", () => {
  const cause = new Error("inner");
  const error = new TopofrError("E_FORMAT", "x.pt: broken", { cause });
  expect(error).toBeInstanceOf(Error);
  expect([error.name, error.code, error.message, error.cause]).toEqual([
    "TopofrError",
    "E_FORMAT",
    "x.pt: broken",
    cause,
  ]);
  expect(String(error)).toBe("TopofrError: x.pt: broken");
});

test("system errors are told with the remedy, unknown ones with their own message", () => {
  const full = fileError("/x", "write the file", Object.assign(new Error("nope"), { code: "ENOSPC" }));
  expect(full.message).toBe(
    "/x: cannot write the file: the disk is full; free some space or choose another folder (ENOSPC)",
  );
  const odd = fileError("/x", "open the file", Object.assign(new Error("odd"), { code: "EODD" }));
  expect(odd.message).toBe("/x: cannot open the file: odd (EODD)");
  expect(fileError("/x", "open the file", "text").message).toBe("/x: cannot open the file: text");
});

test("text from files is cut and loses its control characters", () => {
  expect(printable("a\x1b[31m\n\u202e")).toBe("a\\u001b[31m\\u000a\\u202e");
  expect(printable("x".repeat(500))).toBe(`${"x".repeat(200)}…`);
});
