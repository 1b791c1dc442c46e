import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from '../../../support/api-server/kube-certificates.ts';
import { freePort } from '../../../support/gateway/everything-server.ts';
import { isSubject, mcpGateway, openGateway, policyWith, together } from '../../../support/worlds/manifests.ts';
import { emptyList, honestPage, pageOf, sendResult, startBareTarget, type TargetMessage } from './bare-target.ts';
import { gatewayClients } from './gateway-clients.ts';
import type { HonestClients } from './honest.ts';
import { audience, issuerName, startIssuer } from './issuer.ts';
import { mcpTarget, rival, writeManifest } from './manifest-folder.ts';
import type { Attack, Victim, WorldOptions } from './model.ts';
import { healthClients, nodeClients } from './node-clients.ts';
import { startWatched, type WatchedProcess } from './watched-process.ts';

/** A control plane, and for its attacks a gateway, with honest clients. */
export interface World extends AsyncDisposable {
  readonly victim: Victim;
  /** The program that is attacked. */
  readonly attacked: WatchedProcess;
  readonly honest: HonestClients;
  /** The port of the attacked program's metrics. */
  readonly metrics: number;
}

/** Starts the programs that an attack needs, and waits until they serve. */
export async function startWorld(program: Attack['program'], options: WorldOptions = {}): Promise<World> {
  const cleanUp = new AsyncDisposableStack();
  try {
    const world = await start(program, options, cleanUp);
    return { ...world, [Symbol.asyncDispose]: () => cleanUp.disposeAsync() };
  } catch (error) {
    await cleanUp.disposeAsync();
    throw error;
  }
}

async function start(
  program: Attack['program'],
  options: WorldOptions,
  cleanUp: AsyncDisposableStack,
): Promise<Omit<World, keyof AsyncDisposable>> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-hostile-'));
  cleanUp.defer(() => rmSync(folder, { recursive: true, force: true }));
  const [apiServer, target, issuer] = await Promise.all([freePort(), freePort(), startIssuer()]);
  cleanUp.defer(() => issuer.close());
  const control = cleanUp.use(startWatched('serve', serveArguments(folder, apiServer, program, options)));
  const listeners = ['xds', 'metrics', 'debug', 'admin'].map((name) => control.listening(name));
  const [xds = 0, metrics = 0, debug = 0, ofOperators = 0] = await Promise.all(listeners);
  const { port, privateKey } = issuer;
  const before: Victim = {
    gateway: 0,
    admin: ofOperators,
    xds,
    metrics,
    debug,
    folder,
    target,
    apiServer,
    issuer: port,
    issuerKey: privateKey,
  };
  if (program === 'serve') {
    const honest = options.input === 'cluster' ? healthClients(before) : await nodeClients(before);
    cleanUp.defer(() => honest.close());
    return { victim: before, attacked: control, honest, metrics };
  }
  const honestTarget = await startBareTarget({ port: 0, answer: answerHonestly });
  cleanUp.defer(() => honestTarget.close());
  const gateway = cleanUp.use(startWatched('gateway', gatewayArguments(before, honestTarget.port, options), pod));
  const admin = await gateway.listening('admin');
  const victim: Victim = { ...before, gateway: await gateway.listening('mcp'), admin };
  const honest = await gatewayClients(victim, await issuer.token({ sub: 'honest' }));
  cleanUp.defer(() => honest.close());
  return { victim, attacked: gateway, honest, metrics: admin };
}

function serveArguments(
  folder: string,
  apiServer: number,
  program: Attack['program'],
  { input = 'folder', tls = false, services = 0 }: WorldOptions,
): readonly string[] {
  const listeners = ['xds', 'debug', 'metrics', 'admin'].map((name) => `--${name}-listen=127.0.0.1:0`);
  if (input === 'folder') {
    writeManifest(folder, 'base.yaml', baseManifests(program));
    writeServices(folder, services);
    return ['-f', folder, ...listeners, ...(tls ? securedArguments(folder) : [])];
  }
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, JSON.stringify(kubeconfigOf(apiServer)));
  return ['--kubeconfig', kubeconfig, ...listeners];
}

/** Services in one file: the parser of long ones is a thread, which is not what is attacked. */
const servicesPerFile = 200;

function writeServices(folder: string, count: number): void {
  for (let first = 0; first < count; first += servicesPerFile) {
    const last = Math.min(first + servicesPerFile, count);
    const services = Array.from({ length: last - first }, (_, index) => mcpTarget(`default/large-${first + index}`));
    writeManifest(folder, `large-${first}.yaml`, services.join('---\n'));
  }
}

function securedArguments(folder: string): readonly string[] {
  const { cert, key } = createAuthority('bench').issue();
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
  const certificate = [`--xds-tls-cert=${files.cert}`, `--xds-tls-key=${files.key}`];
  return ['--xds-tls=either', ...certificate, '--allow-http-jwks', '--allow-private-jwks'];
}

/**
 * Callers: `honest` may use the honest target; a token with the role `reader` a resource and tools of the hostile one; one
 * with the role `all` everything.
 */
function baseManifests(program: Attack['program']): string {
  // Something of each hostile target, too: a list that is filtered asks no other targets. They come later, which is a hint.
  const hostile = program === 'gateway' ? hostileNames.map((name) => `${name}:none`) : [];
  const usable = ['default/honest:echo', 'default/honest:wait', ...hostile];
  const honest = usable.map((name) => rule(isSubject('honest'), 'tool', name));
  const isReader = '{ type: JWT, jwt: { claim: role, value: reader } }';
  const reader = [
    rule(isReader, 'tool', 'default/honest:wait'),
    rule(isReader, 'tool', 'default/hostile-1:large'),
    rule(isReader, 'resource', 'default/hostile-1:file:///a'),
  ];
  const isAll = '{ type: JWT, jwt: { claim: role, value: all } }';
  const all = [rule(isAll, 'tool', '*'), rule(isAll, 'resource', '*')];
  const gateways = '[{ name: gw }]';
  return together(
    openGateway,
    mcpTarget('default/honest'),
    policyWith('default/honest', gateways, `[${honest}]`),
    policyWith('default/reader', gateways, `[${reader}]`),
    policyWith('default/all', gateways, `[${all}]`),
    ...(program === 'serve' ? ownManifests : []),
  );
}

/** A Gateway that serves its own namespace alone, in which no attacker has anything. */
const ownManifests: readonly string[] = [
  mcpGateway('own/gw', 'from: Same'),
  mcpTarget('own/honest'),
  policyWith('own/honest', '[{ name: gw }]', `[${rule(isSubject('honest'), 'tool', 'own/honest:echo')}]`),
];

function rule(match: string, kind: 'tool' | 'resource', name: string): string {
  return `{ matches: [${match}], resource: { kind: ${kind}, name: "${name}" } }`;
}

function kubeconfigOf(port: number): object {
  const cluster = { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true };
  return {
    'current-context': 'bench',
    clusters: [{ name: 'bench', cluster }],
    users: [{ name: 'bench', user: {} }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
  };
}

/** Services whose targets are the attackers'. */
const hostileNames = Array.from({ length: 32 }, (_, index) => `default/hostile-${index + 1}`);

const pod = { POD_NAMESPACE: 'default', POD_NAME: 'gw-0', GW_NAME: 'gw', NODE_NAME: 'node' };

function gatewayArguments(
  victim: Victim,
  honest: number,
  { list = 'all', maxSessions }: WorldOptions,
): readonly string[] {
  const config = {
    type: 'xds',
    xds_address: `http://127.0.0.1:${victim.xds}`,
    listener: {
      type: 'sse',
      host: '127.0.0.1',
      port: 0,
      authn: {
        type: 'jwt',
        issuer: [issuerName],
        audience: [audience],
        jwks: { type: 'remote', url: `http://127.0.0.1:${victim.issuer}`, path: 'keys' },
      },
    },
  };
  const service = (name: string): string => `${name}.default.svc.cluster.local:80`;
  const hostile = [rival, ...hostileNames].map(
    (name) => `--resolve=${service(name.slice('default/'.length))}=127.0.0.1:${victim.target}`,
  );
  return [
    `--config=${JSON.stringify(config)}`,
    `--resolve=${service('honest')}=127.0.0.1:${honest}`,
    ...hostile,
    '--admin-listen=127.0.0.1:0',
    `--list=${list}`,
    ...(maxSessions === undefined ? [] : [`--max-sessions=${maxSessions}`]),
  ];
}

/**
 * The tools of the honest target: `echo` answers with its text, `wait` after a number of milliseconds, and `show` refers
 * to its page.
 */
function answerHonestly(message: TargetMessage, response: ServerResponse): void {
  const { name, arguments: input }: { readonly name?: string; readonly arguments?: { text?: string; ms?: number } } =
    message.params ?? {};
  const reply = (): void => sendResult(response, message, { content: [{ type: 'text', text: input?.text ?? 'late' }] });
  const show = { ...tool('show'), _meta: { ui: { resourceUri: honestPage } } };
  if (message.method === 'tools/list') sendResult(response, message, { tools: [tool('echo'), tool('wait'), show] });
  else if (message.method === 'resources/read') sendResult(response, message, pageOf('honest'));
  else if (message.method !== 'tools/call') sendResult(response, message, emptyList);
  else if (name === 'wait') setTimeout(reply, input?.ms ?? 1_000);
  else reply();
}

function tool(name: string): object {
  return { name, inputSchema: { type: 'object' } };
}
