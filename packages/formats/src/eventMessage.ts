// TensorBoard's Event message, as far as scalars and images need it. Source: tensorflow/core/util/event.proto and
// tensorflow/core/framework/summary.proto; field numbers are theirs. Unknown fields are skipped when reading.
import protobuf from "protobufjs/light.js";
import { TopofrError } from "./error.js";

const ROOT = protobuf.Root.fromJSON({
  nested: {
    Event: {
      oneofs: { what: { oneof: ["fileVersion", "summary", "sessionLog"] } },
      fields: {
        wallTime: { id: 1, type: "double" }, // seconds since 1970
        step: { id: 2, type: "int64" },
        fileVersion: { id: 3, type: "string" },
        summary: { id: 5, type: "Summary" },
        sessionLog: { id: 7, type: "SessionLog" },
      },
    },
    Summary: { fields: { value: { id: 1, type: "SummaryValue", rule: "repeated" } } },
    SummaryValue: {
      oneofs: { value: { oneof: ["simpleValue", "image"] } },
      fields: {
        tag: { id: 1, type: "string" },
        simpleValue: { id: 2, type: "float" },
        image: { id: 4, type: "SummaryImage" },
      },
    },
    SummaryImage: {
      fields: {
        height: { id: 1, type: "int32" },
        width: { id: 2, type: "int32" },
        colorspace: { id: 3, type: "int32" }, // 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA
        encodedImageString: { id: 4, type: "bytes" },
      },
    },
    SessionLog: { fields: { status: { id: 1, type: "int32" } } }, // 1 START: what has a later step is obsolete
  },
});
const EVENT = ROOT.lookupType("Event");

export interface SummaryImage {
  readonly height: number;
  readonly width: number;
  readonly colorspace: number;
  /** The picture as a PNG file. */
  readonly encodedImageString: Uint8Array;
}

export interface SummaryValue {
  readonly tag: string;
  /** Rounded to float32 in the file. */
  readonly simpleValue?: number;
  readonly image?: SummaryImage;
}

export interface EventMessage {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  readonly fileVersion?: string;
  readonly summary?: { readonly value: readonly SummaryValue[] };
  readonly sessionLog?: { readonly status: number };
}

export function encodeEvent(event: EventMessage): Uint8Array {
  return EVENT.encode(EVENT.create(event as unknown as Record<string, unknown>)).finish();
}

/** Errors: E_FORMAT, beginning with `source`. */
export function decodeEvent(bytes: Uint8Array, source: string): EventMessage {
  try {
    const options = { longs: Number, defaults: true, arrays: true };
    return EVENT.toObject(EVENT.decode(bytes), options) as unknown as EventMessage;
  } catch (cause) {
    throw new TopofrError("E_FORMAT", `${source}: not an Event message: ${(cause as Error).message}`, {
      cause,
    });
  }
}
