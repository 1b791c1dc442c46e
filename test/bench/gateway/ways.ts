import { join } from 'node:path';
import { freePort } from '../../support/gateway/everything-server.ts';
import { mcpGwBinary, startMcpGw } from '../../support/mcp-gw/mcp-gw-process.ts';
import { policyWith, serviceWith, together } from '../../support/worlds/manifests.ts';
import { startChildProcess } from '../child-process.ts';
import { send } from '../hostile/programs/http-client.ts';
import { audience, issuerName, signToken } from '../hostile/programs/issuer.ts';
import { mcpTarget, writeManifest } from '../hostile/programs/manifest-folder.ts';
import type { Victim } from '../hostile/programs/model.ts';
import { cpuTimeOf, footprintOf } from '../hostile/programs/watched-process.ts';
import { startWorld } from '../hostile/programs/world.ts';
import { startBenchTarget } from './bench-target.ts';
import { type BenchCaller, type CallerSettings, sseCaller, streamableCaller } from './callers.ts';
import type { FromProxy } from './proxy-process.ts';

/** How the target speaks: JSON responses of Streamable HTTP, or HTTP+SSE, the only one of the gateways of spring 2025. */
export type Behind = 'json' | 'sse';

/** One way to the tool. */
export interface Way extends Between {
  readonly name: string;
  readonly behind: Behind;
  open(caller?: Pick<CallerSettings, 'agent'>): Promise<BenchCaller>;
}

/** What is between caller and target. */
interface Between {
  /** CPU time so far of its process, in milliseconds. */
  cpuTime(): number;
  /** Bytes of the resident memory of that process. */
  resident(): number;
}

/** The target, and everything that is between it and callers. */
export interface Programs extends AsyncDisposable {
  readonly token: string;
  readonly target: { readonly port: number };
  readonly proxy: Between & { readonly port: number };
  readonly gateway: Between & { readonly port: number };
  /** The gateway of spring 2025, if there is a binary. */
  readonly spring: (Between & { readonly port: number }) | undefined;
}

/** The thousand sessions of the bench, and those of the callers before. */
const maxSessions = 2_000;

/** The tool's names behind the gateways, by target. */
const tools = { json: 'default/hostile-1:large', sse: 'default/hostile-2:large' };

export async function startPrograms(): Promise<Programs> {
  await using starting = new AsyncDisposableStack();
  const { victim, attacked } = starting.use(await startWorld('gateway', { maxSessions }));
  starting.use(await startBenchTarget(victim.target));
  const file = new URL('./proxy-process.ts', import.meta.url);
  const proxy = startChildProcess<never, FromProxy>(file, String(victim.target));
  starting.defer(() => proxy.stop());
  const { port, pid } = await proxy.next('listening');
  await addTargets(victim);
  const spring = mcpGwBinary === undefined ? undefined : starting.use(await startSpringGateway(victim));
  const started = starting.move();
  return {
    token: await signToken(victim.issuerKey, { sub: 'bench', role: 'reader' }),
    target: { port: victim.target },
    proxy: { port, ...processOf(pid) },
    gateway: {
      port: victim.gateway,
      cpuTime: () => attacked.cpuTime(),
      resident: () => attacked.footprint()?.resident ?? Number.NaN,
    },
    spring: spring && { port: spring.port, ...processOf(spring.pid) },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

function processOf(pid: number): Between {
  return { cpuTime: () => cpuTimeOf(pid), resident: () => footprintOf(pid)?.resident ?? Number.NaN };
}

/** Directly, through a bare proxy, through the gateway, and through that of spring 2025 if there is a binary. */
export function waysTo({ token, target, proxy, gateway, spring }: Programs): readonly Way[] {
  const nothing: Between = { cpuTime: () => 0, resident: () => Number.NaN };
  const bare = (port: number): CallerSettings => ({ port, tool: 'large', token });
  const ofGateway = { port: gateway.port, token };
  return [
    { name: 'direct, JSON', behind: 'json', ...nothing, open: () => streamableCaller(bare(target.port), 'none') },
    { name: 'bare proxy → JSON', behind: 'json', ...proxy, open: () => streamableCaller(bare(proxy.port), 'none') },
    mcpWay('json', gateway, ofGateway, 'silent'),
    sseWay('gateway', 'json', gateway, ofGateway),
    { name: 'direct, SSE', behind: 'sse', ...nothing, open: () => sseCaller(bare(target.port)) },
    { name: 'bare proxy → SSE', behind: 'sse', ...proxy, open: () => sseCaller(bare(proxy.port)) },
    mcpWay('sse', gateway, ofGateway, 'silent'),
    sseWay('gateway', 'sse', gateway, ofGateway),
    ...(spring === undefined ? [] : [springWay(spring, token)]),
  ];
}

/** Ways that open sessions in a gateway as the clients of SDKs do, with a stream. */
export function sessionWaysTo({ token, gateway, spring }: Programs): readonly Way[] {
  const ofGateway = { port: gateway.port, token };
  return [
    mcpWay('json', gateway, ofGateway, 'listening'),
    mcpWay('sse', gateway, ofGateway, 'listening'),
    sseWay('gateway', 'sse', gateway, ofGateway),
    ...(spring === undefined ? [] : [springWay(spring, token)]),
  ];
}

/** Its calls are made again once: it answers with an error when a target has just closed the connection that it reuses. */
function springWay(spring: Between & { readonly port: number }, token: string): Way {
  const way = sseWay('spring 2025', 'sse', spring, { port: spring.port, token });
  return {
    ...way,
    async open(settings) {
      const caller = await way.open(settings);
      return { ...caller, call: () => caller.call().catch(() => caller.call()) };
    },
  };
}

type Session = Pick<CallerSettings, 'port' | 'token'>;

function mcpWay(behind: Behind, { cpuTime, resident }: Between, session: Session, stream: 'silent' | 'listening'): Way {
  const open: Way['open'] = (caller) => streamableCaller({ ...session, tool: tools[behind], ...caller }, stream);
  return { name: `gateway /mcp → ${words[behind]}`, behind, cpuTime, resident, open };
}

function sseWay(program: string, behind: Behind, { cpuTime, resident }: Between, session: Session): Way {
  const open: Way['open'] = (caller) => sseCaller({ ...session, tool: tools[behind], ...caller });
  return { name: `${program} /sse → ${words[behind]}`, behind, cpuTime, resident, open };
}

const words = { json: 'JSON', sse: 'SSE' };

/** Adds both targets, and a policy for the second one; waits until the gateway has them. */
async function addTargets({ folder, admin: port }: Victim): Promise<void> {
  const isReader = '{ type: JWT, jwt: { claim: role, value: reader } }';
  const rule = `{ matches: [${isReader}], resource: { kind: tool, name: "${tools.sse}" } }`;
  const sse = serviceWith(
    'default/hostile-2',
    '{ ports: [{ port: 80, appProtocol: kgateway.dev/mcp }] }',
    'annotations: { kgateway.dev/mcp-path: /sse }',
  );
  writeManifest(
    folder,
    'bench.yaml',
    together(mcpTarget('default/hostile-1'), sse, policyWith('default/bench', '[{ name: gw }]', `[${rule}]`)),
  );
  const has = async (path: string, text: string): Promise<boolean> =>
    (await send({ port, path, timeout: 60_000 })).text.includes(text);
  while (!(await has('/targets', '"default/hostile-2"')) || !(await has('/rbac', tools.sse))) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

interface SpringGateway extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
}

/** The binary with one target and one rule from its configuration, which it keeps and asks as those of xDS. */
async function startSpringGateway({ folder, target, issuerKey }: Victim): Promise<SpringGateway> {
  const port = await freePort();
  const { d: _, ...key } = issuerKey;
  const jwks = { type: 'local', source: { type: 'inline', data: JSON.stringify({ ...key, use: 'sig' }) } };
  const config = {
    type: 'static',
    listener: {
      type: 'sse',
      host: '127.0.0.1',
      port,
      authn: { type: 'jwt', issuer: [issuerName], audience: [audience], jwks },
    },
    targets: [{ name: 'default/hostile-2', spec: { type: 'sse', host: '127.0.0.1', port: target, path: '/sse' } }],
    policies: [
      { key: 'role', value: 'reader', matcher: { type: 'equals' }, resource: { type: 'tool', id: tools.sse } },
    ],
  };
  const started = await startMcpGw({ file: join(folder, 'mcp-gw.json'), config });
  return { ...started, port };
}
