import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

/** The guide's manifests, laid out as a cluster would: a folder that is watched, and the ConfigMap as a mounted volume. */
export interface Guide {
  readonly watched: string;
  /** Where `/config` of the gateway's container really lies. */
  readonly mounted: string;
  readonly logs: string;
  /** The port of the gateway's listener. */
  readonly gatewayPort: number;
  /** Copies the policy's manifest into the watched folder, or removes it again. */
  addPolicy(): Promise<void>;
  removePolicy(): Promise<void>;
  /** Removes every folder that was made. */
  discard(): Promise<void>;
}

const policyManifest = '6-mcpauthpolicy.yaml';
const configMapManifest = '4-mcp-gateway.yaml';

/** Lays the guide out below a temporary folder, without the policy. `port` replaces the guide's listener port. */
export async function layOut(manifests: string, port: number | undefined): Promise<Guide> {
  const root = await mkdtemp(join(tmpdir(), 'gatehouse-demo-'));
  const watched = join(root, 'manifests');
  const mounted = join(root, 'config');
  const logs = join(root, 'logs');
  await Promise.all([watched, mounted, logs].map((folder) => mkdir(folder)));
  for (const file of await readdir(manifests)) {
    if (file !== policyManifest) await cp(join(manifests, file), join(watched, file));
  }
  const files = configMapData(await readFile(join(manifests, configMapManifest), 'utf8'));
  const config: { listener: { port: number } } = JSON.parse(files.get('config.json') ?? '{}');
  if (port !== undefined) {
    config.listener.port = port;
    files.set('config.json', JSON.stringify(config));
  }
  for (const [name, text] of files) await writeFile(join(mounted, name), text);
  const policy = join(watched, policyManifest);
  return {
    watched,
    mounted,
    logs,
    gatewayPort: config.listener.port,
    addPolicy: () => cp(join(manifests, policyManifest), policy),
    removePolicy: () => rm(policy),
    discard: () => rm(root, { recursive: true, force: true }),
  };
}

/** The files of the ConfigMap among several documents. */
function configMapData(text: string): Map<string, string> {
  for (const document of parseAllDocuments(text)) {
    if (document.get('kind') === 'ConfigMap') {
      const { data } = document.toJS() as { data: Record<string, string> };
      return new Map(Object.entries(data));
    }
  }
  throw new Error(`${configMapManifest} has no ConfigMap`);
}
