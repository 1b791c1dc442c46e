import { allowsAnythingOf, decide, reachableTargets } from '../../../authz/authz.ts';
import type { AccessRequest, Claims, Decision, PrimitiveKind, RuleIndex } from '../../../authz/model.ts';
import type { Clock } from '../../../edges.ts';
import { shortened } from '../../../json/quoted.ts';
import { isCurrent } from '../../callers.ts';
import type { Caller, GatewayConfig, ListMode } from '../../model.ts';
import { errorCode, RpcError } from '../../rpc/rpc-error.ts';
import type { MayReceive } from '../model.ts';
import type { DecisionLog, LoggedDecision } from './decision-log.ts';

/**
 * Authorizes callers by the rules in force and by claims that are valid: a caller whose token has expired may do
 * nothing, no matter when it was authenticated.
 */
export interface Authorization {
  /**
   * Throws the error response when the caller is denied. Logs every decision with its rule.
   *
   * @param requestedName the name as the caller spelled it, for the error message
   * @param exists whether the name can be that of anything; without that, a rule that fits it allows nothing. Default true
   */
  authorize(use: AccessRequest, caller: Caller, requestedName: string, exists?: boolean): void;
  /**
   * Returns the value of a claim `scope` or `scp` with which the caller would be allowed, and logs the denial.
   * `undefined` for what is allowed, or not for want of a scope. Where lists are filtered, rules for single things
   * count for nothing: they would say that these exist.
   */
  missingScope(use: AccessRequest, caller: Caller): string | undefined;
  /**
   * Logs the decision about a request of a method that no rule names, with the rules by which the caller may use every
   * tool, prompt and resource.
   */
  passed(method: string, caller: Caller, allowed: boolean): void;
  /** Makes the same decision without a log line; for notifications and subscriptions. */
  allows(use: AccessRequest, caller: Caller): boolean;
  /**
   * Returns the targets at which the caller may use something of a kind: no connection to another one is opened for
   * this caller.
   */
  reachable(kind: PrimitiveKind, caller: Caller): 'all' | ReadonlySet<string>;
  /** Returns whether a caller may use at least one thing of a target. */
  allowsAnythingOf(target: string, caller: Caller): boolean;
  /** Returns whether lists may show a caller an entry of a target. */
  seesAnythingOf(target: string, caller: Caller): boolean;
  /**
   * Returns whether lists show an entry to a caller. Throws the error response when that depends on a token that has
   * expired since the list was requested.
   */
  isVisible(use: AccessRequest, caller: Caller): boolean;
}

/** The error response for a token that has expired since its request was accepted. */
export function tokenExpiredError(): RpcError {
  return new RpcError(errorCode.invalidRequest, 'The token has expired');
}

/** The error response for a name that does not exist. In filtered mode, denied requests get the same one. */
export function unknownNameError(kind: PrimitiveKind, requestedName: string): RpcError {
  return new RpcError(errorCode.invalidParams, `Unknown ${kind}: ${shortened(requestedName)}`);
}

/**
 * Returns the decision about whoever may do all of these. An event log keeps it for as long as a message, so that it
 * holds nothing else: a closure within the handling of a request would hold the request, its response and their
 * connection.
 */
export function allowedAll(authorization: Pick<Authorization, 'allows'>, uses: readonly AccessRequest[]): MayReceive {
  return weighed((caller) => uses.every((use) => authorization.allows(use, caller)), uses);
}

/** Characters of the names of a decision that count as nothing. */
const maxShort = 256;

/** Says what a decision holds when the names in it are long, as those that clients send may be. */
export function weighed(decision: (caller: Caller) => boolean, uses: readonly AccessRequest[]): MayReceive {
  const characters = uses.reduce((sum, { name }) => sum + name.length, 0);
  return characters <= maxShort ? decision : Object.assign(decision, { bytes: 2 * characters });
}

/** As {@link allowedAll}, for whoever may use anything of a target. */
export function allowedAnythingOf(authorization: Pick<Authorization, 'allowsAnythingOf'>, target: string): MayReceive {
  return (caller) => authorization.allowsAnythingOf(target, caller);
}

/** Decides on each request anew, so that a change of the rules takes effect at once. */
export function createAuthorization(parts: {
  readonly config: GatewayConfig;
  readonly list: ListMode;
  readonly clock: Clock;
  readonly decisions: Pick<DecisionLog, 'decided'>;
}): Authorization {
  const { config, list, clock, decisions } = parts;
  const claimsOf = (caller: Caller): Claims | undefined =>
    caller.kind === 'principal' && isCurrent(caller, clock) ? caller.claims : undefined;
  const decideFor = (use: AccessRequest, caller: Caller): Decision => decide(config.rules, claimsOf(caller), use);

  const mayUseSomething = (target: string, caller: Caller): boolean =>
    allowsAnythingOf(config.rules, claimsOf(caller), target);

  return {
    missingScope(use, caller) {
      if (claimsOf(caller) === undefined || decideFor(use, caller).allowed) return undefined;
      const scope = scopeOf(config.rules, use, list === 'all' ? [use.name, '*'] : ['*']);
      const why = { reason: 'insufficient scope' };
      if (scope !== undefined) decisions.decided({ ...use, caller, allowed: false, why });
      return scope;
    },
    authorize(use, caller, requestedName, exists = true) {
      const decision = decideFor(use, caller);
      const expired = !isCurrent(caller, clock);
      const isUnknown = decision.allowed && !exists;
      const allowed = decision.allowed && exists;
      const why = isUnknown ? unknownName : reasonOf(decision, config);
      decisions.decided({ ...use, caller, allowed, why: expired ? tokenExpired : why });
      if (allowed) return;
      if (expired) throw tokenExpiredError();
      if (isUnknown || list === 'filtered') throw unknownNameError(use.kind, requestedName);
      throw new RpcError(errorCode.invalidRequest, `not allowed: ${use.kind} ${shortened(requestedName)}`);
    },
    passed(method, caller, allowed) {
      const rules = (): Reason =>
        rulesOf(
          primitiveKinds.map((kind) => [kind, decideFor({ kind, name: '*' }, caller)]),
          config,
        );
      const denied = isCurrent(caller, clock) ? notEverything : tokenExpired;
      decisions.decided({ kind: 'method', name: method, caller, allowed, why: allowed ? rules() : denied });
    },
    reachable: (kind, caller) => reachableTargets(config.rules, claimsOf(caller), kind),
    allows: (use, caller) => decideFor(use, caller).allowed,
    allowsAnythingOf: mayUseSomething,
    seesAnythingOf: (target, caller) => list === 'all' || mayUseSomething(target, caller),
    isVisible(use, caller) {
      if (list === 'all') return true;
      if (!isCurrent(caller, clock)) throw tokenExpiredError();
      return decideFor(use, caller).allowed;
    },
  };
}

type Reason = LoggedDecision['why'];

const unknownName: Reason = { reason: 'unknown name' };
const tokenExpired: Reason = { reason: 'token expired' };
const notEverything: Reason = { reason: 'not every tool, prompt and resource is allowed' };

/** The claims that OAuth has scopes in: RFC 9068, and what some authorization servers write instead. */
const scopeClaims = ['scope', 'scp'] as const;

/** Scopes of one rule's value (RFC 6749, section 3.3): no character that a quoted string has to escape. */
const scopeList = /^[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*$/;

/** Characters of a scope that a header may have, and rules that are looked at for one. */
const maxScope = 256;
const maxScopeRules = 64;

/**
 * Returns the scope of the first rule for one of these ids that has one, and allows the use: a rule for `*` allows no
 * empty name.
 */
function scopeOf(rules: RuleIndex, use: AccessRequest, ids: readonly string[]): string | undefined {
  let looked = 0;
  for (const id of ids) {
    for (const claim of scopeClaims) {
      for (const value of rules.find(use.kind, id)?.get(claim)?.keys() ?? []) {
        looked += 1;
        if (looked > maxScopeRules) return undefined;
        const isScope = value.length <= maxScope && scopeList.test(value);
        if (isScope && decide(rules, { [claim]: value }, use).allowed) return value;
      }
    }
  }
  return undefined;
}

/** What is allowed needs rules of each of them. */
const primitiveKinds = ['tool', 'prompt', 'resource'] as const;

/** Returns the rules by which everything is allowed, one of each kind; the fields of a rule are those of the first. */
function rulesOf(decided: readonly (readonly [PrimitiveKind, Decision])[], config: GatewayConfig): Reason {
  const [first] = decided;
  const rules = decided.flatMap(([kind, found]) => (found.allowed ? `${kind} ${found.config} ${found.rule}` : []));
  return { ...(first && reasonOf(first[1], config)), rules: rules.join(', ') };
}

/** An allowed request is logged with its rule as it was sent: a claim's name, and the resource that the rule names. */
function reasonOf(decision: Decision, { rbacConfigs }: GatewayConfig): Reason {
  if (!decision.allowed) return { reason: decision.reason };
  const { config, rule } = decision;
  const { key = '', resource } = rbacConfigs.get(config)?.rules[rule] ?? {};
  return { config, rule, claim: shortened(key), resource: shortened(resource?.id ?? '') };
}
