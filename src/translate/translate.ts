import type { Collection, Derived, Graph, Index } from '../graph/model.ts';
import {
  maxSelectedNamespaces,
  resolveGateways,
  type UnresolvedGateway,
  unresolvedGateway,
} from './gateway/allowed-namespaces.ts';
import { acceptedListeners, evaluateGateway, type GatewayResult } from './gateway/gateway.ts';
import { evaluateGatewayClass, type GatewayClassResult } from './gateway/gateway-class.ts';
import { type LabelledNamespace, labelIndexValues, labelNamespace } from './gateway/namespace-selector.ts';
import { type SelectorSet, selectNamespaces, selectorSetFromKey } from './gateway/selector-set.ts';
import type { Inputs } from './inputs.ts';
import type {
  Attachment,
  GatewayState,
  PolicyConfig,
  ServiceNotice,
  Target,
  Translation,
  TranslationRoom,
  TranslationSettings,
} from './model.ts';
import {
  type AttachmentCandidate,
  attach,
  attachmentCandidates,
  attachmentKey,
  evaluatePolicy,
  type PolicyResult,
  type PolicyTargets,
  policyConfig,
  policyTargets,
} from './policy/policy.ts';
import { deriveCrowdedClaims, deriveSelectorClaims, hasRoom } from './selection-room.ts';
import { evaluateService, serviceNotice } from './service/service.ts';
import { maxKeyBytes, type Signers, translateSigners } from './signers.ts';
import { gatewayClassStatus } from './status/gateway-class-conditions.ts';
import { gatewayStatus, gatewayWithoutClass } from './status/gateway-conditions.ts';
import { policyNotice, policyStatus } from './status/policy-conditions.ts';

export { deriveCrowded, nextPowerOfTwo, type RoomClaim } from './fair-room.ts';
export { evaluateListeners } from './gateway/listeners.ts';
export { compileSelector, labelNamespace, matches, unmetRequirements } from './gateway/namespace-selector.ts';
export { createInputs, type Inputs } from './inputs.ts';
export type { TranslationSettings } from './model.ts';

/*
 * References between objects:
 *
 *   GatewayParameters ◄── parametersRef ── GatewayClass ◄── gatewayClassName ──┐
 *          ▲                                                                   │
 *          └────────────────────────── parametersRef ─────────────────────── Gateway ◄── targetRefs ── MCPAuthPolicy
 *                                                                              │                             │
 *                                        allowedRoutes: All, Same, Selector ───┤                             │
 *                                                                              ▼                             │
 *                                                 Service ── stands in ──► Namespace                         │
 *                                                    ▲                                                       │
 *                                                    └──────────── rules name <target>:<item> ───────────────┘
 *
 * No transformation reads all Services: the state of a Gateway names namespaces, a Target names its namespace, and
 * snapshot/ joins the two. No output that is served depends on a status or a notice.
 */

const defaultRoom: TranslationRoom = { selectedNamespaces: maxSelectedNamespaces, keyBytes: maxKeyBytes };

/**
 * Adds the translation to a graph: a pure function of the inputs, updated at the cost of what changed.
 * `test/translate/cost.test.ts` counts the cost of one edit.
 */
export function translate(graph: Graph, inputs: Inputs, settings: TranslationSettings): Translation {
  const services = translateServices(graph, inputs, settings);
  const gateways = translateGateways(graph, inputs, settings, services);
  const policyResults = graph.derive(inputs.resources.MCPAuthPolicy, evaluatePolicy, { name: 'policy-results' });
  const signers = translateSigners(graph, inputs, policyResults, gateways, settings.room ?? defaultRoom);
  const policies = translatePolicies(graph, policyResults, { ...gateways, ...signers });
  const statuses = deriveStatuses(graph, inputs, settings, { ...services, ...gateways, ...signers, ...policies });
  return {
    targets: services.targets,
    configs: policies.configs,
    attachments: policies.attachments,
    ...attachmentLookups(graph, policies, gateways),
    gateways: gateways.states,
    jwtProviders: signers.jwtProviders,
    jwksUris: signers.jwksUris,
    keyNotices: signers.keyNotices,
    serviceNotices: services.serviceNotices,
    ...statuses,
    deriveListeners: () =>
      graph.derive(
        inputs.resources.Gateway,
        (gateway, context, key) => acceptedListeners(gateway, context.get(gateways.gatewayResults, key)),
        { name: 'accepted-listeners' },
      ),
  };
}

interface Services {
  readonly targets: Collection<Target>;
  readonly serviceNotices: Collection<ServiceNotice>;
  /** The namespace of each target, by target name: the only part that other transformations read. */
  readonly targetNamespaces: Collection<string>;
  /** Namespaces with a target and known labels; the labels of other namespaces have no effect. */
  readonly labelledNamespaces: Collection<LabelledNamespace>;
  readonly namespacesByLabel: Index<LabelledNamespace>;
}

/** Evaluates each Service on its own, and the labels of the namespaces that have targets. */
function translateServices(
  graph: Graph,
  { resources, unlistedNamespaces }: Inputs,
  settings: TranslationSettings,
): Services {
  const services = graph.derive(resources.Service, (service) => evaluateService(service, settings), {
    name: 'services',
  });
  const targets = graph.deriveMany(services, (service) => service.targets.map((target) => [target.name, target]), {
    name: 'targets',
  });
  const serviceNotices = graph.derive(services, serviceNotice, { name: 'service-notices' });
  const targetNamespaces = graph.derive(targets, (target): string => target.namespace, { name: 'target-namespaces' });
  const targetsByNamespace = graph.index(targetNamespaces, (namespace) => [namespace], {
    name: 'targets-by-namespace',
  });
  const namespacesWithTargets = graph.indexValues(targetsByNamespace, { name: 'namespaces-with-targets' });
  const sources = { objects: resources.Namespace, unlisted: unlistedNamespaces };
  const labelledNamespaces = graph.derive(
    namespacesWithTargets,
    (name, context) => labelNamespace(name, context, sources),
    { name: 'labelled-namespaces' },
  );
  const namespacesByLabel = graph.index(labelledNamespaces, labelIndexValues, {
    name: 'labelled-namespaces-by-label',
  });
  return { targets, serviceNotices, targetNamespaces, labelledNamespaces, namespacesByLabel };
}

interface Gateways {
  readonly classes: Derived<GatewayClassResult>;
  readonly gatewayResults: Derived<GatewayResult>;
  readonly unresolvedGateways: Derived<UnresolvedGateway>;
  /** By their keys. */
  readonly selectorSets: Derived<SelectorSet>;
  /** The names of the selected namespaces, by the key of the selectors. */
  readonly selections: Derived<readonly string[]>;
  /** The keys of the sets of selectors that have no room, with the namespaces of their Gateways. */
  readonly crowdedClaims: Collection<true>;
  readonly states: Derived<GatewayState>;
}

/** Evaluates each Gateway with its class, each distinct set of selectors once, and then the scope of each Gateway. */
function translateGateways(
  graph: Graph,
  { resources }: Inputs,
  { controllerName, room = defaultRoom }: TranslationSettings,
  { labelledNamespaces, namespacesByLabel }: Services,
): Gateways {
  const parameters = resources.GatewayParameters;
  const classes = graph.derive(
    resources.GatewayClass,
    (gatewayClass, context) => evaluateGatewayClass(gatewayClass, context, { controllerName, parameters }),
    { name: 'gateway-classes' },
  );
  const gatewayResults = graph.derive(
    resources.Gateway,
    (gateway, context) => evaluateGateway(gateway, context, { classes, parameters }),
    { name: 'gateway-results' },
  );
  const unresolvedGateways = graph.derive(gatewayResults, unresolvedGateway, { name: 'unresolved-gateways' });
  const claims = deriveSelectorClaims(graph, unresolvedGateways);
  const selectorKeys = graph.indexValues(claims.bySelectors, { name: 'selectors' });
  const selectorSets = graph.derive(selectorKeys, selectorSetFromKey, { name: 'selector-sets' });
  const indexed = { namespaces: labelledNamespaces, byLabel: namespacesByLabel };
  const crowdedClaims = deriveCrowdedClaims(graph, claims, selectorSets, {
    indexed,
    limit: room.selectedNamespaces,
  });
  const select = selectNamespaces(indexed, (key, context) => hasRoom(key, context, claims, crowdedClaims));
  const selections = graph.derive(selectorSets, select, { name: 'selections' });
  const resolve = resolveGateways({ selections, crowdedClaims });
  const states = graph.derive(unresolvedGateways, resolve, { name: 'gateways' });
  return { classes, gatewayResults, unresolvedGateways, selectorSets, selections, crowdedClaims, states };
}

interface Policies {
  readonly policyResults: Derived<PolicyResult>;
  readonly configs: Derived<PolicyConfig>;
  readonly targetsOfPolicies: Derived<PolicyTargets>;
  /** The policies that name a Gateway, attached or not. */
  readonly policiesByGateway: Index<PolicyTargets>;
  readonly candidates: Derived<AttachmentCandidate>;
  readonly attachments: Derived<Attachment>;
}

/** The Config of each policy, once for all Gateways, and the Gateways that it is attached to. */
function translatePolicies(graph: Graph, policyResults: Derived<PolicyResult>, gateways: Gateways & Signers): Policies {
  const configs = graph.derive(policyResults, policyConfig, { name: 'configs' });
  const targetsOfPolicies = graph.derive(policyResults, policyTargets, { name: 'policy-targets' });
  const policiesByGateway = graph.index(targetsOfPolicies, ({ gateways }) => gateways, { name: 'policies-by-gateway' });
  const candidates = graph.deriveMany(
    targetsOfPolicies,
    (targets, _context, key) => attachmentCandidates(targets, key),
    { name: 'attachment-candidates' },
  );
  const attachments = graph.derive(candidates, (candidate, context) => attach(candidate, context, gateways), {
    name: 'attachments',
  });
  return { policyResults, configs, targetsOfPolicies, policiesByGateway, candidates, attachments };
}

/** Finds attachments without a walk over all of them. A policy names Gateways of its own namespace only. */
function attachmentLookups(
  graph: Graph,
  { targetsOfPolicies, policiesByGateway, attachments }: Policies,
  { states }: Gateways,
): Pick<Translation, 'attachedPolicies' | 'attachedGateways'> {
  const isAttached = (gateway: string, policy: string): boolean =>
    states.get(gateway)?.kind === 'served' && attachments.get(attachmentKey(gateway, policy)) !== undefined;
  return {
    attachedPolicies: (gateway) => {
      const namespace = gateway.slice(0, gateway.indexOf('/'));
      const named = graph.members(policiesByGateway, gateway).map(({ name }) => `${namespace}/${name}`);
      return named.filter((policy) => isAttached(gateway, policy));
    },
    attachedGateways: (policy) =>
      (targetsOfPolicies.get(policy)?.gateways ?? []).filter((gateway) => isAttached(gateway, policy)),
  };
}

type Statuses = Pick<
  Translation,
  'gatewayClassStatuses' | 'gatewayStatuses' | 'gatewaysWithoutClass' | 'policyStatuses' | 'policyNotices'
>;

/**
 * Statuses of policies that one commit computes. A Gateway that comes or goes changes those of all its policies, which are
 * the dearest part of it, and nothing that is served.
 */
const statusesAtOnce = 250;

/** Derives the conditions of all objects, and the notices about policies. */
function deriveStatuses(
  graph: Graph,
  { resources, bundle }: Inputs,
  { controllerName }: TranslationSettings,
  derived: Services & Gateways & Signers & Policies,
): Statuses {
  const { policyResults, configs, targetsOfPolicies, policiesByGateway, candidates } = derived;
  const classInputs = { ...derived, controllerName, bundle };
  const gatewayInputs = { ...derived, policiesByGateway };
  const derivedFromPolicies = [configs, targetsOfPolicies, candidates, derived.jwtClaims, derived.policyJwts];
  const policyInputs = { ...derived, controllerName, derivedFromPolicies };
  return {
    gatewayClassStatuses: graph.derive(
      resources.GatewayClass,
      (gatewayClass, context) => gatewayClassStatus(gatewayClass, context, classInputs),
      { name: 'gateway-class-statuses', whole: true },
    ),
    gatewayStatuses: graph.derive(
      resources.Gateway,
      (gateway, context, key) => gatewayStatus(gateway, context, key, gatewayInputs),
      { name: 'gateway-statuses', whole: true },
    ),
    gatewaysWithoutClass: graph.derive(
      derived.gatewayResults,
      (result, context, key) => (result.kind === 'foreign' ? gatewayWithoutClass(key, context, resources) : undefined),
      { name: 'gateways-without-class', whole: true },
    ),
    policyStatuses: graph.derive(
      resources.MCPAuthPolicy,
      (policy, context, key) => policyStatus(policy, context, key, policyInputs),
      { name: 'policy-statuses', whole: true, atOnce: statusesAtOnce },
    ),
    policyNotices: graph.derive(policyResults, policyNotice, { name: 'policy-notices', whole: true }),
  };
}
