import type { Clock, Logger, StopAsync } from '../edges.ts';

/** What one document may cost. Whoever exceeds one of these gets a clear refusal; nobody else suffers. */
export interface Limits {
  /** A document as it comes over the network, in bytes. */
  readonly wireBytes: number;
  /** A document decompressed, the XML parts of a DOCX together, and the Markdown: each, in bytes or characters. */
  readonly plainBytes: number;
  /** The body of one MCP request, in bytes. It bounds `data:` URIs, which travel in it. */
  readonly requestBytes: number;
  /** From the call to its result, in milliseconds: name resolution, redirects, download and conversion together. */
  readonly milliseconds: number;
  /** What the thread that converts may hold, in MiB, beside the code it loads. */
  readonly memoryMebibytes: number;
  /** Calls at a time, over all clients; one more is told to come again. */
  readonly conversions: number;
  /** Open HTTP+SSE streams at a time. */
  readonly sessions: number;
}

export interface McpToolOptions {
  /** Address or name to listen on, such as `127.0.0.1`. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Fetch from addresses that are not public too: loopback, private networks, link-local. */
  readonly allowPrivateAddresses: boolean;
  /** Names, beside those of this machine, by which clients may call a server that listens on loopback. Default: none. */
  readonly allowedHosts?: readonly string[];
  /** What the server says its version is. */
  readonly version: string;
  /** Deviations from the default limits. */
  readonly limits?: Partial<Limits>;
}

/** The addresses of a host name, all of them. */
export type Resolve = (hostname: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

export interface McpToolEdges {
  readonly log: Logger;
  readonly clock: Clock;
  /** Defaults to the resolver of the machine. */
  readonly resolve?: Resolve;
}

export interface RunningMcpTool {
  /** Where it really listens. */
  readonly address: { readonly host: string; readonly port: number };
  /** Closes the streams, abandons conversions, and settles when nothing of it is left. */
  readonly stop: StopAsync;
}
