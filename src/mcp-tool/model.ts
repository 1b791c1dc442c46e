import type { Clock, Logger, StopAsync } from '../edges.ts';
import type { HostPort } from '../net/host-port.ts';

/** Limits on documents, requests and concurrency. Exceeding one fails the request at hand and no other. */
export interface Limits {
  /** Bytes of a document as transferred, before decompression. */
  readonly downloadBytes: number;
  /**
   * Applies to each of: bytes of a document after decompression, bytes of all XML parts of a DOCX together, characters
   * of the resulting Markdown.
   */
  readonly unpackedBytes: number;
  /** Bytes of the body of one MCP request. Bounds `data:` URIs, which are part of it. */
  readonly requestBytes: number;
  /**
   * From the tool call to its result, in milliseconds: name resolution, redirects, download and conversion together.
   */
  readonly timeoutMilliseconds: number;
  /**
   * Memory of the process of one conversion, in MiB, on top of what it takes before it has the document. Where the system
   * does not tell it, that of the heap.
   */
  readonly memoryMebibytes: number;
  /** Tool calls in progress, over all clients. Further calls fail with `busy`. */
  readonly concurrentConversions: number;
  /** Open HTTP+SSE streams. Further ones get 503. */
  readonly sseSessions: number;
  /** Bytes of results that the clients of all HTTP+SSE streams have not taken. Beyond, streams that stall are closed. */
  readonly unreadBytes: number;
}

/** Settings of the server. */
export interface McpToolOptions {
  /** Address or name to listen on, such as `127.0.0.1`. */
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** Allows fetching from loopback, private and link-local addresses, too. */
  readonly allowPrivateAddresses: boolean;
  /** `Host` names, without port, that a loopback listener accepts beside loopback names. Default: none. */
  readonly allowedHosts?: readonly string[];
  /** Version in the MCP server info and in the user agent. */
  readonly version: string;
  /** Overrides of the default limits. */
  readonly limits?: Partial<Limits>;
}

/** Resolves a host name to all of its addresses. */
export type Resolve = (hostname: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

/** Log, clock and name resolution of the server. */
export interface McpToolEdges {
  readonly log: Logger;
  readonly clock: Clock;
  /** Default: the resolver of the operating system. */
  readonly resolve?: Resolve;
}

/** The server, running. */
export interface RunningMcpTool {
  /** The bound address. */
  readonly address: HostPort;
  /** Closes all connections, aborts conversions, and resolves when both are done. */
  readonly stop: StopAsync;
}
