// Preloaded into a child (node --import): SIGKILL in the middle of its Nth write of last.safetensors, N from the environment.
import files, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const { open } = files;
let saves = 0;

files.open = async (...args): Promise<FileHandle> => {
  const handle = await open(...args);
  if (!/last\.safetensors\.tmp-/.test(String(args[0]))) return handle;
  saves += 1;
  if (saves === Number(process.env.TOPOFR_TEST_KILL_AT_SAVE)) dieHalfWay(handle);
  return handle;
};
syncBuiltinESMExports();

function dieHalfWay(handle: FileHandle): void {
  const write = handle.write.bind(handle) as (bytes: Uint8Array) => Promise<unknown>;
  handle.write = (async (bytes: Uint8Array) => {
    await write(bytes.subarray(0, bytes.length / 2));
    process.kill(process.pid, "SIGKILL");
    return new Promise(() => {}); // the signal ends it
  }) as unknown as FileHandle["write"];
}
