import type { Clock, Counters, Stop, StopAsync } from '../edges.ts';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Selects the API server and the user. The current context of `$KUBECONFIG` cannot be selected: a control plane must
 * not write to the cluster that a user happened to select last.
 */
export type ClusterAccess =
  /** In-cluster: the pod's ServiceAccount. */
  | {
      readonly by: 'service account';
      readonly environment: Environment;
      /** The folder of the ServiceAccount. Default: `/var/run/secrets/kubernetes.io/serviceaccount`. */
      readonly folder?: string;
    }
  /** A named file; without a context its `current-context`. */
  | { readonly by: 'kubeconfig'; readonly path: string; readonly context: string | undefined }
  /** A named context of the files that `$KUBECONFIG` lists, or else of `~/.kube/config`. */
  | { readonly by: 'context'; readonly context: string; readonly environment: Environment };

/** One request. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query, such as `/api/v1/services?limit=500`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Aborts the request, and the reading of its response. */
  readonly signal?: AbortSignal;
}

/** The head of a response of any status; the body is read when it is iterated over. */
export interface ApiResponse {
  readonly status: number;
  /** The value of a header, by its lower-case name. */
  header(name: string): string | undefined;
  /**
   * Decompressed. Throws an Error with a message for people when the connection breaks. The connection is in use until
   * the body is read to its end, the iteration ends early (`break`), or the request is aborted.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

/** A whole response of any status. */
export interface ApiAnswer {
  readonly status: number;
  /** The value of a header, by its lower-case name. */
  header(name: string): string | undefined;
  /** Of an error status only its first 64 KiB. */
  readonly body: string;
}

/** The error of a request to the API server. `reason` is also the label of a metric. */
export type ApiError = TransportError | StatusError;

/** The error of a request without a complete response of a Kubernetes API. */
interface TransportError {
  readonly reason: /** No response at all. */
    | 'unreachable'
    /** The connection broke while the body was read. */
    | 'broken'
    /** No byte for so long that the connection may be dead. */
    | 'silent'
    /** A response that no Kubernetes API sends: HTML, an object without metadata, an oversized line. */
    | 'unintelligible';
  readonly message: string;
}

/** An error status: of a response, or of a `metav1.Status` within a watch (`StatusError` of client-go). */
export interface StatusError {
  readonly reason: /** 401. A token may just have been replaced. */
    | 'unauthorized'
    /** 403. */
    | 'forbidden'
    /** 404, which a proxy may have made up. */
    | 'not-found'
    /** 410: the resource version or the `continue` token is too old. */
    | 'expired'
    /** 429 or 503. */
    | 'busy'
    /** Any other status. */
    | 'refused';
  /** The HTTP status, or the `code` of a Status object; 0 when that has none. */
  readonly status: number;
  /** The server's message on one line, shortened; empty when it sent none. */
  readonly message: string;
  /** The wait that the server asks for (`Retry-After`), in milliseconds, at most a minute; 0 when it does not ask. */
  readonly retryAfter: number;
}

/** The dependencies of a connection at the edge of the process. */
export interface KubeEdges {
  /** The version of this program, for the user agent, which the API server's audit log shows. */
  readonly version: string;
  readonly clock: Clock;
  readonly counters: Counters;
}

/** A connection to one API server as one user. Nothing is opened before the first request. */
export interface KubeConnection {
  /** The server for logs and messages: `https://10.96.0.1`, with the port unless it is 443, without credentials. */
  readonly server: string;
  /**
   * Sends a request. Rejects with an Error whose message says why there is no response (refused, certificate, no head
   * within 30 seconds …), or with the reason of the request's own signal. The body has no time limit.
   */
  send(request: ApiRequest): Promise<ApiResponse>;
  /**
   * Sends a request and reads the whole response, within 30 seconds. Rejects as `send` does, and when the response to a
   * successful request is larger than any object (8 MiB).
   */
  ask(request: ApiRequest): Promise<ApiAnswer>;
  /**
   * Reads credentials and kubeconfig anew before the next request. A 401 and a certificate of an unknown authority do
   * this by themselves.
   */
  forgetCredentials(): void;
  /** Calls `run` after each 2xx response, whoever made the request, until it is stopped: the server is there. */
  onSuccess(run: () => void): Stop;
  /**
   * Closes all connections, for when no byte came for so long that they may be dead. Requests under way fail, and the
   * next request opens a new connection.
   */
  reconnect(): void;
  readonly stop: StopAsync;
}
