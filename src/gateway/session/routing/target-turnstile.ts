import type { Stop } from '../../../edges.ts';
import { LogThrottle } from '../../../rate/log-throttle.ts';
import { errorCode, RpcError } from '../../rpc/rpc-error.ts';
import type { SessionParts } from '../model.ts';

/** Limits the requests that each target has open, of all sessions. */
export interface TargetTurnstile {
  /**
   * Counts a request until the returned function is called once.
   *
   * @throws RpcError that names the limit, when the target has as many open
   */
  enter(target: string): Stop;
}

type Parts = Pick<SessionParts, 'maxTargetRequests' | 'counters' | 'clock' | 'log'>;

/**
 * Creates the limit, which is the same for every target. A request beyond it is refused at once and does not wait: a
 * target that is slow already would only be waited for by more callers, each with a body in memory.
 */
export function createTargetTurnstile({ maxTargetRequests, counters, clock, log }: Parts): TargetTurnstile {
  if (maxTargetRequests === undefined) return { enter: () => () => {} };
  const open = new Map<string, number>();
  const throttle = new LogThrottle(clock, log);
  const leave = (target: string): void => {
    const rest = (open.get(target) ?? 1) - 1;
    if (rest === 0) open.delete(target);
    else open.set(target, rest);
  };
  return {
    enter(target) {
      const count = open.get(target) ?? 0;
      if (count >= maxTargetRequests) {
        counters.count('gatehouse_gateway_requests_refused_total', { reason: 'target' });
        const reason = `${maxTargetRequests} requests open (--max-target-requests)`;
        // One key: what targets there are is up to the control plane.
        throttle.failed('target', {
          reason,
          message: 'requests are refused: their target has too many',
          fields: { target },
        });
        throw new RpcError(errorCode.unavailable, `Target ${target} has ${reason}: try again later`);
      }
      open.set(target, count + 1);
      return () => leave(target);
    },
  };
}
