import { quoted } from '../json/quoted.ts';
import type { Gateway, LabelSelector } from '../resources/model.ts';
import { evaluateListeners, matches } from '../translate/translate.ts';
import { foreignGateway, meansMcp } from './gateways.ts';
import type { ExplainInputs, Finding, Place } from './model.ts';
import { nearestName } from './nearest.ts';
import { policyHints } from './policy-hints.ts';
import { labelsOf, wanted } from './targets.ts';

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
  const named = new Set<string>();
  for (const [key] of inputs.resources.MCPAuthPolicy.entries()) {
    yield* policyHints(inputs, key, { nearest, named });
    yield undefined;
  }
  const selecting = new Map<string, boolean>();
  const labelled = yield* labelsOfTargets(inputs);
  for (const [key, gateway] of inputs.resources.Gateway.entries()) {
    yield* gatewayHints(inputs, key, gateway, { named, labelled, selecting });
    yield undefined;
  }
}

/** What the hints about Gateways are computed from beside the Gateway. */
interface GatewayContext {
  /** The Gateways that policies name. */
  readonly named: ReadonlySet<string>;
  /** The labels of each namespace that has targets and known labels. */
  readonly labelled: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** By selector: whether it selects any of these. */
  readonly selecting: Map<string, boolean>;
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
  if (state?.kind === 'served') yield* selectorHints(key, gateway, context);
}

/** A selector that selects no namespace with a target, while there are some. */
function* selectorHints(
  key: string,
  gateway: Gateway,
  { labelled, selecting }: GatewayContext,
): Generator<Finding | undefined> {
  const [first] = labelled;
  if (first === undefined) return;
  const [namespace, labels] = first;
  for (const [position, { outcome }] of evaluateListeners(gateway.listeners).entries()) {
    yield undefined;
    if (!outcome.accepted || outcome.namespaces.from !== 'Selector') continue;
    const { selector } = outcome.namespaces;
    if (selector === undefined || selects(selector, labelled, selecting)) continue;
    const unmet = selector.requirements.filter((requirement) => !matches({ requirements: [requirement] }, labels));
    const path = ['spec', 'listeners', position, 'allowedRoutes', 'namespaces', 'selector'];
    const clauses = unmet.map((requirement) => wanted(requirement, labels)).join(' and ');
    const message = `This selector selects no namespace that has a target: it would select ${quoted(namespace)} if that Namespace ${clauses}. Label the Namespace, or correct the selector.`;
    yield hint({ at: { kind: 'Gateway', key, path }, message });
  }
}

/** Returns whether a selector selects any of the namespaces. Equal selectors of many Gateways are evaluated once. */
function selects(
  selector: LabelSelector,
  labelled: GatewayContext['labelled'],
  selecting: GatewayContext['selecting'],
): boolean {
  const key = JSON.stringify(selector.requirements);
  const known = selecting.get(key);
  if (known !== undefined) return known;
  const found = [...labelled.values()].some((labels) => matches(selector, labels));
  selecting.set(key, found);
  return found;
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
    const labels = labelsOf(inputs, namespace);
    if (labels !== undefined) labelled.set(namespace, labels);
  }
  return labelled;
}

function hint({ at, message }: { readonly at: Place; readonly message: string }): Finding {
  return { severity: 'warning', from: 'hint', at, message };
}
