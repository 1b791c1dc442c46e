import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { HostPort } from '../net/host-port.ts';

/** The guide's manifests in temporary folders: one that the control plane watches, and one as a mounted ConfigMap. */
export interface Guide {
  /** The folder that the control plane watches. */
  readonly watched: string;
  /** The folder that stands for `/config` in the gateway's container. */
  readonly mounted: string;
  /** The folder for the programs' logs; stays when the rest is discarded. */
  readonly logs: string;
  /** A file with the guide's token, so that a command line need not contain it. */
  readonly tokenFile: string;
  /** The manifest of the policy, outside of the watched folder. */
  readonly policy: string;
  /** Copies the policy's manifest into the watched folder. */
  addPolicy(): Promise<void>;
  /** Removes it again. */
  removePolicy(): Promise<void>;
  /** Removes the folders but that of the logs, which goes as well if no program was started. */
  discard(): Promise<void>;
}

const policyManifest = '6-mcpauthpolicy.yaml';
const configMapManifest = '4-mcp-gateway.yaml';

/**
 * The guide's token: it verifies against the guide's `jwks.json` (issuer `me`, audience `me.com`, subject `me`, valid
 * until 2030). It is public and protects nothing.
 */
export const guideToken: string = [
  'eyJhbGciOiJFUzI1NiIsImtpZCI6IlhoTzA2eDhKaldIMXd3a1dreWVFVXhzb29HRVdvRWRpZEVwd3lkX2htdUkiLCJ0eXAiOiJKV1QifQ',
  'eyJhdWQiOiJtZS5jb20iLCJleHAiOjE5MDA2NTAyOTQsImlhdCI6MTc0MzYyNDc4NywiaXNzIjoibWUiLCJqdGkiOiJlM2MzNjhkYzBmNGUyODdiYzhkYmM2OTIyOTU5ZTA3M2YzMThkNTliYTlhZjdhY2Q0N2ViMWUzZGIyOTZlYTQwIiwibmJmIjoxNzQzNjI0Nzg3LCJzdWIiOiJtZSJ9',
  'IshAKo62yWHwfnt62vR1nfa4SQmpSB-4ceAMXWs1P_rREl2gYj6nJ7HwLM5avv_eyOFbI-3rRZzCMCuNVLAF5w',
].join('.');

/** The port of the gateway's listener in the guide's ConfigMap. */
export async function guidePort(manifests: string): Promise<number> {
  const { listener } = configOf(await guideFiles(manifests));
  return listener.port;
}

interface GatewayConfigFile {
  readonly listener: { readonly host: string; readonly port: number };
}

function configOf(files: ReadonlyMap<string, string>): GatewayConfigFile {
  const config: GatewayConfigFile = JSON.parse(files.get('config.json') ?? '{}');
  return config;
}

async function guideFiles(manifests: string): Promise<Map<string, string>> {
  return configMapData(await readFile(join(manifests, configMapManifest), 'utf8'));
}

/**
 * Copies the guide's manifests, without the policy, into temporary folders.
 *
 * @param manifests the folder of the guide's manifests
 * @param listener replaces the address of the gateway's listener
 */
export async function prepareGuide(manifests: string, listener: HostPort): Promise<Guide> {
  const root = await mkdtemp(join(tmpdir(), 'gatehouse-demo-'));
  const watched = join(root, 'manifests');
  const mounted = join(root, 'config');
  const logs = join(root, 'logs');
  await Promise.all([watched, mounted, logs].map((folder) => mkdir(folder)));
  for (const file of await readdir(manifests)) {
    if (file !== policyManifest) await cp(join(manifests, file), join(watched, file));
  }
  const files = await guideFiles(manifests);
  const config = configOf(files);
  files.set('config.json', JSON.stringify({ ...config, listener: { ...config.listener, ...listener } }));
  for (const [name, text] of files) await writeFile(join(mounted, name), text);
  const tokenFile = join(root, 'token');
  await writeFile(tokenFile, guideToken, { mode: 0o600 });
  const policy = join(watched, policyManifest);
  return {
    watched,
    mounted,
    logs,
    tokenFile,
    policy: join(manifests, policyManifest),
    addPolicy: async () => {
      // By rename: a file that is written in place has to stand still before it counts.
      await cp(join(manifests, policyManifest), `${policy}.part`);
      await rename(`${policy}.part`, policy);
    },
    removePolicy: () => rm(policy),
    discard: async () => {
      const gone = (await readdir(logs)).length === 0 ? [root] : [watched, mounted, tokenFile];
      await Promise.all(gone.map((path) => rm(path, { recursive: true, force: true })));
    },
  };
}

/** Returns the files of the first ConfigMap in a YAML stream. */
function configMapData(text: string): Map<string, string> {
  for (const document of parseAllDocuments(text)) {
    if (document.get('kind') === 'ConfigMap') {
      const { data } = document.toJS() as { data: Record<string, string> };
      return new Map(Object.entries(data));
    }
  }
  throw new Error(`${configMapManifest} has no ConfigMap`);
}
