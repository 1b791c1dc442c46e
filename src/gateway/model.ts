import type { Readable, Writable } from 'node:stream';
import type { Claims, RuleIndex } from '../authz/model.ts';
import type { Clock, Labels, Logger, LogLosses, Random, Stop, StopAsync } from '../edges.ts';
import type { Config } from '../gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import type { Target } from '../gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import type { HostPort } from '../net/host-port.ts';
import type { GatewayEnvironment, XdsStatus } from './xds/model.ts';

/** Settings of one gateway, as its flags and environment give them. */
export interface GatewayOptions {
  /** `--file`: a path or a URL. Exactly one of `file` and `config` is given. */
  readonly file?: string | undefined;
  /** `--config`: the JSON text. */
  readonly config?: string | undefined;
  /** `--resolve`, each `host:port=address:port`. */
  readonly resolve: readonly string[];
  /** `--mount`, each `/path=<folder>`. */
  readonly mount: readonly string[];
  readonly list: ListMode;
  /** Default `qualified`. */
  readonly names?: NameMode | undefined;
  /** `host:port`; port 0 binds a free port. */
  readonly adminListen: string;
  /** Origins of browser pages that may connect, in addition to loopback origins. */
  readonly allowedOrigins: readonly string[];
  /** Names of a proxy that may be in the `Host` header at a loopback listener. */
  readonly allowedHosts: readonly string[];
  readonly environment: GatewayEnvironment;
  /** The most bytes of a request body. Default 1 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** Connections of MCP clients that may be open at once, three quarters of them from one address. Default 8,192. */
  readonly maxConnections?: number | undefined;
  /** New connections of MCP clients in a second, three quarters of them from one address. Default 2,000. */
  readonly maxConnectionsPerSecond?: number | undefined;
  /** Milliseconds that a target has for a response, from the request or from its last progress. Default 10 minutes. */
  readonly callTimeout?: number | undefined;
  /** The same for single targets, by name, which comes before that of the method. */
  readonly targetTimeouts?: ReadonlyMap<string, number> | undefined;
  /** The same for single methods. */
  readonly methodTimeouts?: ReadonlyMap<string, number> | undefined;
  /** The most bytes of a request line with all header fields. Default 16 KiB. */
  readonly maxHeaderBytes?: number | undefined;
  /** How the log names callers. Default `hash`. */
  readonly logCaller?: CallerNaming | undefined;
  /** Requests a second of one caller, with a burst of as many. Default: not limited. */
  readonly maxRequestRate?: number | undefined;
  /** Requests of all callers that one target may have open. Default: not limited. */
  readonly maxTargetRequests?: number | undefined;
  /** Requests and streams of one target that may be open at once, each a connection. Default 4,096. */
  readonly maxTargetConnections?: number | undefined;
  /** Sessions of each HTTP transport. Default 1,000. */
  readonly maxSessions?: number | undefined;
  /** Milliseconds after which a session without requests and streams is closed. Default 30 minutes. */
  readonly sessionIdleTimeout?: number | undefined;
  /** `--state`: the folder that keeps the resources in force for the next start. Default: nothing is kept. */
  readonly state?: string | undefined;
  /** Milliseconds since the control plane has confirmed it, after which the state is not used. Default 24 hours. */
  readonly stateMaxAge?: number | undefined;
  /** Milliseconds that a graceful shutdown may take; what is still open after that is closed. Default 10,000. */
  readonly shutdownGrace?: number | undefined;
}

/** Dependencies of a gateway at the edge of the process. */
export interface GatewayEdges {
  readonly clock: Clock;
  readonly random: Random;
  /** Must not write to standard output, which carries the messages of a `stdio` listener. */
  readonly log: Logger;
  /** What that log has lost. */
  readonly losses: LogLosses;
  /** Input of a `stdio` listener. */
  readonly stdin: Readable;
  /** Output of a `stdio` listener. */
  readonly stdout: Writable;
}

/** A gateway after a successful start. */
export interface RunningGateway {
  /** The bound address for MCP clients; `undefined` with a `stdio` listener. */
  readonly listener: HostPort | undefined;
  /** The bound address of the admin pages. */
  readonly admin: HostPort;
  readonly config: GatewayConfig;
  status(): XdsStatus;
  /** Resolves when the gateway has stopped, by {@link stop} or by the end of input of its `stdio` listener. */
  readonly ended: Promise<void>;
  /** Ends every session, stream and connection within the grace time. */
  readonly stop: StopAsync;
}

/**
 * The configuration in force: the resources that the control plane sent and this gateway accepted. Empty until the
 * first response, and kept while the control plane cannot be reached.
 */
export interface GatewayConfig {
  /** Targets by name. */
  readonly targets: ReadonlyMap<string, Target>;
  /** RBAC rules by resource name, `<namespace>.<name>`. */
  readonly rbacConfigs: ReadonlyMap<string, Config>;
  /** The same rules, ordered for decisions. A change replaces it, so read it anew for each decision. */
  readonly rules: RuleIndex;
  /** Calls `listener` once for each response that changed something. */
  subscribe(listener: (change: ConfigChange) => void): Stop;
}

/** The names of the resources that one response added, replaced or removed. */
export interface ConfigChange {
  readonly targets: readonly string[];
  readonly rbacConfigs: readonly string[];
}

/** The sender of a request. Only a principal can ever be allowed anything. */
export type Caller =
  | {
      readonly kind: 'principal';
      readonly claims: Claims;
      /** Equal for all tokens of one subject or client of an issuer. A session belongs to one identity. */
      readonly identity: string;
      /** Milliseconds since the epoch; 0 from when the key of the token was withdrawn. Event streams of this caller end then. */
      readonly expiresAt: number;
    }
  | { readonly kind: 'anonymous'; readonly reason: 'no authn configured' | 'stdio' };

/** The result of authenticating a request. */
export type Authentication =
  | { readonly kind: 'caller'; readonly caller: Caller }
  | {
      readonly kind: 'refused';
      /** 401: the token is missing or not valid. 503: the keys are not available. */
      readonly status: 401 | 503;
      /** A fixed code for the log and the metrics. */
      readonly reason: string;
      /** The value of `WWW-Authenticate`, with 401. */
      readonly challenge?: string;
      /** For the client and the log; never contains the token. */
      readonly message: string;
    };

/** Where MCP is spoken: HTTP+SSE at `/sse`, Streamable HTTP at `/mcp`. */
export type McpPath = '/mcp' | '/sse';

/** Authenticates the senders of requests. */
export interface Authenticator {
  /**
   * What clients may know before they have a token: JSON documents by path that anybody may read. `undefined` when that
   * is nothing.
   */
  readonly documents?: ReadonlyMap<string, string> | undefined;
  /**
   * Returns the value of `WWW-Authenticate` for a valid token that lacks a scope. Absent where clients are not told how
   * to get a token: one with another scope would be no use to them.
   */
  insufficientScope?: ((scope: string, path: McpPath) => string) | undefined;
  /** Returns the value of `WWW-Authenticate` for a token that expires while its request arrives. */
  expired(path: McpPath): string;
  /**
   * Authenticates by the value of the `Authorization` header. Never throws.
   *
   * @param path where the request goes, which the challenge is about; `/mcp` by default
   */
  authenticate(authorization: string | undefined, path?: McpPath): Promise<Authentication>;
}

/**
 * Sends HTTP requests to one target. Refuses loopback, link-local and other local addresses, by the address that is
 * connected to (unless `--resolve` names the target's host and port); never follows a redirect;
 * sends no credentials of the downstream client unless the configuration names their header; and adds the headers that
 * the operator has for the target.
 */
export type TargetFetch = (url: URL, request: TargetRequest) => Promise<TargetResponse>;

/** One request to a target. */
export interface TargetRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Ends the request, and its response while that is read. */
  readonly signal: AbortSignal;
}

/** The response to a request: the part of a `Response` that is used, which costs a third of it. */
export interface TargetResponse {
  readonly status: number;
  /** Whether the status is 200 to 299. */
  readonly ok: boolean;
  readonly headers: Pick<Headers, 'get'>;
  readonly body: TargetBody | null;
  /** Whether the text of a refusal may repeat a header of the request that is a secret. Default false. */
  readonly mayRepeatSecrets?: boolean;
}

/** The body of a response, which is read once. */
export interface TargetBody extends AsyncIterable<Uint8Array> {
  /** Ends a response that is not needed. */
  cancel(): Promise<void>;
}

/**
 * What clients call tools, prompts and resources. `qualified`: `<target>:<name>`. `portable`: names that every host
 * takes, at most 64 letters, digits, `_` and `-`. `bare`: names as targets have them, but for those that two targets
 * list.
 */
export type NameMode = 'qualified' | 'portable' | 'bare';

/** `all`: lists show every entry. `filtered`: lists show the entries that the caller may use. */
export type ListMode = 'all' | 'filtered';

/**
 * How a request to a target ended: with a result, with an error of the target, without a response, because a time limit
 * or another limit of the gateway was exceeded, or at once, since the target cannot be reached. Requests that clients
 * cancel are not counted.
 */
export type TargetOutcome = 'result' | 'error' | 'failure' | 'timeout' | 'limit' | 'circuit';

/** What is known of a target since it was added or changed. */
export interface TargetState {
  /** By the last request of any session. `slow`: it was not answered in time. `fails`: it failed in another way. */
  readonly state: 'never connected' | 'answers' | 'slow' | 'fails';
  /** When that began; `null` before the first request. */
  readonly since: string | null;
  readonly lastError: { readonly at: string; readonly request: string; readonly reason: string } | null;
  /** While no connection to it can be made, so that requests to it fail at once; `null` otherwise. */
  readonly circuit: {
    readonly openSince: string;
    /** When the gateway tries a connection; `null` while it does. */
    readonly nextAttempt: string | null;
  } | null;
  /** Its lists that fail; those that are left out are asked for beside the requests of clients. */
  readonly lists: readonly { readonly method: string; readonly state: 'fails' | 'left out'; readonly since: string }[];
  readonly requests: Readonly<Record<TargetOutcome, number>>;
}

/**
 * What the log has of a caller. `hash`: 16 hexadecimal digits, the same for all tokens of a subject. `sub`: the claim
 * of that name, or the hash without it. `none`: nothing.
 */
export type CallerNaming = 'hash' | 'sub' | 'none';

/** The counters of the gateway; `admin/metrics.ts` has their help texts. */
export type GatewayCounterName =
  | 'gatehouse_gateway_connections_delayed_total'
  | 'gatehouse_gateway_connections_lost_total'
  | 'gatehouse_gateway_decisions_total'
  | 'gatehouse_gateway_event_streams_cut_total'
  | 'gatehouse_gateway_requests_unauthenticated_total'
  | 'gatehouse_gateway_requests_malformed_total'
  | 'gatehouse_gateway_requests_open_total'
  | 'gatehouse_gateway_requests_refused_total'
  | 'gatehouse_gateway_sessions_full_total'
  | 'gatehouse_gateway_last_good_total'
  | 'gatehouse_gateway_notifications_delayed_total'
  | 'gatehouse_gateway_target_connections_failed_total';

/** Counts what the metrics of the gateway show. */
export interface GatewayCounters {
  /** Adds 1 to a counter. A label has few values, never the name of an object or of a caller. */
  count(name: GatewayCounterName, labels?: Labels): void;
  /** Adds to the histogram of the times of requests to targets. */
  targetRequestTook(seconds: number, method: string): void;
}
