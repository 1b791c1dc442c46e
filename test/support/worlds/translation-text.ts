import type {
  Condition,
  GatewayState,
  GatewayStatus,
  JwtProvider,
  ListenerStatus,
  PolicyConfig,
  PolicyStatus,
  Rule,
  Target,
  Translation,
} from '../../../src/translate/model.ts';

/** The whole output of a translation as plain data in a fixed order, readable and comparable. */
export function translationText(translation: Translation): Record<string, unknown> {
  return withoutEmpty({
    gateways: gatewaysText(translation),
    gatewayClasses: sorted(translation.gatewayClassStatuses.entries(), ({ conditions }) => conditions.map(line)),
    gatewayStatuses: sorted(translation.gatewayStatuses.entries(), gatewayStatusText),
    gatewaysWithoutClass: sorted(translation.gatewaysWithoutClass.entries(), ({ status }) =>
      status.conditions.map(line),
    ),
    policies: sorted(translation.policyStatuses.entries(), policyStatusText),
    policyNotices: sorted(translation.policyNotices.entries(), ({ unwritable }) => unwritable),
    jwksUris: [...translation.jwksUris.entries()].map(([uri]) => uri).sort(),
    keyNotices: sorted(translation.keyNotices.entries(), ({ failures }) => failures),
    services: sorted(translation.serviceNotices.entries(), ({ dropped, warnings }) =>
      withoutEmpty({ dropped, warnings }),
    ),
  });
}

/** The resources of each Gateway, joined as the snapshots join them: targets by scope, Configs by attachment. */
function gatewaysText(translation: Translation): Record<string, unknown> {
  return sorted(translation.gateways.entries(), (state, key) => {
    if (state.kind !== 'served') return state.kind;
    return {
      scope: state.scope.kind === 'namespaces' ? state.scope.namespaces : state.scope.kind,
      targets: Object.fromEntries(targetsOf(translation, state).map((target) => [target.name, urlText(target)])),
      configs: Object.fromEntries(
        configsOf(translation, key).map((config) => [`${config.namespace}.${config.name}`, config.rules.map(ruleText)]),
      ),
      ...jwtText(translation.jwtProviders.get(key)),
    };
  });
}

/** The signers of a Gateway, the keys by their ids; nothing for a Gateway of which no policy says who may sign tokens. */
function jwtText(providers: readonly JwtProvider[] | undefined): { readonly jwt?: readonly unknown[] } {
  if (providers === undefined) return {};
  return {
    jwt: providers.map(({ issuer, audiences, keys, ...metadata }) => ({
      issuer,
      audiences,
      keys: keys.map(({ kid }) => kid),
      ...metadata,
    })),
  };
}

/** The targets that a Gateway in this state is served, in bytewise order. */
export function targetsOf(translation: Translation, state: GatewayState): readonly Target[] {
  if (state.kind !== 'served' || state.scope.kind === 'none') return [];
  const { scope } = state;
  const served = [...translation.targets.entries()]
    .map(([, target]) => target)
    .filter(({ namespace }) => scope.kind === 'all' || scope.namespaces.includes(namespace));
  return served.sort((a, b) => compare(a.name, b.name));
}

/** The Configs that a Gateway is served, in bytewise order. */
export function configsOf(translation: Translation, gateway: string): readonly PolicyConfig[] {
  const configs = [...translation.attachments.entries()].flatMap(([, attachment]) => {
    const config = translation.configs.get(attachment.policy);
    return attachment.gateway === gateway && config !== undefined ? [config] : [];
  });
  return configs.sort((a, b) => compare(`${a.namespace}.${a.name}`, `${b.namespace}.${b.name}`));
}

/** A rule in one line. */
export function ruleText({ claim, value, kind, id }: Rule): string {
  return `${kind} ${id} when ${claim} is ${value}`;
}

function urlText({ host, port, path }: Target): string {
  return `${host}:${port}${path}`;
}

function gatewayStatusText({ conditions, addresses, listeners }: GatewayStatus): unknown {
  return withoutEmpty({
    conditions: conditions.map(line),
    addresses: addresses.map(({ type, value }) => `${type} ${value}`),
    listeners: Object.fromEntries(listeners.map((listener) => [listener.name, listenerText(listener)])),
  });
}

/** Checks the constant fields, and omits them. */
function listenerText({ conditions, supportedKinds, attachedRoutes }: ListenerStatus): readonly string[] {
  if (supportedKinds.length !== 0 || attachedRoutes !== 0) throw new Error('an MCP listener has no routes');
  return conditions.map(line);
}

function policyStatusText({ ancestors }: PolicyStatus): unknown {
  return ancestors.map(({ ancestorRef, controllerName, conditions }) => ({
    ancestor: { ...ancestorRef },
    controllerName,
    conditions: conditions.map(line),
  }));
}

function line({ type, status, reason, message, observedGeneration }: Condition): string {
  const generation = observedGeneration === undefined ? '' : ` (generation ${observedGeneration})`;
  return `${type} ${status}/${reason}${generation}: ${message}`;
}

function sorted<V>(
  entries: Iterable<readonly [string, V]>,
  text: (value: V, key: string) => unknown,
): Record<string, unknown> {
  const list = [...entries].sort(([a], [b]) => compare(a, b));
  return Object.fromEntries(list.map(([key, value]) => [key, text(value, key)]));
}

/** Names are ASCII: code units and bytes have one order. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function withoutEmpty(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).filter(
      ([, value]) => typeof value === 'object' && value !== null && Object.keys(value).length > 0,
    ),
  );
}
