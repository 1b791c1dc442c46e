import type { Readable, Writable } from 'node:stream';
import type { Claims } from '../authz/model.ts';
import type { Clock, Logger, Random, Stop, StopAsync } from '../edges.ts';
import type { Config } from '../gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import type { Target } from '../gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import type { Endpoint } from './network/resolve.ts';
import type { GatewayEnvironment, XdsStatus } from './xds/model.ts';

/** What a gateway is started with: the values of its flags and of its environment. */
export interface GatewayOptions {
  /** `--file`: a path or a URL. Either this or `config`. */
  readonly file?: string | undefined;
  /** `--config`: the JSON itself. */
  readonly config?: string | undefined;
  /** `--resolve`, each `host:port=address:port`. */
  readonly resolve: readonly string[];
  /** `--mount`, each `/path=<folder>`. */
  readonly mount: readonly string[];
  readonly list: ListMode;
  /** `host:port`; port 0 picks a free one. */
  readonly adminListen: string;
  /** Origins of browser pages that may connect beside those on this machine. */
  readonly allowedOrigins: readonly string[];
  readonly environment: GatewayEnvironment;
  /** Milliseconds that stopping may take; then what is left is cut off. 10 s unless given. */
  readonly shutdownGrace?: number | undefined;
}

/** What a gateway takes from its surroundings. */
export interface GatewayEdges {
  readonly clock: Clock;
  readonly random: Random;
  /** Goes to standard error: standard output belongs to the client of a `stdio` listener. */
  readonly log: Logger;
  /** Where the client of a `stdio` listener is. */
  readonly stdin: Readable;
  readonly stdout: Writable;
}

/** A gateway that serves. */
export interface RunningGateway {
  /** Where MCP clients connect, as really bound; `undefined` on stdio. */
  readonly listener: Endpoint | undefined;
  readonly admin: Endpoint;
  readonly world: World;
  status(): XdsStatus;
  /** Settles when the gateway has stopped: it was told to, or the client of its `stdio` listener went. */
  readonly ended: Promise<void>;
  /** Ends every session, stream and connection within the grace time. */
  readonly stop: StopAsync;
}

/** What the control plane told this gateway, and nothing else. Empty until the first answer; kept while it is away. */
export interface World {
  /** By target name. */
  readonly targets: ReadonlyMap<string, Target>;
  /** By resource name, `<namespace>.<name>`. */
  readonly configs: ReadonlyMap<string, Config>;
  /** Calls `changed` after every response that changed something, once per response. */
  subscribe(changed: (change: WorldChange) => void): Stop;
}

/** The names that one response added, replaced or removed. */
export interface WorldChange {
  readonly targets: readonly string[];
  readonly configs: readonly string[];
}

/** Who sends a request. Nobody without a verified token is ever allowed anything. */
export type Caller =
  | {
      readonly kind: 'principal';
      readonly claims: Claims;
      /** Equal for two tokens of the same issuer and subject: a session belongs to one of these. */
      readonly identity: string;
      /** Milliseconds since the epoch; streams of this caller end then. */
      readonly expiresAt: number;
    }
  | { readonly kind: 'anonymous'; readonly why: 'no authn configured' | 'stdio' };

/** The outcome of looking at an `Authorization` header. */
export type Authentication =
  | { readonly kind: 'caller'; readonly caller: Caller }
  | {
      readonly kind: 'refused';
      /** 401: no token or a bad one. 503: the keys cannot be had right now. */
      readonly status: 401 | 503;
      /** The value of `WWW-Authenticate`, with 401. */
      readonly challenge?: string;
      /** For the client and the log; never contains the token. */
      readonly message: string;
    };

export interface Authenticator {
  /** Looks at the value of the `Authorization` header. Never throws. */
  authenticate(authorization: string | undefined): Promise<Authentication>;
}

/**
 * Requests to one target. Connects only where that target may be: refuses loopback and link-local addresses at the
 * address really connected to (unless `--resolve` names the target's host and port), never leaves the target's own
 * origin by a redirect, and never carries headers of the downstream client.
 */
export type TargetFetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** How lists treat what the caller may not use. */
export type ListMode = 'all' | 'filtered';
