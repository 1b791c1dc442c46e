import { createHash } from 'node:crypto';
import { decide } from '../../authz/authz.ts';
import type { AccessRequest, Decision, PrimitiveKind } from '../../authz/model.ts';
import type { Logger } from '../../edges.ts';
import type { Caller, ListMode, World } from '../model.ts';
import { errorCode } from '../rpc/protocol.ts';
import { RpcError } from '../rpc/rpc-error.ts';

/** Who may use what, by the rules of this moment. */
export interface Access {
  /**
   * Lets an allowed use pass and throws the answer to a denied one. Every decision is logged with its rule.
   *
   * @param asked how the caller spelled the name; the answer repeats it
   */
  demand(use: AccessRequest, caller: Caller, asked: string): void;
  /** The same decision for what was not asked for one by one: entries of lists, notifications. Not logged. */
  permits(use: AccessRequest, caller: Caller): boolean;
  /** Whether lists show this to this caller. */
  shows(use: AccessRequest, caller: Caller): boolean;
}

/** The answer to a name that nothing has. In filtered mode a denied use is answered with it, too. */
export function unknownName(kind: PrimitiveKind, asked: string): RpcError {
  return new RpcError(errorCode.invalidParams, `Unknown ${kind}: ${asked}`);
}

/** Decides anew each time: there is nothing to forget when a policy goes. */
export function createAccess({ world, list, log }: { world: World; list: ListMode; log: Logger }): Access {
  const decideFor = (use: AccessRequest, caller: Caller): Decision =>
    decide(world.configs, caller.kind === 'principal' ? caller.claims : undefined, use);

  return {
    demand(use, caller, asked) {
      const decision = decideFor(use, caller);
      log.info(decision.allowed ? 'allowed' : 'denied', {
        kind: use.kind,
        name: use.name.slice(0, loggedNameLength),
        caller: callerHash(caller),
        ...(decision.allowed ? { config: decision.config, rule: decision.rule } : { reason: decision.reason }),
      });
      if (decision.allowed) return;
      if (list === 'filtered') throw unknownName(use.kind, asked);
      throw new RpcError(errorCode.invalidRequest, `not allowed: ${use.kind} ${asked}`);
    },
    permits: (use, caller) => decideFor(use, caller).allowed,
    shows: (use, caller) => list === 'all' || decideFor(use, caller).allowed,
  };
}

/** A caller chooses the names it asks for; a log line stays a line. */
const loggedNameLength = 200;

/** The same for all tokens of one subject, without saying who that is: no claim's value is logged. */
function callerHash(caller: Caller): string {
  if (caller.kind === 'anonymous') return caller.why;
  return createHash('sha256').update(caller.identity).digest('hex').slice(0, 16);
}
