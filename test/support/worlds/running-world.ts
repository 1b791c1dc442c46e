import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningApp, startApp } from '../../../src/app/app.ts';
import type { ServeSettings } from '../../../src/app/settings.ts';
import { formatHostPort } from '../../../src/net/host-port.ts';
import type { Batch, InputDiagnostic } from '../../../src/source/model.ts';
import { createRecordedLog, type RecordedLog } from '../edges/recorded-log.ts';
import { systemClock } from '../edges/system-clock.ts';
import { GatewayNode, type NodeClaims } from '../nodes/gateway-node.ts';
import type { Files } from './fresh-world.ts';
import { defaultSettings } from './translated-world.ts';

/** The whole control plane on a temporary folder, with nodes over real gRPC. */
export interface RunningWorld extends AsyncDisposable {
  readonly app: RunningApp;
  readonly log: RecordedLog;
  /** The watched folder. */
  readonly folder: string;
  /** Writes these files and keeps the others; `undefined` removes one. Settles once the changes are applied. */
  write(files: Readonly<Record<string, string | undefined>>): Promise<void>;
  /** Replaces all files of the folder. Settles once the changes are applied. */
  become(files: Files): Promise<void>;
  /** Settles once all earlier changes of the folder are applied. */
  applied(): Promise<void>;
  /** Connects a node. */
  node(gateway: string, claims?: NodeClaims): GatewayNode;
  problems(): Promise<readonly InputDiagnostic[]>;
  /** Sends a GET to an HTTP listener. */
  get(listener: 'debug' | 'metrics', path: string): Promise<{ readonly status: number; readonly body: string }>;
}

/** Every listener on a free loopback port, and no delays. */
export const quickSettings: Omit<ServeSettings, 'input'> = {
  ...defaultSettings,
  keyFetching: { allowHttp: false, allowPrivate: false },
  replica: 'here',
  namespaces: [],
  xdsListen: { host: '127.0.0.1', port: 0 },
  xdsTls: { mode: 'off' },
  xdsAuth: { kind: 'none' },
  debugAuth: { kind: 'none' },
  debugListen: { host: '127.0.0.1', port: 0 },
  metricsListen: { host: '127.0.0.1', port: 0 },
  adminListen: { host: '127.0.0.1', port: 0 },
  shutdownGrace: 0,
  ackTimeout: 30_000,
  receiveLimit: 4 * 1024 * 1024,
  maxStreamsPerSecond: 2_000,
  maxConnections: 20_000,
  maxStreamsPerConnection: 1_000,
  connectionAge: { age: 0, grace: 0 },
};

/** Sorts after every manifest of a test, so that the fence is read last. */
const fencePrefix = '~fence-';

/**
 * Starts a control plane with these files in the folder.
 *
 * @param filenames values of `-f`, in which `FOLDER` is replaced; the folder by default
 * @param inside whether the process changes into the folder above and names the folder `manifests`, as a person does
 * @param settle milliseconds that a file has to stand still after it was written in place
 */
export async function startWorld(
  files: Files = {},
  {
    filenames,
    settle = 0,
    inside = false,
    ...settings
  }: Partial<Omit<ServeSettings, 'input'>> & {
    readonly filenames?: readonly string[];
    readonly settle?: number;
    readonly inside?: boolean;
  } = {},
): Promise<RunningWorld> {
  const root = await mkdtemp(join(tmpdir(), 'gatehouse-world-'));
  const folder = join(root, 'manifests');
  await mkdir(folder);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const log = createRecordedLog();
  const roots = inside ? enter(root) : (filenames?.map((name) => name.replace('FOLDER', folder)) ?? [folder]);
  const input = { from: 'files', filenames: roots, debounce: { idle: 2, ceiling: 50 }, settle } as const;
  const all: ServeSettings = { ...quickSettings, ...settings, input };
  const fences = createFences();
  const app = await startApp(
    all,
    { clock: systemClock, random: () => 0, log, logLevel: { level: 'info', lostLines: 0 } },
    (_, batch) => fences.committed(batch),
  );
  const nodes: GatewayNode[] = [];
  let written = 0;

  /** Writes atomically, as editors do: a truncated file would be read as one without objects. */
  const writeWhole = async (name: string, text: string): Promise<void> => {
    const hidden = join(folder, '.written');
    await writeFile(hidden, text);
    await rename(hidden, join(folder, name));
  };

  /**
   * Writes a GatewayClass and waits for the commit that has it: earlier files have been read by then. Each fence has a new
   * name, so that a scan that began earlier cannot contain it.
   */
  const applied = async (): Promise<void> => {
    await rm(join(folder, `${fencePrefix}${written}.yaml`), { force: true });
    written += 1;
    const passed = fences.passed(`fence-${written}`);
    await writeWhole(`${fencePrefix}${written}.yaml`, fenceManifest(written, all.controllerName));
    await passed;
  };
  const write: RunningWorld['write'] = async (changes) => {
    for (const [name, text] of Object.entries(changes)) {
      if (text === undefined) await rm(join(folder, name));
      else await writeWhole(name, text);
    }
    await applied();
  };
  const get: RunningWorld['get'] = async (listener, path) => {
    const response = await fetch(`http://${formatHostPort(app.listening[listener])}${path}`);
    return { status: response.status, body: await response.text() };
  };
  return {
    app,
    log,
    folder,
    write,
    applied,
    get,
    become: async (wanted) => {
      const present = (await readdir(folder)).filter((name) => !name.startsWith(fencePrefix));
      await write({ ...Object.fromEntries(present.map((name) => [name, undefined])), ...wanted });
    },
    node: (gateway, claims) => {
      const node = new GatewayNode(formatHostPort(app.listening.xds), gateway, claims).connect();
      nodes.push(node);
      return node;
    },
    problems: async () => {
      const { body } = await get('debug', '/snapshots/xds');
      const view: { problems: readonly InputDiagnostic[] } = JSON.parse(body);
      return view.problems;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(nodes.map((node) => node.close()));
      await app.stop();
      await rm(root, { recursive: true });
    },
  };
}

/** Makes `manifests` the name of the folder in this one. */
function enter(root: string): readonly string[] {
  process.chdir(root);
  return ['manifests'];
}

function fenceManifest(number: number, controllerName: string): string {
  return JSON.stringify({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: `fence-${number}` },
    spec: { controllerName },
  });
}

/** Tells when a GatewayClass is a part of what is served. */
function createFences(): { readonly committed: (batch: Batch) => void; passed(name: string): Promise<void> } {
  const waiting = new Map<string, () => void>();
  /** Those in the parts of a change of which more follows. */
  let inParts: readonly string[] = [];
  return {
    committed({ changes, more }) {
      inParts = [...inParts, ...changes.filter(({ kind }) => kind === 'GatewayClass').map(({ key }) => key)];
      if (more === true) return;
      for (const name of inParts) waiting.get(name)?.();
      inParts = [];
    },
    passed(name) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.set(name, resolve);
      return promise;
    },
  };
}
