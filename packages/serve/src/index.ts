// The public face of @topofr/serve.

export { isLoopback } from "./access.js";
export type { ErrorBody, HttpErrorCode } from "./errors.js";
export type { BrowserModel, ServerOptions } from "./options.js";
export { createServer } from "./server.js";
