import type { Collection, Derived, Graph, Index } from '../graph/model.ts';
import { type Allowance, allow, selectorsOf } from './gateway/allowed-namespaces.ts';
import { type GatewayVerdict, judgeGateway } from './gateway/gateway.ts';
import { type ClassVerdict, describeGatewayClass, judgeGatewayClass } from './gateway/gateway-class.ts';
import { type LabelledNamespace, labelPairs, select, selectorOf } from './gateway/namespace-selector.ts';
import type { Inputs } from './inputs.ts';
import type {
  Attachment,
  GatewayState,
  PolicyConfig,
  ServiceNotice,
  Target,
  Translation,
  TranslationSettings,
} from './model.ts';
import { labelNamespace } from './namespaces.ts';
import { attach, configOf, judgePolicy, type PolicyVerdict, type Reach, reachOf } from './policy/policy.ts';
import { settleGateway } from './scope.ts';
import { noticeOf, readService } from './service/service.ts';
import { describeGateway } from './status/gateway-conditions.ts';
import { describePolicy, policyNoticeOf } from './status/policy-conditions.ts';

export { createInputs, type Inputs } from './inputs.ts';
export type { TranslationSettings } from './model.ts';

/*
 * Which object names which:
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
 * Nobody reads all Services: a Gateway's state names namespaces and a Target its namespace, and whoever serves them
 * joins the two. Nothing that is served depends on a status or a notice.
 */

/**
 * Adds the whole translation to a graph: a pure function of the inputs, kept up to date at the cost of what changed.
 * `test/translate/cost.test.ts` counts what one edit costs.
 */
export function translate(graph: Graph, inputs: Inputs, settings: TranslationSettings): Translation {
  const services = translateServices(graph, inputs, settings);
  const gateways = translateGateways(graph, inputs, settings, services);
  const policies = translatePolicies(graph, inputs, gateways);
  const statuses = describe(graph, inputs, settings, { ...services, ...gateways, ...policies });
  return {
    targets: services.targets,
    configs: policies.configs,
    attachments: policies.attachments,
    gateways: gateways.states,
    serviceNotices: services.serviceNotices,
    ...statuses,
  };
}

interface Services {
  readonly targets: Collection<Target>;
  readonly serviceNotices: Collection<ServiceNotice>;
  /** The namespace of each target that exists: all that others have to know of it. */
  readonly homes: Collection<string>;
  /** Labels matter only of namespaces that have a target. */
  readonly labelled: Collection<LabelledNamespace>;
  readonly byLabel: Index<LabelledNamespace>;
}

/** Each Service by itself, and the labels of the namespaces where there are targets. */
function translateServices(
  graph: Graph,
  { resources, unlistedNamespaces }: Inputs,
  settings: TranslationSettings,
): Services {
  const services = graph.derive(resources.Service, (service) => readService(service, settings), { name: 'services' });
  const targets = graph.deriveMany(services, (service) => service.targets.map((target) => [target.name, target]), {
    name: 'targets',
  });
  const serviceNotices = graph.derive(services, noticeOf, { name: 'service-notices' });
  const homes = graph.derive(targets, (target): string => target.namespace, { name: 'target-homes' });
  const homesByNamespace = graph.index(homes, (namespace) => [namespace], { name: 'target-homes-by-namespace' });
  const inhabited = graph.groups(homesByNamespace, { name: 'namespaces-with-targets' });
  const sources = { objects: resources.Namespace, unlisted: unlistedNamespaces };
  const labelled = graph.derive(inhabited, (name, context) => labelNamespace(name, context, sources), {
    name: 'labelled-namespaces',
  });
  const byLabel = graph.index(labelled, labelPairs, { name: 'labelled-namespaces-by-label' });
  return { targets, serviceNotices, homes, labelled, byLabel };
}

interface Gateways {
  readonly classes: Derived<ClassVerdict>;
  readonly gatewayVerdicts: Derived<GatewayVerdict>;
  readonly allowances: Derived<Allowance>;
  readonly selections: Derived<readonly string[]>;
  readonly states: Derived<GatewayState>;
}

/** Each Gateway by itself and its class; each distinct selector once; then what a Gateway serves. */
function translateGateways(
  graph: Graph,
  { resources }: Inputs,
  { controllerName }: TranslationSettings,
  { labelled, byLabel }: Services,
): Gateways {
  const parameters = resources.GatewayParameters;
  const classes = graph.derive(
    resources.GatewayClass,
    (gatewayClass, context) => judgeGatewayClass(gatewayClass, context, { controllerName, parameters }),
    { name: 'gateway-classes' },
  );
  const gatewayVerdicts = graph.derive(
    resources.Gateway,
    (gateway, context) => judgeGateway(gateway, context, { classes, parameters }),
    { name: 'gateway-verdicts' },
  );
  const allowances = graph.derive(gatewayVerdicts, allow, { name: 'gateway-allowances' });
  const bySelector = graph.index(allowances, selectorsOf, { name: 'gateway-allowances-by-selector' });
  const selectors = graph.groups(bySelector, { name: 'selectors' });
  const selections = graph.derive(
    selectors,
    (key, context) => select(selectorOf(key), context, { namespaces: labelled, byLabel }),
    { name: 'selections' },
  );
  const states = graph.derive(allowances, (allowance, context) => settleGateway(allowance, context, selections), {
    name: 'gateways',
  });
  return { classes, gatewayVerdicts, allowances, selections, states };
}

interface Policies {
  readonly policyVerdicts: Derived<PolicyVerdict>;
  readonly configs: Derived<PolicyConfig>;
  readonly reaches: Derived<Reach>;
  readonly attachments: Derived<Attachment>;
}

/** Each policy by itself, its Config once for all Gateways, and the Gateways that get it. */
function translatePolicies(graph: Graph, { resources }: Inputs, { allowances }: Gateways): Policies {
  const policyVerdicts = graph.derive(resources.MCPAuthPolicy, judgePolicy, { name: 'policy-verdicts' });
  const configs = graph.derive(policyVerdicts, configOf, { name: 'configs' });
  const reaches = graph.derive(policyVerdicts, reachOf, { name: 'policy-reaches' });
  const attachments = graph.deriveMany(reaches, (reach, context, key) => attach(reach, context, key, allowances), {
    name: 'attachments',
  });
  return { policyVerdicts, configs, reaches, attachments };
}

type Statuses = Pick<Translation, 'gatewayClassStatuses' | 'gatewayStatuses' | 'policyStatuses' | 'policyNotices'>;

/** What people are told. */
function describe(
  graph: Graph,
  { resources, bundle }: Inputs,
  { controllerName }: TranslationSettings,
  derived: Services & Gateways & Policies,
): Statuses {
  const { policyVerdicts, configs, reaches, attachments, gatewayVerdicts, states } = derived;
  const reachesByGateway = graph.index(reaches, ({ gateways }) => gateways, { name: 'policy-reaches-by-gateway' });
  const ofClass = { ...derived, controllerName, bundle };
  const ofGateway = { ...derived, verdicts: gatewayVerdicts, states, reachesByGateway };
  const consequences = [configs, reaches, attachments];
  const ofPolicy = { ...derived, controllerName, verdicts: policyVerdicts, consequences, gateways: gatewayVerdicts };
  return {
    gatewayClassStatuses: graph.derive(
      resources.GatewayClass,
      (gatewayClass, context) => describeGatewayClass(gatewayClass, context, ofClass),
      { name: 'gateway-class-statuses' },
    ),
    gatewayStatuses: graph.derive(
      resources.Gateway,
      (gateway, context, key) => describeGateway(gateway, context, key, ofGateway),
      { name: 'gateway-statuses' },
    ),
    policyStatuses: graph.derive(
      resources.MCPAuthPolicy,
      (policy, context, key) => describePolicy(policy, context, key, ofPolicy),
      { name: 'policy-statuses' },
    ),
    policyNotices: graph.derive(policyVerdicts, policyNoticeOf, { name: 'policy-notices' }),
  };
}
