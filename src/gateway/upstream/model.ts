import type { Clock, Random } from '../../edges.ts';
import type { Target } from '../../gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import type { TargetFetch } from '../model.ts';
import type { Params, Result } from '../rpc/model.ts';

/**
 * The session with one target on behalf of one client session. Connects on the first request, and again after a loss.
 */
export interface UpstreamSession {
  /**
   * Sends a request, after connecting if necessary. If the target no longer knows the session, initializes a new one
   * and repeats the request once, which is safe since the target has not processed it. Rejects with the target's error
   * response, with the signal's reason, or with the connection's error.
   */
  request(method: string, params: Params | undefined, signal: AbortSignal): Promise<Result>;
  /** The capabilities from the target's handshake, after connecting if necessary. */
  capabilities(signal: AbortSignal): Promise<Capabilities>;
  /** Ends the connection and all requests with `reason`. Resolves when the session at the target is terminated, too. */
  close(reason: Error): Promise<void>;
}

/** The `capabilities` of an `initialize` result. Only the presence of a member is used. */
export type Capabilities = Readonly<Record<string, unknown>>;

/** The two HTTP transports of MCP. */
export type TransportKind = 'streamable-http' | 'http-sse';

/** The target, and the dependencies of a session with it. */
export interface UpstreamParts {
  readonly target: Target;
  readonly fetch: TargetFetch;
  readonly clock: Clock;
  readonly random: Random;
  readonly hint: TransportHint;
  /** Handles a notification of the target. */
  notification(method: string, params: Params | undefined): void;
  /**
   * Called after every handshake, also the first: the target does not know what the client session had set up before.
   */
  connected(): void;
}

/** The transport that worked last for a target. Shared by all sessions, so that only the first one has to probe. */
export interface TransportHint {
  transport: TransportKind | undefined;
}
