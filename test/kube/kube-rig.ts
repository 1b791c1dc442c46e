import { writeFile } from 'node:fs/promises';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type ClusterAccess, connectKube } from '../../src/kube/kube.ts';
import type { ApiResponse, KubeConnection } from '../../src/kube/model.ts';
import { type Authority, createAuthority } from '../support/api-server/kube-certificates.ts';
import {
  createKubeServer,
  type KubeServer,
  type KubeServerOptions,
  type Protocol,
  type Seen,
} from '../support/api-server/kube-server.ts';
import { createManualClock, type ManualClock } from '../support/edges/manual-clock.ts';
import { createRecordedCounters, type RecordedCounters } from '../support/edges/recorded-counters.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** The default certificate authority of the servers of these tests. */
export const authority: Authority = createAuthority('the cluster');

export async function serve(
  answer: KubeServerOptions['answer'],
  options: Partial<KubeServerOptions> & { readonly protocol?: Protocol } = {},
): Promise<KubeServer> {
  const server = await createKubeServer({ protocol: 'h2', identity: authority.issue(), ...options, answer });
  onTestFinished(server.stop);
  return server;
}

export interface Connected {
  readonly connection: KubeConnection;
  readonly clock: ManualClock;
  readonly counters: RecordedCounters;
}

export async function connect(access: ClusterAccess): Promise<Connected> {
  const [clock, counters] = [createManualClock(), createRecordedCounters()];
  const connection = await connectKube(access, { version: '1.2.3', clock, counters });
  onTestFinished(connection.stop);
  return { connection, clock, counters };
}

/** The fields of a kubeconfig's only cluster and user; JSON is YAML. */
export interface Described {
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly user?: Readonly<Record<string, unknown>>;
}

/** Writes a kubeconfig for the server, with the context `test`. */
export async function kubeconfigFor(
  { url }: { readonly url: string },
  { cluster, user = { token: 'secret-token' } }: Described = {},
): Promise<ClusterAccess & { readonly by: 'kubeconfig' }> {
  const path = join(temporaryFolder(), 'config');
  const authorityData = Buffer.from(authority.cert).toString('base64');
  await writeFile(path, kubeconfigText({ server: url, 'certificate-authority-data': authorityData, ...cluster }, user));
  return { by: 'kubeconfig', path, context: undefined };
}

export function kubeconfigText(cluster: Described['cluster'], user: Described['user']): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'cluster', cluster }],
    users: [{ name: 'user', user }],
    contexts: [{ name: 'test', context: { cluster: 'cluster', user: 'user' } }],
  });
}

export async function connectTo(server: KubeServer, described?: Described): Promise<Connected> {
  return connect(await kubeconfigFor(server, described));
}

export async function textOf({ body }: ApiResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

export async function get(connection: KubeConnection, path = '/version'): Promise<{ status: number; text: string }> {
  const response = await connection.send({ method: 'GET', path });
  return { status: response.status, text: await textOf(response) };
}

/** Responds to each request with its path. */
export function echo(request: Seen): void {
  request.head(200, { 'content-type': 'application/json' });
  request.end(request.path);
}

/** Responds to a watch with its first event and leaves it open; to everything else with its path. */
export function firstEvent(request: Seen): void {
  if (request.path.includes('watch')) {
    request.head(200);
    request.write('first');
  } else echo(request);
}

/** The protocols of API servers and proxies. */
export const protocols: readonly Protocol[] = ['http/1.1', 'h2'];

/** Listens on a free port and returns `127.0.0.1:<port>`. */
export async function listening(server: Server): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  onTestFinished(() => void server.close());
  const bound = server.address();
  return `127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`;
}

/** Returns the error message of a promise that must reject. */
export async function failureOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('it did not fail');
}
