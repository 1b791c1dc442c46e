import type { Clock, Random } from '../../edges.ts';
import type { Target } from '../../gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import type { TargetFetch } from '../model.ts';
import type { Params, Result } from '../rpc/model.ts';

/** One session's own way to one target. Connects when it is first needed, and again after the connection was lost. */
export interface Upstream {
  /**
   * Sends a request and brings the answer, connecting first. When the target no longer knows our session, the session
   * is opened again once and the request repeated: the target has not looked at it then. Rejects with the target's own
   * error answer, with the signal's reason, or with what kept it from being answered.
   */
  request(method: string, params: Params | undefined, signal: AbortSignal): Promise<Result>;
  /** What the target said in the handshake that it offers, connecting first. */
  capabilities(signal: AbortSignal): Promise<Capabilities>;
  /** Ends the connection and everything in flight with `reason`; settles when the target's session is ended, too. */
  close(reason: Error): Promise<void>;
}

/** The `capabilities` of an `initialize` result; only the presence of a member means something here. */
export type Capabilities = Readonly<Record<string, unknown>>;

/** The two ways in which MCP is spoken over HTTP. */
export type Wire = 'streamable-http' | 'http-sse';

/** What to connect to and with what. */
export interface UpstreamParts {
  readonly target: Target;
  readonly fetch: TargetFetch;
  readonly clock: Clock;
  readonly random: Random;
  /** The wire that worked last for this target, shared by all sessions. */
  readonly verdict: Verdict;
  /** Calls of the target that expect no answer. */
  notification(method: string, params: Params | undefined): void;
  /** Called after every handshake, the first included: what a session had asked of the old connection is gone. */
  connected(): void;
}

/** Which wire a target speaks, as far as is known. */
export interface Verdict {
  wire: Wire | undefined;
}
