import { kinds } from '../../src/resources/resources.ts';
import type { KubeApiServer } from '../support/cluster/kube-apiserver.ts';
import type { Manifest } from '../support/worlds/translated-world.ts';

/** What an API server made of the objects of one case. */
export interface ClusterReading {
  /** The objects as written that it took. */
  readonly taken: readonly Manifest[];
  /** The same as it has them. */
  readonly stored: readonly Manifest[];
  /** By kind and name of those that it refused: its words, in alphabetical order. */
  readonly refused: Readonly<Record<string, readonly string[]>>;
}

/** Keeps an object that is being deleted. */
const FINALIZER = 'gateway.kgateway.dev/kept-by-a-test';

/**
 * Creates the objects, reads what is there, and removes them again. Namespaces stay, for nobody could remove them.
 *
 * @param act what else is done while they are there
 */
export async function throughCluster(
  cluster: KubeApiServer,
  manifests: readonly Manifest[],
  act: (stored: readonly Manifest[]) => Promise<void> = () => Promise.resolve(),
): Promise<ClusterReading> {
  const taken: Manifest[] = [];
  const refused: Record<string, readonly string[]> = {};
  for (const manifest of manifests.toSorted((a, b) => rank(a) - rank(b))) {
    const words = await create(cluster, manifest);
    if (words === undefined) taken.push(manifest);
    else refused[`${manifest.kind} ${nameOf(manifest)}`] = words;
  }
  const stored = await Promise.all(taken.map(async (manifest) => asStored(manifest, await read(cluster, manifest))));
  await act(stored);
  await Promise.all(taken.map((manifest) => remove(cluster, manifest)));
  return { taken, stored, refused };
}

function rank({ kind }: Manifest): number {
  return kind === 'Namespace' ? 0 : 1;
}

/** Returns why not, or undefined. */
async function create(cluster: KubeApiServer, manifest: Manifest): Promise<readonly string[] | undefined> {
  const { namespace } = metadataOf(manifest);
  if (kinds[manifest.kind].namespaced && namespace !== undefined)
    await cluster.request('/api/v1/namespaces', { method: 'POST', body: { metadata: { name: namespace } } });
  const body = isLeaving(manifest)
    ? { ...manifest, metadata: { ...metadataOf(manifest), finalizers: [FINALIZER] } }
    : manifest;
  let answer = await cluster.request(listPath(manifest), { method: 'POST', body });
  // It is there from an earlier case: what it is to carry replaces what it carries.
  if (manifest.kind === 'Namespace' && answer.status === 409)
    answer = await cluster.request(objectPath(manifest), { method: 'PUT', body: manifest });
  if (answer.status >= 400) return wordsOf(answer.text);
  if (isLeaving(manifest)) await cluster.request(objectPath(manifest), { method: 'DELETE' });
  return undefined;
}

/** A list right after a write would wait until the cache of the API server has caught up. */
async function read(cluster: KubeApiServer, manifest: Manifest): Promise<Manifest> {
  const { status, text } = await cluster.request(objectPath(manifest));
  if (status !== 200) throw new Error(`${objectPath(manifest)} was created and is not there: ${text}`);
  return JSON.parse(text);
}

/** An address that was not asked for is another one each time, and no part of what the case is about. */
function asStored(written: Manifest, stored: Manifest): Manifest {
  const asked = fieldsOf(written['spec'])['clusterIP'];
  if (written.kind !== 'Service' || (asked !== undefined && asked !== '')) return stored;
  const { clusterIP: _, clusterIPs: __, ...spec } = fieldsOf(stored['spec']);
  return { ...stored, spec: { ...spec, ...(asked === undefined ? {} : { clusterIP: asked }) } };
}

async function remove(cluster: KubeApiServer, manifest: Manifest): Promise<void> {
  if (manifest.kind === 'Namespace') return;
  const body = { metadata: { finalizers: null } };
  await cluster.request(
    objectPath(manifest),
    isLeaving(manifest) ? { method: 'PATCH', type: 'application/merge-patch+json', body } : { method: 'DELETE' },
  );
}

/** Whether it is to be an object that was deleted and is not gone. */
function isLeaving(manifest: Manifest): boolean {
  return metadataOf(manifest)['deletionTimestamp'] !== undefined;
}

function listPath(manifest: Manifest): string {
  const { apiVersion, plural, namespaced } = kinds[manifest.kind];
  const namespace = metadataOf(manifest)['namespace'] ?? 'default';
  const scope = namespaced ? `/namespaces/${encodeURIComponent(String(namespace))}` : '';
  return `/${apiVersion === 'v1' ? 'api' : 'apis'}/${apiVersion}${scope}/${plural}`;
}

function objectPath(manifest: Manifest): string {
  return `${listPath(manifest)}/${encodeURIComponent(String(metadataOf(manifest)['name']))}`;
}

function nameOf(manifest: Manifest): string {
  const { namespace, name } = metadataOf(manifest);
  return kinds[manifest.kind].namespaced ? `${namespace ?? 'default'}/${name}` : String(name);
}

function metadataOf(manifest: Manifest): Readonly<Record<string, unknown>> {
  return fieldsOf(manifest['metadata']);
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** One line for each fault that the API server names; it names them in any order. */
function wordsOf(answer: string): readonly string[] {
  const { message, details }: { message: string; details?: { causes?: readonly Cause[] } } = JSON.parse(answer);
  const causes = details?.causes?.map(({ field, message: words }) => `${field}: ${words}`) ?? [];
  const faults = causes.filter((words) => !words.includes('some validation rules were not checked'));
  return faults.length === 0 ? [message] : faults.sort();
}

interface Cause {
  readonly field: string;
  readonly message: string;
}
