import type { Clock, Counters, StopAsync } from '../edges.ts';

/** The way to one API server: credentials, connections, HTTP. What is asked through it is other folders' business. */

/** One request. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query, such as `/api/v1/services?limit=500`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Ends the request, and the reading of its answer. */
  readonly signal?: AbortSignal;
}

/** The head of an answer, whatever its status; the body is read when somebody iterates over it. */
export interface ApiResponse {
  readonly status: number;
  /** Lower-case name. */
  header(name: string): string | undefined;
  /**
   * Decompressed. Throws an error with a message in words when the connection breaks. It has to be read to its end, or
   * left (`break`), or its request aborted: the connection is occupied until then.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

/** A whole answer, whatever its status. */
export interface ApiAnswer {
  readonly status: number;
  /** Lower-case name. */
  header(name: string): string | undefined;
  readonly body: string;
}

/** What a connection takes from outside. */
export interface KubeEdges {
  /** Of this program: the API server's audit log shows it in the user agent. */
  readonly version: string;
  readonly clock: Clock;
  readonly counters: Counters;
}

/** A connection to one API server as one identity. Nothing is opened before the first request. */
export interface KubeConnection {
  /** Where requests go, for logs and messages: `https://10.96.0.1`, the port unless it is 443. No credentials in it. */
  readonly server: string;
  /**
   * Rejects with an Error whose message says in words why there is no answer (refused, certificate, no head within 30
   * seconds …), or with the reason of the request's own signal. Once the head is there, no time limit applies.
   */
  send(request: ApiRequest): Promise<ApiResponse>;
  /** The same for an answer that is read as a whole: the 30 seconds are for all of it. */
  ask(request: ApiRequest): Promise<ApiAnswer>;
  /**
   * Credentials are read anew before the next request, with the kubeconfig, whatever is remembered. An answer 401, and a
   * certificate of an unknown authority, do this by themselves.
   */
  forgetCredentials(): void;
  /**
   * To be told when nothing came for so long that the connections may be dead. Requests under way end with an error,
   * and the next one opens new connections.
   */
  reconnect(): void;
  readonly stop: StopAsync;
}
