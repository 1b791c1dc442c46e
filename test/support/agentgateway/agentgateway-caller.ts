import { generateKeyPairSync } from 'node:crypto';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { SignJWT } from 'jose';
import { onTestFinished } from 'vitest';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** The key of the test's own issuer, as a JWK Set. */
export const ownKeys: string = JSON.stringify({
  keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'own', alg: 'ES256', use: 'sig' }],
});

/** A token of the test's own issuer. */
export function tokenOf(sub: string): Promise<string> {
  return new SignJWT({ sub })
    .setProtectedHeader({ alg: 'ES256', kid: 'own' })
    .setIssuer('own')
    .setAudience('me.com')
    .setExpirationTime('1h')
    .sign(privateKey);
}

/** The official client with a token; closed when the test has finished. */
export async function callerAt(url: string, token: string, path: '/sse' | '/mcp' = '/mcp'): Promise<Client> {
  const client = new Client({ name: 'test', version: '0' });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  const Transport = path === '/sse' ? SSEClientTransport : StreamableHTTPClientTransport;
  const transport = new Transport(new URL(url + path), { requestInit });
  // The package's own types are not made for exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<Client['connect']>[0]);
  onTestFinished(() => client.close());
  return client;
}

/** The content of a result, or the reason why there is none, without the id of the request. */
export async function outcomeOf(
  client: Client,
  name: string,
  args: Readonly<Record<string, unknown>>,
): Promise<string> {
  try {
    return JSON.stringify((await client.callTool({ name, arguments: args })).content);
  } catch (error) {
    return String(error).replace(/"id":\d+/, '"id":0');
  }
}

/** The names of the tools that a client is shown, sorted. */
export async function toolsOf(client: Client): Promise<readonly string[]> {
  return (await client.listTools()).tools.map(({ name }) => name).sort();
}

/** The HTTP status of the answer to a first message. */
export async function statusAt(url: string, token: string): Promise<number> {
  const body = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '0' } },
  };
  const response = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify(body),
  });
  await response.text();
  return response.status;
}
