import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { controlPlane } from '../../../src/demo/control-plane.ts';
import { type Guide, prepareGuide } from '../../../src/demo/guide.ts';
import { freePort } from '../gateway/everything-server.ts';
import { type GatehouseProcess, gatehouse } from './gatehouse-process.ts';
import { guideToken } from './guide.ts';

const manifests = fileURLToPath(new URL('../../../deploy/examples/guide', import.meta.url));

/** The three programs of the guide, as child processes on free ports. @template Node the gateway */
export interface GuidePrograms<Node = GatehouseProcess> extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` of the gateway. */
  readonly url: string;
  readonly gateway: Node;
  /** Adds the guide's policy to the watched folder, or removes it; settles once the gateway has acknowledged it. */
  addPolicy(): Promise<void>;
  removePolicy(): Promise<void>;
  /** Writes manifests, `undefined` removes one; settles once the gateway has acknowledged what has to change by them. */
  write(files: Readonly<Record<string, string | undefined>>): Promise<void>;
  /** Writes manifests while nobody reads them. */
  writeOnly(files: Readonly<Record<string, string | undefined>>): Promise<void>;
  /** Reads a manifest of the watched folder. */
  read(name: string): Promise<string>;
  /** Kills the control plane, runs the callback, and starts another one at the same port. */
  whileControlPlaneIsDown(act: () => Promise<void>): Promise<void>;
  /** Removes the policy's file without waiting. */
  deletePolicyFile(): Promise<void>;
  /** The official client with the guide's token. */
  connect(path: '/sse' | '/mcp'): Promise<Client>;
}

/** Addresses of this machine that stand for those in the guide's manifests. */
export interface GuideAddresses {
  readonly xds: string;
  readonly tool: string;
}

/** @param resolutions further values of `--resolve` */
export function startGuide(resolutions: readonly string[] = []): Promise<GuidePrograms> {
  return startGuideWith(async ({ mounted }, { xds, tool }) => {
    const gateway = startGateway(mounted, [
      `kgateway.kgateway-system.svc.cluster.local:9977=${xds}`,
      `mcp-tool.default.svc.cluster.local:8080=${tool}`,
      ...resolutions,
    ]);
    await gateway.listening('mcp');
    return gateway;
  });
}

/**
 * @param startNode starts a gateway at the address in its configuration
 * @param flags of `serve`
 */
export async function startGuideWith<Node extends AsyncDisposable>(
  startNode: (guide: Guide, addresses: GuideAddresses) => Promise<Node>,
  flags: readonly string[] = [],
): Promise<GuidePrograms<Node>> {
  const [port, xdsPort] = await Promise.all([freePort(), freePort()]);
  const guide = await prepareGuide(manifests, { host: '127.0.0.1', port });
  const serve = (): GatehouseProcess =>
    gatehouse(['serve', '-f', guide.watched, ...listens({ xds: xdsPort }), ...flags]);
  const sample = gatehouse(['mcp-tool', '--sse', '--host=127.0.0.1', '--port=0']);
  let control = serve();
  const [xds, tool] = await Promise.all([control.listening('xds'), sample.listening('mcp')]);
  const gateway = await startNode(guide, { xds, tool });

  let version: string | undefined;
  const acknowledged = async (previous: string | undefined): Promise<void> => {
    const view = controlPlane(await control.listening('debug'), 'default/mcp-gateway');
    ({ version } = await view.acknowledged(previous));
  };
  const change = async (act: () => Promise<void>): Promise<void> => {
    await act();
    await acknowledged(version);
  };
  let fences = 0;
  /** Several files may come to count one after another, so that a new version does not show that all of them do. */
  const write = async (files: Readonly<Record<string, string | undefined>>): Promise<void> => {
    fences += 1;
    await writeManifests(guide.watched, { ...files, [`~${fences}.yaml`]: fence(fences) });
    await control.line(`"GatewayClass fence-${fences}"`);
    await acknowledged(undefined);
  };
  await change(() => Promise.resolve());
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    gateway,
    addPolicy: () => change(guide.addPolicy),
    removePolicy: () => change(guide.removePolicy),
    deletePolicyFile: guide.removePolicy,
    write,
    writeOnly: (files) => writeManifests(guide.watched, files),
    read: (name) => readFile(join(guide.watched, name), 'utf8'),
    whileControlPlaneIsDown: (act) =>
      change(async () => {
        control.signal('SIGKILL');
        await control.ended();
        await act();
        control = serve();
      }),
    connect: (path) => connect(url, path),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([gateway, control, sample].map((program) => program[Symbol.asyncDispose]()));
      await guide.discard();
    },
  };
}

/**
 * Writes manifests into a watched folder, by rename: a file that is written in place has to stand still before it counts.
 *
 * @param files texts by name; `undefined` removes one
 */
export async function writeManifests(
  folder: string,
  files: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    if (text === undefined) await rm(join(folder, name));
    else {
      await writeFile(join(folder, `.${name}`), text);
      await rename(join(folder, `.${name}`), join(folder, name));
    }
  }
}

/**
 * A manifest that changes nothing that nodes are sent. Named last, it is read after the others that are written with it,
 * and its line of the log is written after their commit.
 */
export function fence(number: number): string {
  return `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: fence-${number} }
spec: { controllerName: kgateway.dev/kgateway }
`;
}

/** The reference gateway with a configuration folder, as the guide's Deployment starts it. */
export function startGateway(mounted: string, resolutions: readonly string[]): GatehouseProcess {
  const resolve = resolutions.map((value) => `--resolve=${value}`);
  return gatehouse(
    ['gateway', '--file=/config/config.json', `--mount=/config=${mounted}`, ...resolve, '--admin-listen=127.0.0.1:0'],
    { POD_NAMESPACE: 'default', POD_NAME: 'mcp-gateway', NODE_NAME: 'mcp-gateway', GW_NAME: 'mcp-gateway' },
  );
}

/** Flags that bind every listener of the control plane to loopback, by default at free ports. */
export function listens(ports: Readonly<Record<string, number>> = {}): readonly string[] {
  return ['xds', 'debug', 'metrics', 'admin'].map((name) => `--${name}-listen=127.0.0.1:${ports[name] ?? 0}`);
}

/** The official client with the guide's token. */
export async function connect(url: string, path: '/sse' | '/mcp'): Promise<Client> {
  const client = new Client({ name: 'test', version: '0' });
  const requestInit = { headers: { authorization: `Bearer ${guideToken}` } };
  const Transport = path === '/sse' ? SSEClientTransport : StreamableHTTPClientTransport;
  const transport = new Transport(new URL(url + path), { requestInit });
  // The package's own types are not made for exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<Client['connect']>[0]);
  return client;
}
