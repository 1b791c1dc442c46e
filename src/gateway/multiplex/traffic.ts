import type { AccessRequest } from '../../authz/model.ts';
import type { Caller } from '../model.ts';
import type { Params, Result } from '../rpc/model.ts';
import { errorCode } from '../rpc/protocol.ts';
import { RpcError } from '../rpc/rpc-error.ts';
import type { Upstream } from '../upstream/model.ts';
import type { Access } from './access.ts';
import type { Health } from './health.ts';
import type { Audience, Exchange } from './model.ts';

/** What is on its way between one client and its targets. */
export interface Traffic {
  /** Sends an allowed request on to a target and brings the answer. */
  forward(to: Destination, exchange: Exchange, params: Params): Promise<Result>;
  /** `notifications/progress` of a target: goes to the request that it is about. */
  progress(target: string, params: Params | undefined): void;
  /** `notifications/message` of a target. */
  logMessage(target: string, params: Params | undefined): void;
}

/** Where a request goes, and by what right. */
export interface Destination {
  readonly target: string;
  readonly link: Upstream;
  readonly use: AccessRequest;
}

/** Keeps account of the requests in flight, per target: progress tokens and log messages are theirs. */
export function createTraffic(health: Health, access: Access, audience: Audience): Traffic {
  const inFlight = new Map<string, Set<Exchange>>();
  const lastAllowed = new Map<string, { readonly use: AccessRequest; readonly caller: Caller }>();

  const exchangesOf = (target: string): Set<Exchange> => {
    const exchanges = inFlight.get(target) ?? new Set();
    inFlight.set(target, exchanges);
    return exchanges;
  };

  return {
    async forward({ target, link, use }, exchange, params) {
      const exchanges = exchangesOf(target);
      exchanges.add(exchange);
      lastAllowed.set(target, { use, caller: exchange.caller });
      try {
        const result = await link.request(exchange.method, params, exchange.signal);
        health.works(target, exchange.method);
        return result;
      } catch (error) {
        // The target's own answer is passed on; what went wrong on the way to it is for the log.
        if (error instanceof RpcError) throw error;
        if (!exchange.signal.aborted) health.fails(target, exchange.method, error);
        throw new RpcError(errorCode.unavailable, `Target ${target} does not answer`);
      } finally {
        exchanges.delete(exchange);
        if (exchanges.size === 0) inFlight.delete(target);
      }
    },
    progress(target, params) {
      const token = params?.['progressToken'];
      for (const { id, params: asked } of inFlight.get(target) ?? []) {
        if (token !== undefined && asked?._meta?.progressToken === token) {
          return audience.notify('notifications/progress', params, id);
        }
      }
    },
    logMessage(target, params) {
      // Lists connect to every target; only somebody who may use something there is told what it says.
      const allowed = lastAllowed.get(target);
      if (allowed === undefined || !access.permits(allowed.use, allowed.caller)) return;
      // With one request in flight the message is about that one, and reaches clients without a stream of their own.
      const [only, ...others] = inFlight.get(target) ?? [];
      audience.notify('notifications/message', params, others.length === 0 ? only?.id : undefined);
    },
  };
}
