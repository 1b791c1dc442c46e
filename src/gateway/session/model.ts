import type { Clock, Logger, Random } from '../../edges.ts';
import type { Target } from '../../gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import type { Caller, ListMode, TargetFetch, World } from '../model.ts';
import type { IncomingRequest, Params, RequestId, Result } from '../rpc/model.ts';

/** What joining the targets takes. */
export interface MultiplexParts {
  readonly world: World;
  readonly fetchFor: (target: Target) => TargetFetch;
  readonly list: ListMode;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** A client's request and who sent it: that caller, not the one who opened the session, is decided upon. */
export interface Exchange extends IncomingRequest {
  readonly caller: Caller;
}

/** Tells the client of a session something. */
export interface Audience {
  /** @param relatedTo the client's request that this belongs to, so that it travels with its answer */
  notify(method: string, params?: Params, relatedTo?: RequestId): void;
}

/** One client's view of all targets, with connections to them that are its own. */
export interface Conversation {
  /** Answers a request; throws an RpcError that is the answer. */
  request(exchange: Exchange): Promise<Result>;
  /** The revision that was agreed on; `undefined` before the handshake. */
  protocolVersion(): string | undefined;
  /** Ends what is in flight and the connections to the targets; settles when they are told. */
  close(): Promise<void>;
}
