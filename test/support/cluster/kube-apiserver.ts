import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kubeAssets } from './assets.ts';
import { type Etcd, startEtcd } from './etcd.ts';
import { ADMIN, createIdentities, type Identities, writeKubeconfig } from './identities.ts';
import { type KubectlRun, runKubectl } from './kubectl.ts';
import type { ClusterAnswer, ClusterRequest } from './requests.ts';
import { type Server, type ServerSettings, startServer, startServerAt } from './server.ts';

export { kubeAssets } from './assets.ts';

/**
 * A real etcd and kube-apiserver on loopback, with TLS and RBAC. There are no controllers, nodes or pods: a deleted
 * namespace stays `Terminating`, and the aggregated roles (`view`, `edit`, `admin`) are empty.
 */
export interface KubeApiServer extends AsyncDisposable {
  /** `https://127.0.0.1:<port>`; a restart does not change it. */
  readonly url: string;
  /** The authority of its certificate, PEM. */
  readonly ca: string;
  /** The static token of the administrator, or of one of `users`. */
  readonly token: (user?: string) => string;
  /** Creates the service account if it does not exist, and requests a token that is valid for an hour. */
  readonly serviceAccountToken: (namespace: string, name: string) => Promise<string>;
  /**
   * Signs the claims of a service account's token anew, with some of them changed: the API server issues no token that
   * lives shorter than ten minutes.
   */
  readonly signedAgain: Identities['signedAgain'];
  /** Writes a kubeconfig for a user (the administrator by default) or a token, and returns its path. */
  readonly kubeconfig: (who?: { readonly user: string } | { readonly token: string }) => string;
  /** Runs kubectl, as the administrator by default. Rejects if it fails; `kubectl.try` settles with its exit code. */
  readonly kubectl: Kubectl;
  /** Sends one request, as the administrator by default; settles with the response of any status. */
  readonly request: (path: string, what?: Partial<ClusterRequest>) => Promise<ClusterAnswer>;
  /** Kills the API server with SIGKILL; etcd keeps running. */
  readonly kill9ApiServer: () => Promise<void>;
  /** Stops the API server where it is (SIGSTOP), or lets it go on. */
  readonly suspendApiServer: (suspended: boolean) => void;
  /** Restarts the API server at its port with the same etcd, and waits until it is ready. */
  readonly restartApiServer: () => Promise<void>;
  /**
   * Compacts etcd to the newest revision. A running API server still serves its watch cache: a watch from an old
   * version gets 410 only after a restart, or with `--watch-cache=false`.
   */
  readonly compactEtcd: () => Promise<void>;
  /** Installs the GatewayClass and Gateway CRDs of a Gateway API release, and waits until they are served. */
  readonly installGatewayApi: (version: GatewayApiVersion) => Promise<void>;
  /** Installs `deploy/crds`, and waits until they are served. */
  readonly installOwnCrds: () => Promise<void>;
}

interface Kubectl {
  (args: readonly string[], how?: KubectlOptions): Promise<string>;
  readonly try: (args: readonly string[], how?: KubectlOptions) => Promise<KubectlRun>;
}

interface KubectlOptions {
  readonly stdin?: string;
  /** One of `users`. */
  readonly as?: string;
}

export type GatewayApiVersion = 'v1.0.0' | 'v1.6.1';

export interface KubeApiServerOptions {
  /** Users besides the administrator: names and groups, without rights of their own. */
  readonly users?: Readonly<Record<string, readonly string[]>>;
  /** Further flags of kube-apiserver. */
  readonly flags?: readonly string[];
}

/**
 * Starts an empty cluster in a folder of its own. Both programs end with this process at the latest, and the folder is
 * removed with the cluster. Rejects when `kubeAssets()` is undefined.
 */
export async function startKubeApiServer({
  users = {},
  flags = [],
}: KubeApiServerOptions = {}): Promise<KubeApiServer> {
  const assets = kubeAssets();
  if (assets === undefined) throw new Error('There is no kube-apiserver: run `npm run envtest`.');
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-cluster-'));
  const discard = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 5 });
  const identities = createIdentities(folder, users);
  let etcd: Etcd | undefined;
  try {
    etcd = await startEtcd(assets, folder);
    const settings: ServerSettings = {
      assets,
      folder,
      etcd: etcd.url,
      token: identities.token(ADMIN),
      flags: [...identities.flags, ...flags],
    };
    return cluster(etcd, await startServer(settings), settings, identities, discard);
  } catch (error) {
    await etcd?.kill();
    await discard();
    throw error;
  }
}

function cluster(
  etcd: Etcd,
  first: Server,
  settings: ServerSettings,
  identities: Identities,
  discard: () => Promise<void>,
): KubeApiServer {
  const { ca, port } = first;
  const { folder } = settings;
  const url = `https://127.0.0.1:${port}`;
  const token = (user = ADMIN): string => identities.token(user);
  let server = first;
  const request = (path: string, what: Partial<ClusterRequest> = {}): Promise<ClusterAnswer> =>
    server.requests.send(path, { token: token(), ...what });
  const files = new Map<string, string>();
  const kubeconfig: KubeApiServer['kubeconfig'] = (who = { user: ADMIN }) =>
    writeKubeconfig(folder, url, ca, 'token' in who ? who.token : token(who.user));
  const fileOf = (user: string): string => {
    const file = files.get(user) ?? kubeconfig({ user });
    files.set(user, file);
    return file;
  };
  const kubectl = createKubectl((args, { stdin, as = ADMIN } = {}) =>
    runKubectl(join(settings.assets, 'kubectl'), folder, [`--kubeconfig=${fileOf(as)}`, ...args], stdin),
  );
  return {
    url,
    ca,
    token,
    serviceAccountToken: (namespace, name) => serviceAccountToken(request, namespace, name),
    signedAgain: identities.signedAgain,
    kubeconfig,
    kubectl,
    request,
    kill9ApiServer: () => server.kill(),
    suspendApiServer: (suspended) => server.suspend(suspended),
    restartApiServer: async () => {
      await server.kill();
      server = await startServerAt(settings, port);
    },
    compactEtcd: etcd.compact,
    installGatewayApi: (version) => install(kubectl, `test/envtest/gateway-api-${version}.yaml`),
    installOwnCrds: () => install(kubectl, 'deploy/crds'),
    [Symbol.asyncDispose]: async () => {
      await server.kill();
      await etcd.kill();
      await discard();
    },
  };
}

function createKubectl(run: Kubectl['try']): Kubectl {
  const orThrow = async (args: readonly string[], how?: KubectlOptions): Promise<string> => {
    const { code, stdout, stderr } = await run(args, how);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}:\n${stderr}`);
    return stdout;
  };
  return Object.assign(orThrow, { try: run });
}

async function install(kubectl: Kubectl, place: string): Promise<void> {
  const from = fileURLToPath(new URL(`../../../${place}`, import.meta.url));
  await kubectl(['apply', '--server-side', '--force-conflicts', `--filename=${from}`]);
  await kubectl(['wait', '--for=condition=Established', '--timeout=60s', `--filename=${from}`]);
}

async function serviceAccountToken(
  request: KubeApiServer['request'],
  namespace: string,
  name: string,
): Promise<string> {
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  const created = await request(accounts, { method: 'POST', body: { metadata: { name } } });
  if (created.status !== 201 && created.status !== 409) throw new Error(created.text);
  // The default is an hour, which a soak or many restarts outlast.
  const spec = { expirationSeconds: 24 * 3_600 };
  const answer = await request(`${accounts}/${name}/token`, { method: 'POST', body: { spec } });
  if (answer.status !== 201) throw new Error(answer.text);
  const { status }: { status: { token: string } } = JSON.parse(answer.text);
  return status.token;
}
