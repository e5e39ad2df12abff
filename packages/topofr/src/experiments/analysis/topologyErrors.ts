// Errors of @topofr/topology, which knows no files and no flags, as the rest of the system has them.
import { type ErrorCode, TopofrError } from "@topofr/formats";
import { TopologyError, type TopologyErrorCode } from "@topofr/topology";

const CODES: Record<TopologyErrorCode, ErrorCode> = {
  E_DISTANCES: "E_DATA",
  E_DIAGRAM: "E_DATA",
  E_TOO_LARGE: "E_DATA",
  E_FORMAT: "E_FORMAT",
  E_OPTION: "E_USAGE",
};

/** Runs the work; a TopologyError becomes a TopofrError whose message begins with `what`. */
export function withTopologyErrors<Result>(what: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof TopologyError)) throw cause;
    const message = cause.message.startsWith(what) ? cause.message : `${what}: ${cause.message}`;
    throw new TopofrError(CODES[cause.code], message, { cause });
  }
}
