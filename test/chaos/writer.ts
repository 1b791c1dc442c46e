import { setTimeout as pause } from 'node:timers/promises';
import type { ClusterAnswer, ClusterRequest } from '../support/cluster/requests.ts';
import { type GatewayState, type Histories, History, home, type Objects } from './history.ts';
import type { SeededRandom } from './random.ts';

/** Sends one request to the API server as its administrator, not through the faults of the network. */
export type SendRequest = (path: string, request?: Partial<ClusterRequest>) => Promise<ClusterAnswer>;

/** Changes objects of four kinds without end, one at a time of each kind, and writes down what it made. */
export interface Writer {
  readonly histories: Histories;
  /** Changes that the API server carried out. */
  readonly changes: () => number;
  /** Resolves when no change is under way; none begins before `resume`. */
  pause(): Promise<void>;
  resume(): void;
}

/** One change: the state that it leads to, its request, and how to read whether it was carried out. */
interface Change<S> {
  readonly state: S;
  readonly path: string;
  readonly request: Partial<ClusterRequest>;
  /** The object, and what it is once the change was carried out; undefined: it does not exist. */
  readonly object: string;
  readonly version: string | undefined;
  readonly versionOf: (object: unknown) => string;
}

/** The writer of one kind. */
interface KindWriter {
  readonly next: () => Change<unknown>;
  readonly history: History<unknown>;
  /** The longest time between two changes, in milliseconds. */
  readonly interval: number;
}

const namespaces = [home, 'a', 'b', 'c'] as const;
const gateways = '/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways';
const policies = '/apis/gateway.kgateway.dev/v1alpha1/namespaces/default/mcpauthpolicies';
const pathAnnotation = 'kgateway.dev/mcp-path';
const merge = 'application/merge-patch+json';

/** Milliseconds before an object is read again whose change has an unknown outcome. */
const retryDelay = 100;

/** Creates what the changes need; the API server must have the GatewayClass `mcp`. */
export async function prepare(send: SendRequest): Promise<void> {
  for (const name of namespaces) {
    const metadata = { name, labels: { team: 'blue' } };
    if (name === home) await send(`/api/v1/namespaces/${name}`, { method: 'PATCH', type: merge, body: { metadata } });
    else await send('/api/v1/namespaces', { method: 'POST', body: { metadata } });
  }
  await send(gateways, { method: 'POST', body: gatewayOf('all') });
}

/** @param random of each kind */
export function startWriter(send: SendRequest, randomOf: (kind: string) => SeededRandom): Writer {
  const histories: Histories = {
    services: new History<Objects>(new Map()),
    namespaces: new History<Objects>(new Map(namespaces.map((name) => [name, 'blue']))),
    gateway: new History<GatewayState>('all'),
    policies: new History<Objects>(new Map()),
  };
  const writers: readonly KindWriter[] = [
    { history: histories.services, next: serviceChanges(histories.services, randomOf('Service')), interval: 300 },
    { history: histories.policies, next: policyChanges(histories.policies, randomOf('MCPAuthPolicy')), interval: 400 },
    { history: histories.gateway, next: gatewayChanges(histories.gateway, randomOf('Gateway')), interval: 3_000 },
    { history: histories.namespaces, next: labelChanges(histories.namespaces, randomOf('Namespace')), interval: 2_000 },
  ];
  let changes = 0;
  let mayWrite = Promise.withResolvers<void>();
  mayWrite.resolve();
  const underWay = new Set<Promise<void>>();
  const change = async ({ history, next }: KindWriter): Promise<void> => {
    const one = next();
    history.propose(one.state);
    if (await carryOut(send, one)) changes += 1;
    else history.withdraw();
  };
  const run = async (writer: KindWriter, random: SeededRandom): Promise<never> => {
    for (;;) {
      await mayWrite.promise;
      const changing = change(writer);
      underWay.add(changing);
      await changing;
      underWay.delete(changing);
      await pause(random.between(1, writer.interval), undefined, { ref: false });
    }
  };
  for (const [at, writer] of writers.entries()) void run(writer, randomOf(`pace ${at}`));
  return {
    histories,
    changes: () => changes,
    pause: async () => {
      mayWrite = Promise.withResolvers();
      while (underWay.size > 0) await Promise.all(underWay);
    },
    resume: () => mayWrite.resolve(),
  };
}

/** Returns whether the change was carried out. */
async function carryOut(send: SendRequest, change: Change<unknown>): Promise<boolean> {
  try {
    const { status } = await send(change.path, change.request);
    if (status === 200 || status === 201) return true;
  } catch {
    // The API server was killed: the change was carried out or not.
  }
  for (;;) {
    await pause(retryDelay);
    try {
      const { status, json } = await send(change.object);
      if (status === 404) return change.version === undefined;
      if (status === 200) return change.versionOf(json) === change.version;
    } catch {
      // It is not there yet.
    }
  }
}

function serviceChanges(history: History<Objects>, random: SeededRandom): () => Change<Objects> {
  let count = 0;
  const versionOf = (object: unknown): string =>
    (object as { metadata: { annotations: Record<string, string> } }).metadata.annotations[pathAnnotation]?.slice(1) ??
    '';
  return () => {
    const [namespace, name] = [random.pick(namespaces), `tool-${random.between(1, 4)}`];
    const path = `/api/v1/namespaces/${namespace}/services`;
    count += 1;
    const annotations = { [pathAnnotation]: `/v${count}` };
    const spec = { ports: [{ port: 80, appProtocol: 'kgateway.dev/mcp' }] };
    return objectChange({
      ...{ state: history.latest, key: `${namespace}/${name}`, path, name, version: `v${count}`, random, versionOf },
      created: { metadata: { name, annotations }, spec },
      changed: { metadata: { annotations } },
    });
  };
}

function policyChanges(history: History<Objects>, random: SeededRandom): () => Change<Objects> {
  let count = 0;
  const versionOf = (object: unknown): string =>
    (object as { spec: { rules: { matches: { jwt: { value: string } }[] }[] } }).spec.rules[0]?.matches[0]?.jwt.value ??
    '';
  return () => {
    const name = `policy-${random.between(1, 6)}`;
    count += 1;
    const version = `v${count}`;
    const matches = [{ type: 'JWT', jwt: { claim: 'sub', value: version } }];
    const spec = { targetRefs: [{ name: 'gw' }], rules: [{ matches, resource: { kind: 'tool', name: '*' } }] };
    const body = { apiVersion: 'gateway.kgateway.dev/v1alpha1', kind: 'MCPAuthPolicy', metadata: { name }, spec };
    const refs = [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'gw' }];
    return objectChange({
      ...{ state: history.latest, key: name, path: policies, name, version, random, versionOf },
      created: { ...body, spec: { ...spec, targetRefs: refs } },
      changed: { spec: { rules: spec.rules } },
    });
  };
}

interface ObjectChange {
  readonly state: Objects;
  readonly key: string;
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly random: SeededRandom;
  readonly versionOf: (object: unknown) => string;
  readonly created: object;
  readonly changed: object;
}

/** Creates the object if it does not exist, else changes it, or deletes it one time in three. */
function objectChange(of: ObjectChange): Change<Objects> {
  const { state, key, path, name, version, random, versionOf, created, changed } = of;
  const object = `${path}/${name}`;
  const after = new Map(state).set(key, version);
  if (!state.has(key)) {
    return { state: after, path, request: { method: 'POST', body: created }, object, version, versionOf };
  }
  if (random.next() < 1 / 3) {
    after.delete(key);
    return { state: after, path: object, request: { method: 'DELETE' }, object, version: undefined, versionOf };
  }
  const request = { method: 'PATCH', type: merge, body: changed } as const;
  return { state: after, path: object, request, object, version, versionOf };
}

function gatewayOf(state: GatewayState): object {
  const namespaces =
    state === 'red' || state === 'blue'
      ? { from: 'Selector', selector: { matchLabels: { team: state } } }
      : { from: state === 'same' ? 'Same' : 'All', selector: null };
  const listeners = [{ name: 'mcp', port: 8080, protocol: 'kgateway.dev/mcp', allowedRoutes: { namespaces } }];
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'gw', annotations: { state } },
    spec: { gatewayClassName: 'mcp', listeners },
  };
}

function gatewayChanges(history: History<GatewayState>, random: SeededRandom): () => Change<GatewayState> {
  const versionOf = (object: unknown): string =>
    (object as { metadata: { annotations: { state: string } } }).metadata.annotations.state;
  const object = `${gateways}/gw`;
  return () => {
    const others = (['red', 'blue', 'red', 'blue', 'same', 'all', 'absent'] as const).filter(
      (state) => state !== history.latest,
    );
    const state = random.pick(['all', ...others]) as GatewayState;
    if (state === 'absent') {
      return { state, path: object, request: { method: 'DELETE' }, object, version: undefined, versionOf };
    }
    const exists = history.latest !== 'absent';
    const body = gatewayOf(state);
    const request = exists ? ({ method: 'PATCH', type: merge, body } as const) : ({ method: 'POST', body } as const);
    return { state, path: exists ? object : gateways, request, object, version: state, versionOf };
  };
}

function labelChanges(history: History<Objects>, random: SeededRandom): () => Change<Objects> {
  const versionOf = (object: unknown): string =>
    (object as { metadata: { labels: { team: string } } }).metadata.labels.team;
  return () => {
    const name = random.pick(namespaces);
    const team = history.latest.get(name) === 'red' ? 'blue' : 'red';
    const path = `/api/v1/namespaces/${name}`;
    return {
      ...{ state: new Map(history.latest).set(name, team), path, object: path, version: team, versionOf },
      request: { method: 'PATCH', type: merge, body: { metadata: { labels: { team } } } },
    };
  };
}
