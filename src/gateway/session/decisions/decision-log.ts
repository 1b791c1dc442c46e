import { hash } from 'node:crypto';
import type { PrimitiveKind } from '../../../authz/model.ts';
import type { Clock, Fields, Logger, Stop } from '../../../edges.ts';
import { shortened } from '../../../json/quoted.ts';
import { KeyedRateLimiter } from '../../../rate/keyed-rate-limiter.ts';
import { RateLimiter, type RateLimiterOptions } from '../../../rate/rate-limiter.ts';
import { callerKey } from '../../callers.ts';
import type { Caller, CallerNaming, GatewayCounters } from '../../model.ts';

/** A decision about a request. */
export interface LoggedDecision {
  readonly kind: PrimitiveKind | 'method';
  readonly name: string;
  readonly caller: Caller;
  readonly allowed: boolean;
  /** The rule that allows it, or `reason`. */
  readonly why: Fields & { readonly reason?: string };
}

/** The lines about decisions of all sessions. */
export interface DecisionLog {
  /** Counts a decision, and writes its line unless its caller, or all callers together, have had too many. */
  decided(decision: LoggedDecision): void;
  /** Says what was left out and not said yet. Nothing is left to do after that. */
  readonly stop: Stop;
}

/** Dependencies and settings of the lines. */
interface DecisionLogParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: GatewayCounters;
  /** What the metadata names the Gateway by. */
  readonly gateway?: string | undefined;
  /** Default `hash`. */
  readonly logCaller?: CallerNaming | undefined;
}

interface Rates {
  readonly ofCaller: RateLimiterOptions;
  readonly ofAll: RateLimiterOptions;
}

/**
 * Lines, of about 350 bytes, by what was decided: denials cannot use up those of what is allowed. Whoever has a token
 * causes a denial at the cost of a request, while what is allowed takes the time of a target.
 */
const rates: Readonly<Record<Outcome, Rates>> = {
  allowed: { ofCaller: { rate: 1_000, burst: 10_000 }, ofAll: { rate: 2_000, burst: 20_000 } },
  denied: { ofCaller: { rate: 10, burst: 200 }, ofAll: { rate: 100, burst: 2_000 } },
};

/** Callers whose rates are remembered, and whose lines that were left out are counted one by one. */
const maxCallers = 4_096;

/** Milliseconds for which lines are left out before one says how many. */
const summaryTime = 60_000;

type Outcome = 'allowed' | 'denied';

/** Starts with all rates unused. */
export function createDecisionLog(parts: DecisionLogParts): DecisionLog {
  const { log, counters, gateway, logCaller = 'hash' } = parts;
  const ofGateway = gateway === undefined ? {} : { gateway: shortened(gateway) };
  const lines = { allowed: createLines(parts, 'allowed'), denied: createLines(parts, 'denied') } as const;
  return {
    decided({ kind, name, caller, allowed, why }) {
      const outcome = allowed ? 'allowed' : 'denied';
      counters.count('gatehouse_gateway_decisions_total', { outcome, reason: allowed ? '' : (why.reason ?? '') });
      if (!lines[outcome].admit(caller)) return;
      log.info(outcome, { kind, name: shortened(name), ...callerFields(caller, logCaller), ...ofGateway, ...why });
    },
    stop() {
      for (const { stop } of Object.values(lines)) stop();
    },
  };
}

/** The lines of one outcome. */
function createLines({ clock, log, logCaller = 'hash' }: DecisionLogParts, outcome: Outcome) {
  const { ofCaller, ofAll } = rates[outcome];
  const byCaller = new KeyedRateLimiter(clock, { ...ofCaller, maxKeys: maxCallers });
  const all = new RateLimiter(clock, ofAll);
  /** By caller, of those that were left out since the last summary. */
  const leftOut = new Map<string, { readonly caller: Caller; lines: number }>();
  let more = 0;
  let stopTimer: Stop | undefined;

  const summarize = (): void => {
    stopTimer?.();
    stopTimer = undefined;
    if (more === 0) return;
    const most = [...leftOut.values()].reduce((one, other) => (other.lines > one.lines ? other : one));
    log.warn('decisions are not all logged, since there are too many', {
      outcome,
      more,
      callers: leftOut.size,
      ...callerFields(most.caller, logCaller),
    });
    leftOut.clear();
    more = 0;
  };

  return {
    /** Returns whether a line may be written. */
    admit(caller: Caller): boolean {
      const key = callerKey(caller);
      if (all.delay() === 0 && byCaller.tryTake(key) === 0) {
        all.reserve();
        return true;
      }
      more += 1;
      stopTimer ??= clock.after(summaryTime, summarize);
      const known = leftOut.get(key);
      if (known !== undefined) known.lines += 1;
      else if (leftOut.size < maxCallers) leftOut.set(key, { caller, lines: 1 });
      return false;
    },
    stop: summarize,
  };
}

/** Claim values are never logged, unless the operator asks for that of `sub`. */
function callerFields(caller: Caller, naming: CallerNaming): Fields {
  if (naming === 'none') return {};
  if (caller.kind === 'anonymous') return { caller: caller.reason };
  const { sub } = caller.claims;
  return { caller: naming === 'sub' && typeof sub === 'string' ? shortened(sub) : callerHash(caller) };
}

/** By the caller, which a verified token is remembered with: most of its calls have a line. */
const callerHashes = new WeakMap<Caller, string>();

/** Equal for all tokens of one subject, and does not reveal the subject. */
function callerHash(caller: Extract<Caller, { readonly kind: 'principal' }>): string {
  const known = callerHashes.get(caller) ?? hash('sha256', caller.identity).slice(0, 16);
  callerHashes.set(caller, known);
  return known;
}
