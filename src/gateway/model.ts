import type { Claims } from '../authz/model.ts';
import type { Stop } from '../edges.ts';
import type { Config } from '../gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import type { Target } from '../gen/mcp/kgateway/dev/target/v1alpha1/target.ts';

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
