import { createServer } from 'node:http';
import { type OAuthClientProvider, UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import { expect, it } from 'vitest';
import { startGateway } from '../../../src/gateway/gateway.ts';
import { close, listen } from '../../../src/net/listener/http-listener.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { systemClock } from '../../support/edges/system-clock.ts';
import { startAuthorizationServer } from '../../support/gateway/authorization-server.ts';
import { type RawTarget, startRawTarget } from '../../support/gateway/raw-target.ts';
import { startScriptedAds } from '../../support/nodes/scripted-ads.ts';
import { guideJwk } from '../../support/processes/guide.ts';
import { config, configType, target, targetType } from '../xds/resources.ts';

const redirectUrl = 'http://127.0.0.1:9/callback';

/** What the host of an MCP client keeps during the flow. */
function createHost(): OAuthClientProvider & { readonly sentTo: () => URL } {
  let client: OAuthClientInformationMixed | undefined;
  let tokens: OAuthTokens | undefined;
  let verifier = '';
  let url: URL | undefined;
  return {
    redirectUrl,
    clientMetadata: {
      client_name: 'test',
      redirect_uris: [redirectUrl],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    },
    clientInformation: () => client,
    saveClientInformation(information) {
      client = information;
    },
    tokens: () => tokens,
    saveTokens(saved) {
      tokens = saved;
    },
    redirectToAuthorization(to) {
      url = to;
    },
    saveCodeVerifier(saved) {
      verifier = saved;
    },
    codeVerifier: () => verifier,
    sentTo() {
      if (url === undefined) throw new Error('the client was not sent to an authorization server');
      return url;
    },
  };
}

/** Follows the redirects of the authorization endpoint as a browser does, and returns the code at their end. */
async function browse(from: URL): Promise<string> {
  const cookies = new Map<string, string>();
  let url = from;
  for (let hop = 0; hop < 10; hop += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null) throw new Error(`${url.pathname}: ${response.status} ${await response.text()}`);
    url = new URL(location, url);
    if (!url.href.startsWith(redirectUrl)) continue;
    const code = url.searchParams.get('code');
    if (code === null) throw new Error(`no code: ${url.search}`);
    return code;
  }
  throw new Error('too many redirects');
}

/** A port that was free a moment ago: the resource of the configuration is the URL with the port. */
async function freePort(): Promise<number> {
  const server = createServer();
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  await close(server);
  return port;
}

interface World extends AsyncDisposable {
  /** The URL that clients use, for which tokens are issued. */
  readonly resource: string;
  readonly issuer: string;
}

/** A gateway that tells clients of an authorization server, with one target and these policies. */
async function startWorld(
  tool: RawTarget,
  policies: readonly ReturnType<typeof config>[],
  scopes = ['mcp:use'],
  path = '/mcp',
): Promise<World> {
  const ads = await startScriptedAds();
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const resource = `${origin}${path}`;
  const authorizationServer = await startAuthorizationServer(resource, 'alice', scopes.join(' '));
  const authn = {
    type: 'jwt',
    issuers: [
      { issuer: authorizationServer.issuer },
      { issuer: 'me', jwks: { type: 'local', source: { type: 'inline', data: guideJwk } } },
    ],
    resource: { url: `${origin}/mcp`, sse_url: `${origin}/sse`, scopes, name: 'Tools' },
  };
  const log = createRecordedLog();
  const { port: toolPort } = tool.target('');
  const gateway = await startGateway(
    {
      config: JSON.stringify({
        type: 'xds',
        xds_address: `http://127.0.0.1:${ads.port}`,
        listener: { type: 'sse', host: '127.0.0.1', port, authn },
      }),
      mount: [],
      resolve: [`tool.example:80=127.0.0.1:${toolPort}`],
      list: 'all',
      adminListen: '127.0.0.1:0',
      allowedOrigins: [],
      allowedHosts: [],
      environment: { POD_NAMESPACE: 'default', GW_NAME: 'mcp-gateway' },
    },
    {
      clock: systemClock,
      random: () => 0,
      log,
      losses: { lostLines: 0 },
      stdin: process.stdin,
      stdout: process.stdout,
    },
  );
  const stream = await ads.stream();
  await stream.request();
  await stream.request();
  stream.send({
    typeUrl: targetType,
    nonce: 't1',
    resources: [target('default/tool', { host: 'tool.example', port: 80, path: '/mcp' })],
  });
  await stream.request();
  stream.send({
    typeUrl: configType,
    nonce: 'c1',
    resources: [...policies],
  });
  await stream.request();
  return {
    resource,
    issuer: authorizationServer.issuer,
    async [Symbol.asyncDispose]() {
      await gateway.stop();
      ads.stop();
      await authorizationServer[Symbol.asyncDispose]();
    },
  };
}

it("the SDK's OAuth client asks for a token with another scope, when a policy wants it for one tool", async () => {
  await using tool = await startRawTarget(() => ({ result: { content: [{ type: 'text', text: 'called' }] } }));
  // Rules compare the whole claim: a token with both scopes is not the one that the policy wants.
  const scopes = ['mcp:use', 'reports:read'];
  await using world = await startWorld(
    tool,
    [
      config('default.scope', [
        { key: 'scope', value: 'reports:read', resource: { id: 'default/tool:report', type: 0 } },
      ]),
    ],
    scopes,
  );
  const authProvider = createHost();
  const signIn = async (step: (transport: StreamableHTTPClientTransport) => Promise<unknown>): Promise<Client> => {
    const transport = new StreamableHTTPClientTransport(new URL(world.resource), { authProvider });
    await expect(step(transport)).rejects.toThrow(UnauthorizedError);
    await transport.finishAuth(await browse(authProvider.sentTo()));
    const client = new Client({ name: 'test', version: '0' });
    await client.connect(new StreamableHTTPClientTransport(new URL(world.resource), { authProvider }));
    return client;
  };
  await signIn((transport) => new Client({ name: 'test', version: '0' }).connect(transport));
  expect(authProvider.sentTo().searchParams.get('scope')).toBe('mcp:use reports:read');
  const call = { name: 'default/tool:report', arguments: {} };
  const client = await signIn(async (transport) => {
    const limited = new Client({ name: 'test', version: '0' });
    await limited.connect(transport);
    await limited.callTool(call);
  });
  expect(authProvider.sentTo().searchParams.get('scope')).toBe('reports:read');
  expect(await client.callTool(call)).toMatchObject({ content: [{ text: 'called' }] });
  await expect(client.callTool({ ...call, name: 'default/tool:other' })).rejects.toThrow('not allowed');
  await client.close();
});

it.each([
  ['/mcp', StreamableHTTPClientTransport],
  ['/sse', SSEClientTransport],
] as const)(
  "the SDK's OAuth client finds the authorization server, gets a token for %s, and calls a tool",
  async (path, Transport) => {
    await using tool = await startRawTarget(() => ({ result: { content: [{ type: 'text', text: 'called' }] } }));
    const policies = [config('default.auth', [{ value: 'alice', resource: { id: '*', type: 0 } }])];
    await using world = await startWorld(tool, policies, ['mcp:use'], path);
    const url = new URL(world.resource);
    const authProvider = createHost();
    const first = new Transport(url, { authProvider });
    await expect(new Client({ name: 'test', version: '0' }).connect(first)).rejects.toThrow(UnauthorizedError);
    expect(authProvider.sentTo().origin).toBe(world.issuer);
    expect(authProvider.sentTo().searchParams.get('scope')).toBe('mcp:use');
    expect(authProvider.sentTo().searchParams.get('resource')).toBe(world.resource);
    await first.finishAuth(await browse(authProvider.sentTo()));

    const client = new Client({ name: 'test', version: '0' });
    await client.connect(new Transport(url, { authProvider }));
    expect(await client.callTool({ name: 'default/tool:x', arguments: {} })).toMatchObject({
      content: [{ text: 'called' }],
    });
    await client.close();
  },
);
