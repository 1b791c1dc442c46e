import { rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { request } from 'node:https';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { Client as McpClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import {
  ServerReflectionClient,
  ServerReflectionRequest,
  type ServerReflectionResponse,
} from '../../src/gen/grpc/reflection/v1/reflection.ts';
import { pdfDocument } from '../mcp-tool/support/pdf-document.ts';
import { heading, wordDocument } from '../mcp-tool/support/word-document.ts';
import { startApiServer } from '../support/api-server/api-server.ts';
import { createAuthority } from '../support/api-server/kube-certificates.ts';
import { createKubeServer } from '../support/api-server/kube-server.ts';
import { portOf } from '../support/gateway/gateway-rig.ts';
import { createIssuer, type Issuer } from '../support/gateway/issuer.ts';
import { type AdsStream, createAdsClient } from '../support/nodes/ads-client.ts';
import { operatorAt } from '../support/nodes/operator.ts';
import { startCollector } from '../support/otlp-collector.ts';
import { type BuiltPackage, buildPackage } from '../support/processes/built-package.ts';
import { listens } from '../support/processes/guide-programs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { targetType } from '../support/worlds/hand-made-world.ts';
import { mcpService, openGateway, policy, policyWith, together } from '../support/worlds/manifests.ts';
import { nodeOf } from '../support/worlds/served-world.ts';

/**
 * Uses every module that is loaded when it is used, from dist/. The other tests run src/, where Node loads packages by
 * other rules: what works there can fail in the package.
 */

/** Milliseconds until a test counts as one that hangs: each starts several programs without a compile cache. */
const patience = 240_000;

let built: BuiltPackage;
beforeAll(async () => {
  built = await buildPackage();
}, patience);
afterAll(() => built[Symbol.asyncDispose]());

const world = together(openGateway, mcpService('default/tool'), policy('default/p', 'gw'));

/** Writes files into a new folder, and returns it. */
async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

async function listening(server: Server, host = '127.0.0.1'): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => server.closeAllConnections());
  onTestFinished(() => void server.close());
  return `http://${host}:${portOf(server.address())}`;
}

/** Opens the stream of a node that shows a token of its ServiceAccount. */
async function nodeAt(xds: string, ca: string, issuer: Issuer): Promise<AdsStream> {
  const claims = { iss: 'kube', aud: 'gatehouse', exp: 4_000_000_000, sub: 'system:serviceaccount:default:gw' };
  const client = createAdsClient(`localhost:${xds.split(':')[1]}`, credentials.createSsl(Buffer.from(ca)));
  onTestFinished(() => client.close());
  const stream = client.open({ headers: { authorization: `Bearer ${await issuer.sign(claims)}` } });
  stream.request(targetType, { node: { ...nodeOf('default/gw'), id: 'node-7' } });
  return stream;
}

/** GETs with TLS and a token. */
function secureGet(port: number, path: string, ca: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const headers = { authorization: 'Bearer token-of-an-operator' };
  request({ host: '127.0.0.1', port, path, ca, headers }, async (response) => {
    resolve(Buffer.concat(await response.toArray()).toString());
  })
    .on('error', reject)
    .end();
  return promise;
}

it.each([
  ['in the process', ''],
  ['in a process of its own', `# ${'-'.repeat(9_000)}\n`],
])('the package parses manifests %s, and names the place of what is wrong', async (_, before) => {
  const policyWithoutMatch = policyWith('default/q', '[{ name: gw }]', '[{ resource: { kind: tool, name: "*" } }]');
  const folder = await folderWith({ 'a.yaml': before + together(openGateway, policyWithoutMatch) });
  const { code, stdout } = await built.run(['check', folder]);
  expect({ code, stdout }).toEqual({
    code: 1,
    stdout: expect.stringMatching(/a\.yaml:\d+:\d+: error: .*rules\[0\]/),
  });
});

it('the package translates manifests, and says what differs', async () => {
  const [before, after] = [await folderWith({ 'a.yaml': world }), await folderWith({ 'a.yaml': openGateway })];
  expect((await built.run(['translate', before, '-o', 'yaml'])).stdout).toContain('default/tool');
  expect((await built.run(['translate', after, '--diff', before])).stdout).toContain('default/tool');
});

it('the package makes keys and tokens, and explains what a token may do', async () => {
  const folder = await folderWith({ 'a.yaml': world });
  expect(await built.run(['keys', 'new', '-d', join(folder, 'keys')])).toMatchObject({ code: 0 });
  const key = join(folder, 'keys/private-key.json');
  const { stdout: token } = await built.run(['token', '--key', key, '--claims', '{"sub":"me"}']);
  const asked = ['explain', '-f', folder, '--token', token.trim(), '--tool', 'default/tool:run'];
  expect((await built.run(asked)).stdout).toContain('allowed: the tool "default/tool:run"');
});

it('the package completes commands in a shell', async () => {
  expect((await built.run(['completion', 'bash'])).stdout).toContain('complete ');
});

it('the package tells the story of the guide', { timeout: patience }, async () => {
  const { stdout } = await built.run(['demo', '--once', '--ports=0']);
  expect(stdout).toContain('The same call is ALLOWED');
  const logs = /The logs of the programs are in (\S+)\n$/.exec(stdout)?.[1] ?? '';
  await rm(dirname(logs), { recursive: true });
});

/** An address of this machine that is not loopback, where keys are never fetched. */
const address = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

it('the control plane of the package fetches keys, exports traces, verifies tokens of nodes, and answers the page and operators', {
  timeout: patience,
}, async () => {
  const [issuer, nodes, authority] = [await createIssuer('ES256', 'k'), await createIssuer(), createAuthority('built')];
  await using collector = await startCollector();
  const keys = createServer((_, response) => void response.end(JSON.stringify({ keys: [issuer.jwk] })));
  const uri = address === undefined ? '' : `${await listening(keys, address)}/keys`;
  const signers = `
apiVersion: gateway.kgateway.dev/v1alpha1
kind: MCPAuthPolicy
metadata: { name: signers, namespace: default }
spec: { targetRefs: [{ name: gw }], jwt: { providers: [{ issuer: me, audiences: [me], jwks: { uri: "${uri}" } }] } }
`;
  const manifests = await folderWith({ 'a.yaml': address === undefined ? world : together(world, signers) });
  const { cert, key } = authority.issue();
  const secrets = await folderWith({ cert, key, jwks: JSON.stringify({ keys: [nodes.jwk] }) });
  const tls = ['--xds-tls=on', `--xds-tls-cert=${secrets}/cert`, `--xds-tls-key=${secrets}/key`];
  const auth = ['--xds-auth=token', `--xds-auth-jwks=${secrets}/jwks`, '--xds-auth-issuer=kube'];
  const fetching = ['--allow-http-jwks', '--allow-private-jwks'];
  await using serve = built.start(['serve', '-f', manifests, ...listens(), ...tls, ...auth, ...fetching], {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
  });
  await serve.line('synced: everything was read once');
  const debug = `http://${await serve.listening('debug')}`;
  const get = async (path: string): Promise<string> => (await fetch(debug + path)).text();
  if (address !== undefined) expect(await get('/snapshots/xds')).toContain('says who may sign tokens: me.');
  expect(await get('/debug/object?kind=MCPAuthPolicy&key=default/p')).toContain('"rules":[{"key":"sub","value":"me"');
  expect(await get('/')).toContain('<html');

  const stream = await nodeAt(await serve.listening('xds'), authority.cert, nodes);
  expect((await stream.accept()).names).toEqual(['default/tool']);
  expect((await built.run(['nodes', '--server', debug])).stdout).toContain('node-7');

  const operator = operatorAt(await serve.listening('admin'));
  onTestFinished(() => operator.close());
  const regex = (text: string): object => ({
    nodeMatchers: [{ nodeId: { matchPattern: { $case: 'safeRegex', value: { regex: text } } } }],
  });
  expect((await operator.ask(regex('node-[0-9]'))).map(({ clientScope }) => clientScope)).toEqual(['default/gw']);
  expect(await operator.ask(regex('node'))).toEqual([]);
  expect(await servicesAt(operator.address)).toContain('envoy.service.status.v3.ClientStatusDiscoveryService');

  await writeFile(join(manifests, 'b.yaml'), mcpService('default/other'));
  expect((await stream.accept()).names).toEqual(['default/other']);
  serve.signal('SIGTERM');
  expect(await serve.ended()).toMatchObject({ code: 0 });
  expect(collector.spans.map(({ name }) => name)).toContain('commit');
});

it('the control plane of the package watches a cluster, asks it who operators and nodes are, and shows them its objects', {
  timeout: patience,
}, async () => {
  const api = await startApiServer();
  api.put('GatewayClass', { name: 'mcp', spec: { controllerName: 'kgateway.dev/kgateway' } });
  const user = { authenticated: true, user: { username: 'system:serviceaccount:default:gw' } };
  const answers = {
    '/apis/authentication.k8s.io/v1/tokenreviews': {
      kind: 'TokenReview',
      status: { ...user, audiences: ['gatehouse'] },
    },
    '/apis/authorization.k8s.io/v1/subjectaccessreviews': { kind: 'SubjectAccessReview', status: { allowed: true } },
  };
  for (const [path, answer] of Object.entries(answers)) {
    api.injectFault((asked) => asked.path === path, { does: 'say', text: JSON.stringify(answer), next: 'end' });
  }
  const authority = createAuthority('built');
  const { cert, key } = authority.issue();
  const secrets = await folderWith({ cert, key, kubeconfig: kubeconfigText(api.url, {}) });
  const tls = [`--xds-tls=on`, `--xds-tls-cert=${secrets}/cert`, `--xds-tls-key=${secrets}/key`];
  const auth = ['--xds-auth=token', '--debug-auth=token', '--debug-listen=0.0.0.0:0', '--write-status=false'];
  await using serve = built.start(['serve', `--kubeconfig=${secrets}/kubeconfig`, ...listens(), ...tls, ...auth]);
  await serve.line('synced: everything was read once');
  const port = Number((await serve.listening('debug')).split(':')[1]);
  const answer = await secureGet(port, '/debug/object?kind=GatewayClass&key=mcp', authority.cert);
  expect(answer).toContain('controllerName: kgateway.dev/kgateway');
  const stream = await nodeAt(await serve.listening('xds'), authority.cert, await createIssuer());
  expect(await stream.ended()).toMatchObject({ message: expect.stringContaining('default/gw') });
  expect((await built.run(['check', `--kubeconfig=${secrets}/kubeconfig`])).stdout).toContain('0 Gateways');
});

function kubeconfigText(server: string, user: object): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'here', user: 'me' } }],
    clusters: [{ name: 'here', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'me', user }],
  });
}

const idToken = `${base64url({ alg: 'none' })}.${base64url({ exp: 4_000_000_000 })}.x`;
const provider = (name: string, config: object): object => ({ 'auth-provider': { name, config } });
const credential = {
  apiVersion: 'client.authentication.k8s.io/v1',
  kind: 'ExecCredential',
  status: { token: 'a-token' },
};

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

it.each<[string, object, string]>([
  ['azure', provider('azure', { 'access-token': 'a-token', expiry: '2090-01-01T00:00:00Z' }), 'a-token'],
  ['gcp', provider('gcp', { 'access-token': 'a-token', expiry: '2090-01-01T00:00:00Z' }), 'a-token'],
  ['oidc', provider('oidc', { 'id-token': idToken, 'client-id': 'x' }), idToken],
  [
    'a program',
    { exec: { ...credential, kind: undefined, command: '/bin/echo', args: [JSON.stringify(credential)] } },
    'a-token',
  ],
  ['a file', { tokenFile: 'token' }, 'a-token'],
])('the package asks a cluster with the credentials of %s', async (_, user, token) => {
  const server = await createKubeServer({
    protocol: 'http/1.1',
    identity: createAuthority('built').issue(),
    answer: (asked) => {
      asked.head(403, { 'content-type': 'application/json' });
      asked.end('{}');
    },
  });
  onTestFinished(server.stop);
  const folder = await folderWith({ kubeconfig: kubeconfigText(server.url, user), token: 'a-token\n' });
  expect(await built.run(['check', `--kubeconfig=${folder}/kubeconfig`])).toMatchObject({ code: 3 });
  expect(server.seen[0]?.headers.authorization).toBe(`Bearer ${token}`);
});

async function servicesAt(address: string): Promise<readonly string[]> {
  const client = new ServerReflectionClient(address, credentials.createInsecure());
  const call = client.serverReflectionInfo();
  call.on('error', () => {});
  try {
    call.write(ServerReflectionRequest.fromPartial({ messageRequest: { $case: 'listServices', value: '' } }));
    const { messageResponse }: ServerReflectionResponse = (await call[Symbol.asyncIterator]().next()).value;
    return messageResponse?.$case === 'listServicesResponse'
      ? messageResponse.value.service.map(({ name }) => name)
      : [];
  } finally {
    client.close();
  }
}

it('the gateway of the package finds the keys of an issuer, and calls on from its state while the control plane is away', {
  timeout: patience,
}, async () => {
  const issuer = await createIssuer('ES256', 'k');
  const server = createServer((asked, response) => {
    const metadata = { issuer: url, jwks_uri: `${url}/keys` };
    response.end(JSON.stringify(asked.url === '/keys' ? { keys: [issuer.jwk] } : metadata));
  });
  const url = await listening(server);
  await using tool = built.start(['mcp-tool', '--host=127.0.0.1', '--port=0']);
  const manifests = await folderWith({ 'a.yaml': together(world, mcpService('default/sample', '10.0.0.2')) });
  await using serve = built.start(['serve', '-f', manifests, ...listens()]);
  const config = {
    type: 'xds',
    xds_address: `http://${await serve.listening('xds')}`,
    alt_xds_hostname: 'gw.default',
    listener: {
      type: 'sse',
      host: '127.0.0.1',
      port: 0,
      authn: { type: 'jwt', audience: ['me'], issuers: [{ issuer: url }] },
    },
  };
  const state = temporaryFolder();
  const flags = [`--config=${JSON.stringify(config)}`, `--resolve=10.0.0.2:80=${await tool.listening('mcp')}`];
  const options = ['--admin-listen=127.0.0.1:0', `--state=${state}`, '--names=portable'];
  const token = await issuer.sign({ iss: url, aud: 'me', sub: 'me', exp: 4_000_000_000 });
  const convert = async (gateway: string, uri: string): Promise<unknown> => {
    const client = new McpClient({ name: 'test', version: '0' });
    const requestInit = { headers: { authorization: `Bearer ${token}` } };
    await client.connect(new StreamableHTTPClientTransport(new URL(`http://${gateway}/mcp`), { requestInit }) as never);
    const { content } = await client.callTool({ name: 'default_sample__convert_to_markdown', arguments: { uri } });
    await client.close();
    return content;
  };
  const documents = {
    '# web': 'data:text/html,<h1>web</h1>',
    '# word': `data:;base64,${wordDocument(heading('word')).toString('base64')}`,
    print: `data:;base64,${pdfDocument([[['print', 12, 700]]]).toString('base64')}`,
    '| table |': 'data:text/csv,table',
  };
  {
    await using gateway = built.start(['gateway', ...flags, ...options]);
    await gateway.line('acknowledged Config');
    for (const [text, uri] of Object.entries(documents)) {
      expect(await convert(await gateway.listening('mcp'), uri)).toMatchObject([
        { text: expect.stringContaining(text) },
      ]);
    }
    gateway.signal('SIGTERM');
    expect(await gateway.ended()).toMatchObject({ code: 0 });
  }
  serve.signal('SIGKILL');
  await serve.ended();
  await using gateway = built.start(['gateway', ...flags, ...options]);
  expect(await convert(await gateway.listening('mcp'), 'data:,again')).toMatchObject([{ text: 'again' }]);
});

it('nothing that src/ loads when it is used is left untried: give each new await import() a use above', async () => {
  const keys = 'src/source/jwks/key-client.ts imports common-js-import:./node_modules/undici/index.js';
  expect(await built.notLoaded()).toEqual(address === undefined ? [keys] : []);
});
