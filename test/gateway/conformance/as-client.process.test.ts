import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { type GatewayRig, portOf, startGateway } from '../../support/gateway/gateway-rig.ts';
import { openRawClient } from '../../support/nodes/raw-client.ts';
import { ask } from '../../support/nodes/stateless-client.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

type Json = Readonly<Record<string, unknown>>;
type Request = (method: string, params?: Json) => Promise<unknown>;

const program = fileURLToPath(
  new URL('../../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
);

/** A client of this era in front of the gateway. */
const eras = {
  async 'an earlier client'(gateway: GatewayRig): Promise<Request> {
    const client = await openRawClient(gateway, gateway.token('me'), '2025-11-25', { elicitation: {} });
    return async (method, params) => {
      const accepted = { action: 'accept', content: { confirmed: true } };
      const options = { said: ({ id }: Json) => void client.answer(id, { result: accepted }) };
      return (await client.request(method, params, options)).result;
    };
  },
  async 'a client of MCP 2026-07-28'(gateway: GatewayRig): Promise<Request> {
    return async (method, params = {}) => {
      const response = await ask(gateway, { token: gateway.token('me'), method, params });
      return JSON.parse(await response.text()).result;
    };
  },
};

const lists: readonly (readonly [list: string, member: string, method: string, key: string])[] = [
  ['tools/list', 'tools', 'tools/call', 'name'],
  ['resources/list', 'resources', 'resources/read', 'uri'],
  ['prompts/list', 'prompts', 'prompts/get', 'name'],
];

/** Uses everything that a server of the suite lists, or calls what the scenario wants. */
async function useAll(request: Request, context: Json): Promise<void> {
  for (const [list, member, method, key] of lists) {
    const entries: unknown = Object(await request(list))[member] ?? [];
    const { toolCalls } = context;
    const all: unknown = member === 'tools' && toolCalls !== undefined ? toolCalls : entries;
    for (const entry of Array.isArray(all) ? all : []) {
      const given = key === 'uri' ? {} : { arguments: argumentsOf(entry) };
      await request(method, { [key]: entry[key], ...given });
    }
  }
}

function argumentsOf({ arguments: wanted, inputSchema }: Json): unknown {
  if (wanted !== undefined && !Array.isArray(wanted)) return wanted;
  const properties: Json = Object(Object(inputSchema).properties);
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, Object(schema).type === 'string' ? 'x' : 1]),
  );
}

/** Runs a scenario of the suite, whose server is the target of a gateway, and returns what it says. */
async function run(scenario: string, era: keyof typeof eras): Promise<string> {
  // The suite starts a program with the URL of its server; this one hands it to the test.
  const control = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const { url, context } = JSON.parse(text);
    const { hostname, port, pathname } = new URL(url);
    await using gateway = await startGateway({ names: 'bare', list: 'filtered' });
    gateway.config.putTarget({ name: 'suite', host: hostname, port: Number(port), path: pathname });
    gateway.config.allowAll('n.p', 'me');
    await useAll(await eras[era](gateway), context);
    response.end();
  });
  await once(control.listen(0, '127.0.0.1'), 'listening');
  const client = join(temporaryFolder(), 'client.mjs');
  writeFileSync(
    client,
    `const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
    const body = JSON.stringify({ url: process.argv.at(-1), context });
    await fetch('http://127.0.0.1:${portOf(control.address())}', { method: 'POST', body });`,
  );
  const flags = ['client', '--command', `${process.execPath} ${client}`, '--scenario', scenario];
  const child = spawn(process.execPath, [program, ...flags, '--spec-version', '2026-07-28'], { stdio: 'pipe' });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
  await once(child, 'close');
  control.closeAllConnections();
  control.close();
  return output.slice(output.indexOf('Test Results:'));
}

/**
 * Not among these is request-metadata, which refuses the first request as one of a version that it does not support,
 * whatever its version, and expects it again: a target that says so is asked for a handshake by the gateway.
 */
it.each<[string, keyof typeof eras, number]>([
  ['http-custom-headers', 'an earlier client', 18],
  ['http-invalid-tool-headers', 'an earlier client', 12],
  ['sep-2322-client-request-state', 'an earlier client', 5],
  ['json-schema-ref-no-deref', 'an earlier client', 1],
  ['tools_call', 'an earlier client', 2],
  ['http-standard-headers', 'a client of MCP 2026-07-28', 8],
])('the gateway is a client as the suite wants it in %s, with %s in front', async (scenario, era, least) => {
  const said = await run(scenario, era);
  const [, passed, failed] = /Passed: (\d+)\/\d+, (\d+) failed/.exec(said) ?? [];
  expect(failed, said).toBe('0');
  expect(Number(passed)).toBeGreaterThanOrEqual(least);
});
