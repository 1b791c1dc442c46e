import { createHash } from 'node:crypto';
import { decide } from '../../authz/authz.ts';
import type { AccessRequest, Decision, PrimitiveKind } from '../../authz/model.ts';
import type { Logger } from '../../edges.ts';
import { shortened } from '../../json/quoted.ts';
import type { Caller, GatewayConfig, ListMode } from '../model.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';

/** Authorizes callers by the rules in force. */
export interface Authorization {
  /**
   * Throws the error response when the caller is denied. Logs every decision with its rule.
   *
   * @param requestedName the name as the caller spelled it, for the error message
   */
  authorize(use: AccessRequest, caller: Caller, requestedName: string): void;
  /** Makes the same decision without a log line; for notifications and subscriptions. */
  allows(use: AccessRequest, caller: Caller): boolean;
  /** Returns whether lists show an entry to a caller. */
  isVisible(use: AccessRequest, caller: Caller): boolean;
}

/** The error response for a name that does not exist. In filtered mode, denied requests get the same one. */
export function unknownNameError(kind: PrimitiveKind, requestedName: string): RpcError {
  return new RpcError(errorCode.invalidParams, `Unknown ${kind}: ${shortened(requestedName)}`);
}

/** Decides on each request anew, so that a change of the rules takes effect at once. */
export function createAuthorization(parts: {
  readonly config: GatewayConfig;
  readonly list: ListMode;
  readonly log: Logger;
}): Authorization {
  const { config, list, log } = parts;
  const decideFor = (use: AccessRequest, caller: Caller): Decision =>
    decide(config.rbacConfigs, caller.kind === 'principal' ? caller.claims : undefined, use);

  return {
    authorize(use, caller, requestedName) {
      const decision = decideFor(use, caller);
      log.info(decision.allowed ? 'allowed' : 'denied', {
        kind: use.kind,
        name: shortened(use.name),
        caller: callerHash(caller),
        ...(decision.allowed ? { config: decision.config, rule: decision.rule } : { reason: decision.reason }),
      });
      if (decision.allowed) return;
      if (list === 'filtered') throw unknownNameError(use.kind, requestedName);
      throw new RpcError(errorCode.invalidRequest, `not allowed: ${use.kind} ${shortened(requestedName)}`);
    },
    allows: (use, caller) => decideFor(use, caller).allowed,
    isVisible: (use, caller) => list === 'all' || decideFor(use, caller).allowed,
  };
}

/** Equal for all tokens of one subject, and does not reveal the subject: claim values are never logged. */
function callerHash(caller: Caller): string {
  if (caller.kind === 'anonymous') return caller.reason;
  return createHash('sha256').update(caller.identity).digest('hex').slice(0, 16);
}
