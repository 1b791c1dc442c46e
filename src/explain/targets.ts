import { quoted } from '../json/quoted.ts';
import type { LabelRequirement, OtherPort, RouteNamespaces } from '../resources/model.ts';
import { mcpAppProtocols } from '../resources/resources.ts';
import { evaluateListeners, labelNamespace, unmetRequirements } from '../translate/translate.ts';
import type { ExplainInputs, Place, Reason } from './model.ts';
import { keysOf, nearestName } from './nearest.ts';

/** The target that a name begins with; undefined for `*` and for a name without one. */
export function targetOf(name: string): string | undefined {
  const colon = name.indexOf(':');
  return colon > 0 ? name.slice(0, colon) : undefined;
}

/** Returns whether a Gateway serves a target. */
export function isServed({ translation }: ExplainInputs, gateway: string, target: string): boolean {
  const found = translation.targets.get(target);
  const state = translation.gateways.get(gateway);
  if (found === undefined || state?.kind !== 'served') return false;
  const { scope } = state;
  return scope.kind === 'all' || (scope.kind === 'namespaces' && scope.namespaces.includes(found.namespace));
}

/** The names of the targets that a Gateway serves, sorted. */
export function servedTargets(inputs: ExplainInputs, gateway: string): readonly string[] {
  const state = inputs.translation.gateways.get(gateway);
  if (state?.kind !== 'served' || state.scope.kind === 'none') return [];
  const namespaces = state.scope.kind === 'all' ? undefined : new Set<string>(state.scope.namespaces);
  const served = [...inputs.translation.targets.entries()].filter(
    ([, { namespace }]) => namespaces?.has(namespace) ?? true,
  );
  return served.map(([name]) => name).sort();
}

/** Why a Gateway does not serve a target; undefined when it does. */
export function targetReason(inputs: ExplainInputs, gateway: string, target: string): Reason | undefined {
  if (inputs.translation.targets.get(target) === undefined) {
    const { at, message } = unknownTarget(inputs, target);
    return { code: 'target-unknown', at, message };
  }
  if (inputs.translation.gateways.get(gateway)?.kind !== 'served' || isServed(inputs, gateway, target))
    return undefined;
  const namespace = target.slice(0, target.indexOf('/'));
  const message = `Gateway ${gateway} does not serve the target ${quoted(target)}: ${notAllowed(inputs, gateway, namespace)}`;
  return { code: 'target-not-served', at: { kind: 'Gateway', key: gateway, path: ['spec', 'listeners'] }, message };
}

/** Why no Service makes a target of this name, and the field to correct. */
export function unknownTarget(
  inputs: ExplainInputs,
  target: string,
  nearest: typeof nearestName = nearestName,
): { readonly at: Place | undefined; readonly message: string } {
  const [namespace = '', name = '', port] = target.split('/');
  const key = `${namespace}/${name}`;
  const service = inputs.resources.Service.get(key);
  if (service === undefined) {
    const near =
      withoutNamespace(inputs, target) ??
      nearest(target, keysOf(inputs.translation.targets)) ??
      inAnotherNamespace(inputs, target);
    const remedy =
      near === undefined
        ? 'a target is named after its Service, <namespace>/<service>. Create that Service, or correct the name.'
        : `the nearest target is ${quoted(near)}.`;
    return { at: undefined, message: `No Service makes the target ${quoted(target)}: ${remedy}` };
  }
  const at: Place = { kind: 'Service', key, path: ['spec', 'ports'] };
  if (service.mcpPorts.length === 0) {
    const meant = service.otherPorts.find(({ reported }) => reported) ?? service.otherPorts[0];
    const path = meant === undefined ? at.path : [...at.path, meant.position, 'appProtocol'];
    return { at: { ...at, path }, message: `Service ${key} makes no target: ${missingProtocol(meant)}` };
  }
  const [made] = inputs.translation.serviceNotices.get(key)?.dropped ?? [];
  if (made !== undefined) return { at: { ...at, path: [] }, message: `Service ${key} makes no such target: ${made}` };
  const message = `Service ${key} makes no target ${quoted(target)}: the first MCP port has the name ${quoted(key)}, and each further one its number behind it${port === undefined ? '' : `; it has no further port ${port}`}.`;
  return { at, message };
}

/** Gateways in whose namespaces a target that is named without one is looked for. */
const mostNamespaces = 100;

/** The target that a name without a namespace probably means: one in the namespace of a Gateway. */
export function withoutNamespace({ resources, translation }: ExplainInputs, target: string): string | undefined {
  if (target.includes('/')) return undefined;
  let left = mostNamespaces;
  for (const gateway of keysOf(resources.Gateway)) {
    if (left === 0) break;
    left -= 1;
    const name = `${gateway.slice(0, gateway.indexOf('/'))}/${target}`;
    if (translation.targets.get(name) !== undefined) return name;
  }
  return undefined;
}

const mostTargets = 1_000;

/** The target of a Service of the same name in another namespace, of the first {@link mostTargets}. */
function inAnotherNamespace({ translation }: ExplainInputs, target: string): string | undefined {
  const slash = target.indexOf('/');
  if (slash === -1) return undefined;
  const ending = target.slice(slash);
  let left = mostTargets;
  for (const key of keysOf(translation.targets)) {
    if (left === 0) break;
    left -= 1;
    if (key.slice(key.indexOf('/')) === ending) return key;
  }
  return undefined;
}

function missingProtocol(port: OtherPort | undefined): string {
  if (port === undefined) return 'it has no TCP port. Write one with "appProtocol: kgateway.dev/mcp".';
  if (port.appProtocol === undefined) {
    return `spec.ports[${port.position}] has no appProtocol. Write "appProtocol: kgateway.dev/mcp".`;
  }
  const near = nearestName(port.appProtocol, mcpAppProtocols) ?? 'kgateway.dev/mcp';
  return `spec.ports[${port.position}].appProtocol is ${quoted(port.appProtocol)}, which does not say MCP. Write ${quoted(near)}.`;
}

/** Why no listener of a Gateway allows the targets of a namespace, and what would. A clause with its remedy. */
export function notAllowed(inputs: ExplainInputs, gateway: string, namespace: string): string {
  const written = inputs.resources.Gateway.get(gateway)?.listeners ?? [];
  const why = evaluateListeners(written).map(({ name = '(unnamed)', outcome }) =>
    outcome.accepted
      ? `the listener ${quoted(name)} ${restriction(inputs, outcome.namespaces, namespace)}`
      : `the listener ${quoted(name)} is not accepted (${outcome.message})`,
  );
  if (why.length === 0) return 'it has no listener. Write one with the protocol kgateway.dev/mcp.';
  return `no listener allows the namespace ${quoted(namespace)}; ${why.slice(0, mostListeners).join('; ')}.`;
}

/** Listeners that an explanation lists. */
const mostListeners = 5;

function restriction(inputs: ExplainInputs, namespaces: RouteNamespaces, namespace: string): string {
  if (namespaces.from === 'All') return 'allows all';
  if (namespaces.from === 'Same') return 'allows the own namespace only, and would allow it with "from: All"';
  const { selector, selectorError } = namespaces;
  if (selector === undefined) return `selects nothing (${selectorError ?? 'its selector is missing'})`;
  const labels = labelsOf(inputs, namespace);
  if (labels === undefined) return `selects by labels, and those of the Namespace ${quoted(namespace)} are unknown`;
  const unmet = unmetRequirements(selector, labels);
  return `would allow it if the Namespace ${quoted(namespace)} ${unmet.map((one) => wanted(one, labels)).join(' and ')}`;
}

/** The labels of a namespace, as the translation sees them; undefined when they are unknown. */
export function labelsOf(inputs: ExplainInputs, namespace: string): ReadonlyMap<string, string> | undefined {
  const sources = { objects: inputs.resources.Namespace, unlisted: inputs.unlistedNamespaces };
  return labelNamespace(namespace, { get: (collection, key) => collection.get(key) }, sources)?.labels;
}

/** What a requirement asks of the labels of a namespace: a clause that begins with a verb. */
export function wanted(requirement: LabelRequirement, labels: ReadonlyMap<string, string>): string {
  const { key } = requirement;
  const value = labels.get(key);
  const near = value === undefined ? nearestName(key, labels.keys()) : undefined;
  const has =
    value === undefined ? (near === undefined ? '' : ` (it has ${quoted(near)})`) : ` (it is ${quoted(value)})`;
  switch (requirement.operator) {
    case 'In':
      return `had the label ${key}=${requirement.values.join(' or ')}${has}`;
    case 'NotIn':
      return `had no label ${key}=${requirement.values.join(' nor ')}${has}`;
    case 'Exists':
      return `had a label ${key}${has}`;
    case 'DoesNotExist':
      return `had no label ${key}${has}`;
  }
}
