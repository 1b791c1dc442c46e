import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningApp, startApp } from '../../../src/app/app.ts';
import type { ServeSettings } from '../../../src/app/settings.ts';
import { formatHostPort } from '../../../src/net/host-port.ts';
import type { InputDiagnostic } from '../../../src/source/model.ts';
import { createRecordedLog, type RecordedLog } from '../edges/recorded-log.ts';
import { systemClock } from '../edges/system-clock.ts';
import { GatewayNode, type NodeClaims } from '../nodes/gateway-node.ts';
import type { Files } from './fresh-world.ts';
import { defaultSettings } from './translated-world.ts';

/** The whole control plane on a folder of its own, with nodes over real gRPC. */
export interface RunningWorld extends AsyncDisposable {
  readonly app: RunningApp;
  readonly log: RecordedLog;
  /** The folder that is watched. */
  readonly folder: string;
  /** Writes these files, the others stay; `undefined` removes one. Settles once all of it was applied. */
  write(files: Readonly<Record<string, string | undefined>>): Promise<void>;
  /** From now on the folder holds just these files. Settles once all of it was applied. */
  become(files: Files): Promise<void>;
  /** Settles once what was done in the folder until now was applied. */
  applied(): Promise<void>;
  /** A node that is connected from now on. */
  node(gateway: string, claims?: NodeClaims): GatewayNode;
  problems(): Promise<readonly InputDiagnostic[]>;
  /** What an HTTP listener answers. */
  get(listener: 'debug' | 'metrics', path: string): Promise<{ readonly status: number; readonly body: string }>;
}

/** Every listener at a free port of loopback, and nothing that waits. */
export const quickSettings: Omit<ServeSettings, 'input'> = {
  ...defaultSettings,
  replica: 'here',
  namespaces: [],
  xdsListen: { host: '127.0.0.1', port: 0 },
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

/** Sorts behind every manifest of a test, so that it is read last. */
const fencePrefix = '~fence-';

/** Starts with these files in the folder. `filenames`: what `-f` names instead of it, `FOLDER` standing for it. */
export async function startWorld(
  files: Files = {},
  { filenames, ...settings }: Partial<Omit<ServeSettings, 'input'>> & { readonly filenames?: readonly string[] } = {},
): Promise<RunningWorld> {
  const root = await mkdtemp(join(tmpdir(), 'gatehouse-world-'));
  const folder = join(root, 'manifests');
  await mkdir(folder);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const log = createRecordedLog();
  const roots = filenames?.map((name) => name.replace('FOLDER', folder)) ?? [folder];
  const input = { from: 'files', filenames: roots, debounce: { idle: 2, ceiling: 50 } } as const;
  const all: ServeSettings = { ...quickSettings, ...settings, input };
  const commits = waitingFor();
  const app = await startApp(all, { clock: systemClock, random: () => 0, log }, commits.happened);
  const nodes: GatewayNode[] = [];
  let fences = 0;

  /** At once, as editors do: an empty file that is about to be written would be one without objects. */
  const writeWhole = async (name: string, text: string): Promise<void> => {
    const hidden = join(folder, '.written');
    await writeFile(hidden, text);
    await rename(hidden, join(folder, name));
  };

  /**
   * A class that is the last thing written: once its acceptance was told, everything before it was read. It gets a new
   * name each time, so that no look at the folder that began earlier can have seen it.
   */
  const applied = async (): Promise<void> => {
    await rm(join(folder, `${fencePrefix}${fences}.yaml`), { force: true });
    fences += 1;
    await writeWhole(`${fencePrefix}${fences}.yaml`, fenceManifest(fences, all.controllerName));
    const object = `GatewayClass fence-${fences}`;
    await commits.until(() => log.lines.some(({ fields }) => fields['object'] === object));
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

function fenceManifest(number: number, controllerName: string): string {
  return JSON.stringify({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: `fence-${number}` },
    spec: { controllerName },
  });
}

/** Lets somebody wait until something is true that only a commit can make true. */
function waitingFor(): { readonly happened: () => void; until(condition: () => boolean): Promise<void> } {
  let next = Promise.withResolvers<void>();
  return {
    happened: () => {
      next.resolve();
      next = Promise.withResolvers();
    },
    until: async (condition) => {
      while (!condition()) await next.promise;
    },
  };
}
