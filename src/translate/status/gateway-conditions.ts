import type { Collection, Context, Derived, Failure, Index } from '../../graph/model.ts';
import type { Gateway } from '../../resources/model.ts';
import type { AddressVerdict } from '../gateway/addresses.ts';
import { type Allowance, selectorsOf } from '../gateway/allowed-namespaces.ts';
import type { GatewayVerdict } from '../gateway/gateway.ts';
import type { ClassVerdict } from '../gateway/gateway-class.ts';
import type { ListenerVerdict } from '../gateway/listeners.ts';
import type { Condition, GatewayState, GatewayStatus } from '../model.ts';
import type { Reach } from '../policy/policy.ts';
import { conditionsOf, enumerate, internalError, recount, type Say } from './conditions.ts';
import { describeListeners } from './listener-conditions.ts';

/** What the status of a Gateway is told from. */
export interface GatewayFindings {
  readonly classes: Collection<ClassVerdict>;
  readonly verdicts: Derived<GatewayVerdict>;
  readonly allowances: Derived<Allowance>;
  readonly selections: Derived<readonly string[]>;
  readonly states: Derived<GatewayState>;
  readonly reachesByGateway: Index<Reach>;
}

type Ours = Extract<GatewayVerdict, { kind: 'ours' }>;

/** The status of one Gateway; none for another controller's. */
export function describeGateway(
  gateway: Gateway,
  context: Context,
  key: string,
  findings: GatewayFindings,
): GatewayStatus | undefined {
  const { namespace, name } = gateway.identity;
  const say = conditionsOf(gateway.identity);
  const verdict = context.get(findings.verdicts, key);
  const failure = findFailure(context, key, findings);
  if (verdict === undefined) {
    if (failure === undefined || !hasClassOfOurs(gateway, context, findings)) return undefined;
    const conditions = [...unknown(say), ...affected(context, key, findings, say), internalError(say, failure)];
    return { kind: 'Gateway', namespace, name, conditions, addresses: [], listeners: [] };
  }
  if (verdict.kind === 'foreign') return undefined;
  const own = failure === undefined ? judged(verdict, say) : unknown(say);
  const bug = failure === undefined ? [] : [internalError(say, failure)];
  const conditions = [...own, ...affected(context, key, findings, say), ...bug];
  const listeners = describeListeners(verdict.listeners, verdict.standing.kind, say);
  return { kind: 'Gateway', namespace, name, conditions, addresses: verdict.addresses.usable, listeners };
}

/** What threw on the way from the Gateway to its state. */
function findFailure(context: Context, key: string, findings: GatewayFindings): Failure | undefined {
  const { verdicts, allowances, selections, states } = findings;
  for (const { failures } of [verdicts, allowances, states]) {
    const failure = context.get(failures, key);
    if (failure !== undefined) return failure;
  }
  const allowance = context.get(allowances, key);
  const selectors = allowance === undefined ? [] : selectorsOf(allowance);
  return selectors.map((selector) => context.get(selections.failures, selector)).find((failed) => failed !== undefined);
}

function hasClassOfOurs({ className }: Gateway, context: Context, { classes }: GatewayFindings): boolean {
  return className.ok && context.get(classes, className.value) !== undefined;
}

function unknown(say: Say): readonly Condition[] {
  return [
    say('Accepted', 'Unknown', 'Pending', 'The Gateway could not be judged.'),
    say('Programmed', 'False', 'Pending', 'The Gateway could not be judged.'),
  ];
}

function judged({ standing, addresses, listeners }: Ours, say: Say): readonly Condition[] {
  switch (standing.kind) {
    case 'pending':
      return [
        say('Accepted', 'Unknown', 'Pending', standing.message),
        say('Programmed', 'False', 'Pending', standing.message),
      ];
    case 'refused':
      return [say('Accepted', 'False', standing.reason, standing.message), notAccepted(say)];
    case 'served':
      return servedConditions(listeners, addresses, say);
  }
}

function servedConditions(
  listeners: readonly ListenerVerdict[],
  addresses: AddressVerdict,
  say: Say,
): readonly Condition[] {
  const accepted = listeners.filter(({ outcome }) => outcome.accepted);
  const message = listenersMessage(listeners);
  if (accepted.length === 0) return [say('Accepted', 'False', 'ListenersNotValid', message), notAccepted(say)];
  const reason = accepted.length === listeners.length ? 'Accepted' : 'ListenersNotValid';
  return [say('Accepted', 'True', reason, message), programmed(addresses, say)];
}

function listenersMessage(listeners: readonly ListenerVerdict[]): string {
  if (listeners.length === 0) return 'spec.listeners is empty: a Gateway needs one with the protocol kgateway.dev/mcp.';
  const accepted = listeners.flatMap(({ name, outcome }) => (outcome.accepted && name !== undefined ? [name] : []));
  const refused = new Set(
    listeners.flatMap(({ name, outcome }) => (outcome.accepted ? [] : [about(name, outcome.message)])),
  );
  if (refused.size === 0) return 'The Gateway is accepted.';
  const first = accepted.length === 0 ? 'No listener is accepted.' : `Accepted listeners: ${enumerate(accepted)}.`;
  return `${first} Not accepted: ${recount([...refused])}`;
}

function about(listener: string | undefined, message: string): string {
  return listener === undefined ? message : `${listener}: ${message}`;
}

function programmed({ unusable, unassigned }: AddressVerdict, say: Say): Condition {
  if (unusable.length > 0) return say('Programmed', 'False', 'AddressNotUsable', recount(unusable));
  if (unassigned.length > 0) return say('Programmed', 'False', 'AddressNotAssigned', recount(unassigned));
  return say('Programmed', 'True', 'Programmed', 'The configuration is ready for the gateways that ask for it.');
}

function notAccepted(say: Say): Condition {
  return say('Programmed', 'False', 'Invalid', 'The Gateway is not accepted.');
}

/** Tells the owner of the Gateway which policies others attached to it; gone with the last one. */
function affected(context: Context, key: string, findings: GatewayFindings, say: Say): readonly Condition[] {
  const names = context.by(findings.reachesByGateway, key).map(({ name }) => name);
  if (names.length === 0) return [];
  return [
    say('kgateway.dev/MCPAuthPolicyAffected', 'True', 'PolicyAttached', `Attached policies: ${enumerate(names)}.`),
  ];
}
