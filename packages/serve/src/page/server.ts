// The page's side of the API. The token comes from the address (#token=…), which browsers do not send, or from the form.

import type { EmbedAnswer, ModelAnswer } from "../schemas.js";

const KEPT = "topofr-token"; // until the tab is closed

export class Refused extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

export class Server {
  /** Whether a picture was ever sent to it. */
  hasPictures = false;
  #token = readToken();

  get needsToken(): boolean {
    return this.#token === null;
  }

  useToken(token: string): void {
    this.#token = token;
    sessionStorage.setItem(KEPT, token);
  }

  forgetToken(): void {
    this.#token = null;
    sessionStorage.removeItem(KEPT);
  }

  async model(): Promise<ModelAnswer> {
    return (await this.#fetch("v1/model")).json();
  }

  /** Faces of a picture, computed by the server. */
  async embed(picture: Blob): Promise<EmbedAnswer> {
    this.hasPictures = true;
    const headers = { "content-type": picture.type || "application/octet-stream" };
    return (await this.#fetch("v1/embed?choice=all", { method: "POST", headers, body: picture })).json();
  }

  /** @param onProgress told the share that is here, 0..1, where the size is known */
  async file(url: string, onProgress?: (share: number) => void): Promise<Uint8Array> {
    const response = await this.#fetch(url.replace(/^\//, ""));
    if (onProgress === undefined) return new Uint8Array(await response.arrayBuffer());
    const total = Number(response.headers.get("content-length"));
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let length = 0;
    for (const reader = response.body!.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      length += value.length;
      if (total > 0) onProgress(length / total);
    }
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  }

  async #fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#token !== null) headers.set("authorization", `Bearer ${this.#token}`);
    const response = await fetch(path, { ...init, headers });
    if (response.ok) return response;
    const body = await response.json().catch(() => null);
    throw new Refused(body?.error?.message ?? `the server answers ${response.status}`, response.status);
  }
}

function readToken(): string | null {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given === null) return sessionStorage.getItem(KEPT);
  history.replaceState(null, "", location.pathname + location.search); // not in bookmarks and screenshots
  sessionStorage.setItem(KEPT, given);
  return given;
}
