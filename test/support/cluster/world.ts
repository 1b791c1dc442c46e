import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type RunningApp, startApp } from '../../../src/app/app.ts';
import type { ServeSettings } from '../../../src/app/settings.ts';
import { formatHostPort } from '../../../src/net/host-port.ts';
import { createFastClock } from '../edges/fast-clock.ts';
import { createRecordedLog, type RecordedLog } from '../edges/recorded-log.ts';
import { GatewayNode, type NodeClaims } from '../nodes/gateway-node.ts';
import type { VersionedResources } from '../worlds/held-resources.ts';
import { quickSettings } from '../worlds/running-world.ts';
import {
  type GatewayApiVersion,
  type KubeApiServer,
  type KubeApiServerOptions,
  startKubeApiServer,
} from './kube-apiserver.ts';
import { polled } from './poll.ts';

/** A real API server with the shipped manifests installed, and control planes that watch it. */
export interface ClusterWorld extends AsyncDisposable {
  readonly api: KubeApiServer;
  /** Starts a control plane in this process, by default with its own service account and a clock of tenfold speed. */
  replica(options?: ReplicaOptions): Promise<Replica>;
  /** A kubeconfig with the token of the control plane's own service account. */
  kubeconfig(): Promise<string>;
  /** `kubectl apply` of these documents. */
  apply(manifests: string): Promise<void>;
  /** `kubectl delete`, such as `mcpauthpolicy`, `default/mine`. */
  remove(kind: string, key: string): Promise<void>;
  /** Gets an object; undefined if it does not exist. */
  read(kind: ReadKind, key: string): Promise<StoredObject | undefined>;
  /** Settles with the object once the condition holds. */
  until(kind: ReadKind, key: string, holds: (object: StoredObject) => boolean): Promise<StoredObject>;
}

interface ReplicaOptions extends Partial<Omit<ServeSettings, 'input'>> {
  readonly as?: 'administrator';
  /** The port of a TCP proxy to the API server. */
  readonly through?: number;
  readonly writesStatus?: false;
}

/** One running control plane. */
export interface Replica extends AsyncDisposable {
  readonly app: RunningApp;
  readonly log: RecordedLog;
  /** The number of applied batches. */
  readonly commits: () => number;
  readonly synced: Promise<void>;
  node(gateway: string, claims?: NodeClaims): GatewayNode;
  get(listener: 'debug' | 'metrics', path: string): Promise<{ readonly status: number; readonly body: string }>;
}

type ReadKind = 'gatewayclass' | 'gateway' | 'mcpauthpolicy' | 'service' | 'lease';

/** The tested fields of an object. */
export interface StoredObject {
  readonly metadata: { readonly name: string; readonly resourceVersion: string; readonly generation?: number };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: {
    readonly conditions?: readonly StoredCondition[];
    readonly listeners?: readonly { readonly name: string; readonly conditions: readonly StoredCondition[] }[];
    readonly ancestors?: readonly {
      readonly controllerName: string;
      readonly ancestorRef: { readonly name: string };
      readonly conditions: readonly StoredCondition[];
    }[];
  };
}

export interface StoredCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime: string;
}

/** Runs the timers of a replica ten times as fast. */
const speed = 10;

const deploy = fileURLToPath(new URL('../../../deploy', import.meta.url));

const groups: Readonly<Record<ReadKind, string>> = {
  gatewayclass: '/apis/gateway.networking.k8s.io/v1',
  gateway: '/apis/gateway.networking.k8s.io/v1',
  mcpauthpolicy: '/apis/gateway.kgateway.dev/v1alpha1',
  service: '/api/v1',
  lease: '/apis/coordination.k8s.io/v1',
};

const plurals: Readonly<Record<ReadKind, string>> = {
  gatewayclass: 'gatewayclasses',
  gateway: 'gateways',
  mcpauthpolicy: 'mcpauthpolicies',
  service: 'services',
  lease: 'leases',
};

/** Installs the Gateway API of this version, then applies a folder of `deploy` with `kubectl apply -k`. */
export async function startClusterWorld({
  version = 'v1.6.1',
  folder = '.',
  ...options
}: KubeApiServerOptions & {
  readonly version?: GatewayApiVersion;
  readonly folder?: string;
} = {}): Promise<ClusterWorld> {
  const api = await startKubeApiServer(options);
  await api.installGatewayApi(version);
  await api.kubectl(['apply', '-k', `${deploy}/${folder}`]);
  await api.kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all']);
  const replicas: Replica[] = [];
  const kubeconfig = async (): Promise<string> =>
    api.kubeconfig({ token: await api.serviceAccountToken('kgateway-system', 'gatehouse') });
  const read: ClusterWorld['read'] = async (kind, key) => {
    const [namespace, name = namespace] = key.includes('/') ? key.split('/') : [undefined, key];
    const scope = namespace === undefined ? '' : `/namespaces/${namespace}`;
    const { status, json, text } = await api.request(`${groups[kind]}${scope}/${plurals[kind]}/${name}`);
    if (status !== 200 && status !== 404) throw new Error(text);
    return status === 200 ? (json as StoredObject) : undefined;
  };
  return {
    api,
    kubeconfig,
    read,
    apply: async (manifests) => void (await api.kubectl(['apply', '-f', '-'], { stdin: manifests })),
    remove: async (kind, key) => {
      const [namespace = 'default', name = key] = key.includes('/') ? key.split('/') : [undefined, key];
      await api.kubectl(['delete', '--wait=false', '-n', namespace, kind, name]);
    },
    until: async (kind, key, holds) => {
      let seen: StoredObject | undefined;
      return polled(
        async () => {
          seen = await read(kind, key);
          return seen !== undefined && holds(seen) ? seen : undefined;
        },
        () => `${kind} ${key} never became what it should:\n${JSON.stringify(seen, null, 2)}`,
      );
    },
    replica: async ({ as, through, writesStatus, ...settings } = {}) => {
      const path = as === 'administrator' ? api.kubeconfig() : await kubeconfig();
      if (through !== undefined) {
        const text = await readFile(path, 'utf8');
        await writeFile(path, text.replace(api.url, `https://127.0.0.1:${through}`));
      }
      const replica = await startReplica(path, writesStatus ?? true, settings);
      replicas.push(replica);
      return replica;
    },
    [Symbol.asyncDispose]: async () => {
      for (const replica of replicas) await replica[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

async function startReplica(
  path: string,
  writesStatus: boolean,
  settings: Partial<Omit<ServeSettings, 'input'>>,
): Promise<Replica> {
  const log = createRecordedLog();
  const nodes: GatewayNode[] = [];
  let commits = 0;
  const input: ServeSettings['input'] = {
    from: 'cluster',
    access: { by: 'kubeconfig', path, context: undefined },
    statusWriting: writesStatus ? { by: 'leader', leaseNamespace: 'kgateway-system' } : { by: 'none' },
    debounce: { idle: 10, ceiling: 200 },
  };
  const app = await startApp(
    { ...quickSettings, ...settings, input },
    { clock: createFastClock(speed), random: Math.random, log, logLevel: { level: 'info', lostLines: 0 } },
    () => {
      commits += 1;
    },
  );
  return {
    app,
    log,
    commits: () => commits,
    synced: log.line('synced: everything').then(() => undefined),
    node: (gateway, claims) => {
      const node = new GatewayNode(formatHostPort(app.listening.xds), gateway, claims).connect();
      nodes.push(node);
      return node;
    },
    get: async (listener, at) => {
      const response = await fetch(`http://${formatHostPort(app.listening[listener])}${at}`);
      return { status: response.status, body: await response.text() };
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(nodes.splice(0).map((node) => node.close()));
      await app.stop();
    },
  };
}

/** Settles once the condition holds for the resources of the node. */
export async function heldBy(
  node: GatewayNode,
  holds: (held: VersionedResources) => boolean,
): Promise<VersionedResources> {
  return polled(
    async () => {
      const held = await node.settled();
      return holds(held) ? held : undefined;
    },
    () => `the node never held what it should: ${JSON.stringify(node.holds(), null, 2)}`,
  );
}
