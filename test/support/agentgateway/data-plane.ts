import {
  type Backend,
  type Bind,
  type Listener,
  type Policy,
  Protocol,
  Resource,
  type Route,
  type TrafficPolicySpec_JWT,
  TrafficPolicySpec_JWT_Mode,
} from '../../../src/gen/agentgateway/dev/resource/resource.ts';
import { type CallerClaims, decide, type McpCall, type RuleSet } from './authorization.ts';

/** An entry of the JSON array with which agentgateway answers; `warn` alone means that the resource was applied. */
export type Reject = { readonly key: string; readonly error: string } | { readonly key: string; readonly warn: string };

/** A token; the signature is taken for valid when a provider has its `kid`. */
interface Token {
  readonly kid: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The answer to a call: the status of the HTTP response, and whether the target was asked. */
export type Answer = 'refused' | 'unauthenticated' | 'not found' | 'failed' | 'denied' | 'allowed';

export interface Call extends McpCall {
  readonly port: number;
  readonly token?: Token;
}

interface BoundBind extends Bind {
  readonly listeners: ReadonlyMap<string, Listener>;
}

/**
 * How listeners and Binds belong together. `1.4`, and earlier: a listener stays in the Bind that it named first, and goes
 * with it. `later`, in its source of August 2026: it is in the Bind that it named last, and survives it.
 */
export type Release = '1.4' | 'later';

const kinds = ['bind', 'listener', 'route', 'backend', 'policy'] as const;
type Kind = (typeof kinds)[number];

/**
 * A model of agentgateway 1.x as the receiver of resources, after its source at 1.4.1 (`store/binds.rs`,
 * `types/agent_xds.rs`, `mcp/router.rs`): where it keeps things under old keys, what it rejects, and what stands open in
 * it when something is absent.
 */
export class AgentgatewayDataPlane {
  /** Resource name → kind and key: removals go by this map. */
  readonly #names = new Map<string, { readonly kind: Kind; readonly key: string }>();
  readonly #binds = new Map<string, BoundBind>();
  readonly #pendingListeners = new Map<string, Map<string, Listener>>();
  /** By the key of the listener; a route that names another listener later stays here too. */
  readonly #routes = new Map<string, Map<string, Route>>();
  readonly #backends = new Map<string, Backend>();
  readonly #policies = new Map<string, Policy>();
  readonly #release: Release;

  constructor(release: Release = '1.4') {
    this.#release = release;
  }

  /** Applies one response as one step: updates in their order, and then removals. */
  apply(
    updates: readonly { readonly name: string; readonly value: Uint8Array }[],
    removed: readonly string[],
  ): Reject[] {
    const rejects = updates.flatMap(({ name, value }) => this.#update(name, Resource.decode(value)));
    for (const name of removed) this.#remove(name);
    return rejects;
  }

  /** The names that it would report on a new stream. */
  names(): readonly string[] {
    return [...this.#names.keys()];
  }

  /** The sockets that are open. */
  ports(): readonly number[] {
    return [...this.#binds.values()].map(({ port }) => port).sort((a, b) => a - b);
  }

  call({ port, token, ...call }: Call): Answer {
    const bind = [...this.#binds.values()].find((one) => one.port === port);
    if (bind === undefined) return 'refused';
    const listener = bind.listeners.values().next().value;
    const route = listener && this.#routeOf(listener.key);
    if (listener?.name === undefined || route === undefined) return 'not found';
    const policies = this.#policiesOf(listener.name.gatewayNamespace, listener.name.gatewayName);
    const caller = authenticate(policies, token);
    if (caller === 'unauthenticated') return caller;
    const backend = this.#backendOf(route);
    if (backend?.kind?.$case !== 'mcp') return 'failed';
    const { targets } = backend.kind.value;
    // One reference without a Backend fails the request, whatever target it is for.
    const found = targets.map((target) => this.#backends.get(target.backend?.kind?.value ?? ''));
    if (found.some((one) => one?.kind?.$case !== 'static')) return 'failed';
    const rules = [...policies, ...backend.inlinePolicies.map((spec) => ({ backend: spec }))];
    if (!targets.some(({ name }) => name === call.target)) return 'not found';
    return decide(rules.flatMap(mcpRules), caller.claims, call) ? 'allowed' : 'denied';
  }

  /** The address behind a target that an allowed call reaches. */
  addressOf(target: string): string {
    const kind = this.#backends.get(target)?.kind;
    return kind?.$case === 'static' ? `${kind.value.host}:${kind.value.port}` : '';
  }

  #update(name: string, { kind }: Resource): Reject[] {
    if (kind === undefined) return [{ key: name, error: 'unknown resource type' }];
    // Noted before the conversion, so that the removal of a rejected resource removes what it was before.
    this.#names.set(name, { kind: kind.$case, key: kind.value.key });
    const error = this.#insert(kind);
    return error === undefined ? [] : [{ key: name, error }];
  }

  #insert(kind: NonNullable<Resource['kind']>): string | undefined {
    switch (kind.$case) {
      case 'bind':
        return this.#insertBind(kind.value);
      case 'listener':
        return this.#insertListener(kind.value);
      case 'route':
        if (kind.value.name === undefined) return 'missing required field';
        entryOf(this.#routes, kind.value.listenerKey).set(kind.value.key, kind.value);
        return undefined;
      case 'backend': {
        const error = backendError(kind.value);
        if (error === undefined) this.#backends.set(kind.value.key, kind.value);
        return error;
      }
      case 'policy': {
        const error = policyError(kind.value);
        if (error === undefined) this.#policies.set(kind.value.key, kind.value);
        return error;
      }
    }
  }

  #insertBind(bind: Bind): undefined {
    const pending = this.#pendingListeners.get(bind.key);
    this.#pendingListeners.delete(bind.key);
    const known = this.#binds.get(bind.key);
    const listeners = new Map([...(known?.listeners ?? []), ...(pending ?? [])]);
    // The socket of a known key stays at its port.
    this.#binds.set(bind.key, { ...bind, port: known?.port ?? bind.port, listeners });
  }

  #insertListener(listener: Listener): string | undefined {
    if (listener.name === undefined) return 'missing required field';
    if (listener.protocol === Protocol.UNKNOWN) return 'unknown protocol';
    if (this.#release === 'later') this.#forgetListener(listener.key);
    const bind = this.#binds.get(listener.bindKey);
    if (bind === undefined) entryOf(this.#pendingListeners, listener.bindKey).set(listener.key, listener);
    // Where the same listener stands in another Bind, it stays there.
    else this.#binds.set(bind.key, { ...bind, listeners: new Map(bind.listeners).set(listener.key, listener) });
    return undefined;
  }

  #remove(name: string): void {
    const known = this.#names.get(name);
    if (known === undefined) return;
    this.#names.delete(name);
    const { kind, key } = known;
    if (kind === 'bind') this.#removeBind(key);
    if (kind === 'backend') this.#backends.delete(key);
    if (kind === 'policy') this.#policies.delete(key);
    if (kind === 'route') for (const routes of this.#routes.values()) routes.delete(key);
    if (kind === 'listener' && this.#release === 'later') this.#forgetListener(key);
    else if (kind === 'listener') this.#removeListener(key);
  }

  #removeBind(key: string): void {
    const listeners = this.#binds.get(key)?.listeners;
    this.#binds.delete(key);
    if (this.#release === 'later' && listeners !== undefined) this.#pendingListeners.set(key, new Map(listeners));
  }

  /** Removes it wherever it is. */
  #forgetListener(key: string): void {
    for (const pending of this.#pendingListeners.values()) pending.delete(key);
    for (const bind of this.#binds.values()) {
      const listeners = new Map(bind.listeners);
      if (listeners.delete(key)) this.#binds.set(bind.key, { ...bind, listeners });
    }
  }

  /** Removes it from the first Bind that has it. */
  #removeListener(key: string): void {
    const bind = [...this.#binds.values()].find(({ listeners }) => listeners.has(key));
    if (bind === undefined) return;
    const listeners = new Map(bind.listeners);
    listeners.delete(key);
    this.#binds.set(bind.key, { ...bind, listeners });
  }

  /** The first route that matches any path; a route without a match never does. */
  #routeOf(listener: string): Route | undefined {
    const routes = [...(this.#routes.get(listener)?.values() ?? [])];
    return routes.find(({ matches }) => matches.some(({ path }) => path?.kind?.value === '/' || path === undefined));
  }

  #backendOf({ backends }: Route): Backend | undefined {
    const reference = backends.find(({ weight }) => weight > 0)?.backend?.kind?.value;
    return reference === undefined ? undefined : this.#backends.get(reference);
  }

  #policiesOf(namespace: string, name: string): readonly PolicyKinds[] {
    return [...this.#policies.values()].flatMap(({ target, kind }): PolicyKinds[] => {
      const gateway = target?.kind?.value;
      if (gateway?.name !== name || gateway.namespace !== namespace) return [];
      if (kind?.$case === 'backend') return [{ backend: kind.value }];
      return kind?.value.kind === undefined ? [] : [{ jwt: kind.value.kind.value }];
    });
  }
}

interface PolicyKinds {
  readonly jwt?: TrafficPolicySpec_JWT;
  readonly backend?: Backend['inlinePolicies'][number];
}

function mcpRules({ backend }: PolicyKinds): RuleSet[] {
  return backend?.kind?.$case === 'mcpAuthorization' ? [backend.kind.value] : [];
}

/** Without a policy, the request passes without claims; so it does without a token unless the mode is STRICT. */
function authenticate(
  policies: readonly PolicyKinds[],
  token: Token | undefined,
): { readonly claims: CallerClaims } | 'unauthenticated' {
  const [jwt] = policies.flatMap((policy) => policy.jwt ?? []);
  if (jwt === undefined) return { claims: undefined };
  if (token === undefined) {
    return jwt.mode === TrafficPolicySpec_JWT_Mode.STRICT ? 'unauthenticated' : { claims: undefined };
  }
  // The first provider that has the key decides.
  const provider = jwt.providers.find(({ jwksSource }) => kidsIn(jwksSource?.value).includes(token.kid));
  if (provider === undefined) return 'unauthenticated';
  const { issuer, audiences, jwtValidationOptions } = provider;
  const required = jwtValidationOptions?.requiredClaims ?? ['exp'];
  const [issuers, own] = [textsIn(token.claims['iss']), textsIn(token.claims['aud'])];
  if (required.includes('iss') && issuers === undefined) return 'unauthenticated';
  if (required.includes('aud') && own === undefined) return 'unauthenticated';
  // What is absent, or neither a text nor texts, is compared with nothing.
  const accepted =
    (issuers?.includes(issuer) ?? true) &&
    (audiences.length === 0 || own === undefined || own.some((one) => audiences.includes(one)));
  return accepted ? { claims: token.claims } : 'unauthenticated';
}

/** A claim that the data plane's library can compare. */
function textsIn(claim: unknown): readonly string[] | undefined {
  if (typeof claim === 'string') return [claim];
  if (!Array.isArray(claim)) return undefined;
  const texts = claim.filter((one): one is string => typeof one === 'string');
  return texts.length === claim.length ? texts : undefined;
}

function kidsIn(jwks = '{"keys":[]}'): readonly unknown[] {
  const { keys }: { readonly keys: readonly { readonly kid?: unknown }[] } = JSON.parse(jwks);
  return keys.map(({ kid }) => kid);
}

const targetName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

function backendError({ name, kind }: Backend): string | undefined {
  if (name === undefined) return 'missing required field';
  if (kind === undefined) return 'unknown backend';
  if (kind.$case !== 'mcp') return undefined;
  const wrong = kind.value.targets.find((target) => target.name.length > 253 || !targetName.test(target.name));
  return wrong && `invalid target name ${wrong.name}`;
}

function policyError({ name, target, kind }: Policy): string | undefined {
  if (name === undefined || name.kind === '' || target?.kind === undefined) return 'missing required field';
  if (kind?.$case !== 'traffic' || kind.value.kind === undefined) return undefined;
  const { providers, mcp } = kind.value.kind.value;
  if (mcp !== undefined && providers.length !== 1) return 'JWT MCP extension requires exactly one provider';
  return providers.some(({ jwksSource }) => jwksSource === undefined) ? 'JWT policy missing JWKS source' : undefined;
}

function entryOf<V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> {
  const entry = map.get(key) ?? new Map<string, V>();
  map.set(key, entry);
  return entry;
}
