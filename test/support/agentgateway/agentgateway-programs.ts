import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../gateway/everything-server.ts';
import { type GatehouseProcess, gatehouse } from '../processes/gatehouse-process.ts';
import { fence, listens, writeManifests } from '../processes/guide-programs.ts';
import { ownKeys } from './agentgateway-caller.ts';
import { type AgentgatewayProcess, startAgentgateway } from './agentgateway-process.ts';

const examples = fileURLToPath(new URL('../../../deploy/examples/agentgateway', import.meta.url));

/** The control plane, agentgateway, and the sample tool, as processes, with the example's manifests. */
export interface AgentgatewayPrograms extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` of agentgateway. */
  readonly url: string;
  /** The address of the control plane. */
  readonly xds: string;
  /** The address of the sample tool. */
  readonly tool: string;
  readonly node: AgentgatewayProcess;
  control(): GatehouseProcess;
  /** Writes manifests, `undefined` removes one; settles once all nodes of the Gateway, and at least so many, have. */
  write(files: Readonly<Record<string, string | undefined>>, nodes?: number): Promise<void>;
  /** Writes manifests while nobody reads them. */
  writeOnly(files: Readonly<Record<string, string | undefined>>): Promise<void>;
  /** Settles once all nodes of the Gateway, and at least so many, have acknowledged what there is. */
  acknowledged(nodes?: number): Promise<void>;
  /** Kills the control plane, runs the callback, and starts another one at the same port. */
  whileControlPlaneIsDown(act: () => Promise<void>): Promise<void>;
  /** Fetches JSON from the debug listener, or the metrics as text. */
  ask(listener: 'debug' | 'metrics', path: string): Promise<string>;
}

const gatewayName = 'mcp-gateway';

/** The example's policy, as it stands. */
export const guidePolicy: Promise<string> = readFile(join(examples, '5-mcpauthpolicy.yaml'), 'utf8');

/** Targets are on this machine, and files are written whole. */
const serveFlags = ['--allow-loopback-targets', '--settle=0s'];

/** @param flags of `serve` */
export async function startAgentgatewayPrograms(flags: readonly string[] = []): Promise<AgentgatewayPrograms> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-agentgateway-'));
  const [port, xdsPort] = await Promise.all([freePort(), freePort()]);
  const tool = gatehouse(['mcp-tool', '--sse', '--host=127.0.0.1', '--port=0']);
  const toolAddress = await tool.listening('mcp');
  const [, toolPort = ''] = toolAddress.split(':');
  await cp(join(examples, '1-gatewayclass.yaml'), join(folder, '1-gatewayclass.yaml'));
  const gateway = await readFile(join(examples, '2-gateway.yaml'), 'utf8');
  await writeFile(join(folder, '2-gateway.yaml'), gateway.replace('port: 8080', `port: ${port}`));
  await writeFile(join(folder, '3-mcp-tool.yaml'), serviceAt('mcp-tool', Number(toolPort)));
  const serve = (): GatehouseProcess =>
    gatehouse(['serve', '-f', folder, ...serveFlags, ...listens({ xds: xdsPort }), ...flags]);
  let control = serve();
  let fences = 0;
  const xds = await control.listening('xds');
  const node = await startAgentgateway(xds, gatewayName);
  const ask = async (listener: 'debug' | 'metrics', path: string): Promise<string> =>
    (await fetch(`http://${await control.listening(listener)}${path}`)).text();
  const acknowledged = async (nodes = 1): Promise<void> => {
    for (;;) {
      const { gateways }: SnapshotsAnswer = JSON.parse(
        await ask('debug', `/snapshots/xds?gateway=default/${gatewayName}`),
      );
      const connected = gateways.flatMap((gateway) => gateway.nodes);
      if (connected.length >= nodes && connected.every(({ synced }) => synced)) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };
  return {
    url: `http://127.0.0.1:${port}`,
    xds,
    tool: toolAddress,
    node,
    control: () => control,
    writeOnly: (files) => writeManifests(folder, files),
    acknowledged,
    ask,
    async write(files, nodes) {
      // The last file is read after the others, and its log line is written after the commit.
      fences += 1;
      await writeManifests(folder, { ...files, [`~${fences}.yaml`]: fence(fences) });
      await control.line(`"GatewayClass fence-${fences}"`);
      await acknowledged(nodes);
    },
    async whileControlPlaneIsDown(act) {
      control.signal('SIGKILL');
      await control.ended();
      await act();
      control = serve();
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([node, control, tool].map((program) => program[Symbol.asyncDispose]()));
      await rm(folder, { recursive: true });
    },
  };
}

interface SnapshotsAnswer {
  readonly gateways: readonly { readonly nodes: readonly { readonly synced: boolean }[] }[];
}

/** A Gateway with one listener. */
export function gatewayAt(name: string, port: number): string {
  const listener = `{ name: http, port: ${port}, protocol: kgateway.dev/mcp, allowedRoutes: { namespaces: { from: All } } }`;
  return `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: ${name} }
spec: { gatewayClassName: mcp, listeners: [${listener}] }
`;
}

interface ServiceFields {
  readonly appProtocol?: string;
  readonly path?: string;
}

/** A Service of a server of this machine. */
export function serviceAt(
  name: string,
  port: number,
  { appProtocol = 'kgateway.dev/mcp', path = '' }: ServiceFields = {},
): string {
  const annotations = path === '' ? '' : `, annotations: { kgateway.dev/mcp-path: ${path} }`;
  return `
apiVersion: v1
kind: Service
metadata: { name: ${name}${annotations} }
spec: { clusterIP: 127.0.0.1, ports: [{ port: ${port}, appProtocol: ${appProtocol} }] }
`;
}

/** A policy that says that the test's own issuer may sign, and nothing else. @param source inline keys, or a uri */
export function signers(source: string = `{ inline: '${ownKeys}' }`, gateway: string = gatewayName): string {
  return policyWith('signers', gateway, `jwt: { providers: [{ issuer: own, audiences: [me.com], jwks: ${source} }] }`);
}

/** A policy that allows a subject one thing. */
export function rules(
  name: string,
  subject: string,
  kind: 'tool' | 'prompt' | 'resource',
  item: string,
  gateway: string = gatewayName,
): string {
  const match = `{ type: JWT, jwt: { claim: sub, value: ${subject} } }`;
  return policyWith(name, gateway, `rules: [{ matches: [${match}], resource: { kind: ${kind}, name: "${item}" } }]`);
}

function policyWith(name: string, gateway: string, fields: string): string {
  return `
apiVersion: gateway.kgateway.dev/v1alpha1
kind: MCPAuthPolicy
metadata: { name: ${name} }
spec:
  targetRefs: [{ name: ${gateway} }]
  ${fields}
`;
}
