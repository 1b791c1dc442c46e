import type { Gateway } from '../../resources/model.ts';
import { evaluateListeners } from '../../translate/translate.ts';
import { foreignGateway, meansMcp } from '../gateways.ts';
import type { ExplainInputs, Finding, Place } from '../model.ts';
import { nearestName } from '../nearest.ts';
import { labelsOf } from '../targets.ts';
import { policyHints } from './policy-hints.ts';
import { type SelectorContext, type SelectorResult, selectorHints } from './selector-hints.ts';
import { signerHints } from './signer-hints.ts';

/**
 * Names without a near one that is looked for, per run: each look-up compares with every target, which takes milliseconds
 * when there are ten thousand.
 */
const mostSuggestions = 100;

/** Looks for mistakes in all objects. Yields undefined after each step, so that a caller can divide the work. */
export function* hints(inputs: ExplainInputs): Generator<Finding | undefined> {
  let suggestions = 0;
  const nearest: typeof nearestName = (name, known) => {
    suggestions += 1;
    return suggestions > mostSuggestions ? undefined : nearestName(name, known);
  };
  const [named, said] = [new Set<string>(), new Set<string>()];
  for (const [key] of inputs.resources.MCPAuthPolicy.entries()) {
    yield* policyHints(inputs, key, { nearest, named, said });
    yield undefined;
  }
  yield* signerHints(inputs, named);
  const selectors = { labelled: yield* labelsOfTargets(inputs), evaluated: new Map<string, SelectorResult>() };
  for (const [key, gateway] of inputs.resources.Gateway.entries()) {
    yield* gatewayHints(inputs, key, gateway, { named, selectors });
    yield undefined;
  }
}

/** What the hints about Gateways are computed from beside the Gateway. */
interface GatewayContext {
  /** The Gateways that policies name. */
  readonly named: ReadonlySet<string>;
  readonly selectors: SelectorContext;
}

/**
 * A Gateway of another controller is a mistake when its class does not exist, when it has an MCP listener, or when a
 * policy names it; otherwise it is simply another one's.
 */
function* gatewayHints(
  inputs: ExplainInputs,
  key: string,
  gateway: Gateway,
  context: GatewayContext,
): Generator<Finding | undefined> {
  const state = inputs.translation.gateways.get(key);
  if (state?.kind === 'foreign') {
    const missing = gateway.className.ok && inputs.resources.GatewayClass.get(gateway.className.value) === undefined;
    if (missing || meansMcp(gateway) || context.named.has(key)) yield hint(foreignGateway(inputs, key, gateway));
  }
  if (state?.kind !== 'served') return;
  yield* selectorHints(key, gateway, state.scope, context.selectors);
  yield* portHints(key, gateway);
}

/** Ports that agentgateway uses itself unless it is told otherwise: admin, metrics, readiness. */
const portsOfAgentgateway: ReadonlySet<number> = new Set([15000, 15020, 15021]);

/** A node that cannot bind the port of a listener only logs it, and refuses nothing. */
function* portHints(key: string, { listeners }: Gateway): Generator<Finding> {
  const results = evaluateListeners(listeners);
  for (const [position, listener] of listeners.entries()) {
    const port = listener.ok && listener.value.port.ok ? listener.value.port.value : undefined;
    if (port === undefined || !portsOfAgentgateway.has(port) || results[position]?.outcome.accepted !== true) continue;
    const message = `Port ${port} is one that agentgateway uses itself, so that its nodes do not open the listener: choose another port, or move theirs (ADMIN_ADDR, STATS_ADDR, READINESS_ADDR).`;
    yield hint({ at: { kind: 'Gateway', key, path: ['spec', 'listeners', position, 'port'] }, message });
  }
}

function* labelsOfTargets(
  inputs: ExplainInputs,
): Generator<undefined, ReadonlyMap<string, ReadonlyMap<string, string>>> {
  const namespaces = new Set<string>();
  for (const [, { namespace }] of inputs.translation.targets.entries()) {
    namespaces.add(namespace);
    yield undefined;
  }
  const labelled = new Map<string, ReadonlyMap<string, string>>();
  for (const namespace of [...namespaces].sort()) {
    yield undefined;
    const labels = labelsOf(inputs, namespace);
    if (labels !== undefined) labelled.set(namespace, labels);
  }
  return labelled;
}

function hint({ at, message }: { readonly at: Place; readonly message: string }): Finding {
  return { severity: 'warning', from: 'hint', at, message };
}
