import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request as open, type RequestListener } from 'node:http';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { type GatewayRig, portOf, startGateway } from '../../support/gateway/gateway-rig.ts';
import { type RawTarget, startRawTarget } from '../../support/gateway/raw-target.ts';
import { createTaskServer, withTasks } from '../../support/gateway/task-server.ts';
import { createFixture } from './fixture.ts';
import { createStatelessFixture } from './stateless-fixture.ts';

const program = fileURLToPath(
  new URL('../../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
);

/** Starts the suite's server. Its GET streams carry the answer to the last call whose stream was closed. */
async function startFixture(revision: string): Promise<RawTarget> {
  if (revision === '2026-07-28') return startStatelessFixture();
  const get: RequestListener = (_, response) => {
    const { id } = target.received.findLast(({ params }) => params['name'] === 'test_reconnection') ?? {};
    if (id === undefined) return void response.writeHead(405).end();
    const result = { content: [{ type: 'text', text: 'reconnected' }] };
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
  };
  const answered = async (id: string): Promise<Readonly<Record<string, unknown>>> => {
    for (let nth = 1; ; nth += 1) {
      const answer = await target.arrival('answer', nth);
      if (answer.id === id) return answer.params;
    }
  };
  const target = await startRawTarget(createFixture(answered), { sessionId: 'fixture', get });
  return target;
}

/** The server of MCP 2026-07-28 alone. */
function startStatelessFixture(): Promise<RawTarget> {
  const answered = (): Promise<never> => Promise.reject(new Error('only clients send requests'));
  const change = { listChanged: true };
  const declared = { tools: change, prompts: change, resources: { subscribe: true }, completions: {} };
  const { script } = createTaskServer(createStatelessFixture(createFixture(answered)));
  return startRawTarget(script, { stateless: true, capabilities: { ...declared, ...withTasks } });
}

/** A proxy that adds the token, which the suite cannot send. */
async function startShim({ url, token }: Pick<GatewayRig, 'url' | 'token'>) {
  const authorization = `Bearer ${token('me')}`;
  const { port } = new URL(url);
  const server = createServer(({ method, url: path, headers, ...incoming }, response) => {
    void incoming;
    const options = { host: '127.0.0.1', port, method, path, headers: { ...headers, authorization } };
    const outgoing = open(options, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers).flushHeaders();
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    response.once('close', () => outgoing.destroy());
    response.req.pipe(outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${portOf(server.address())}/mcp`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function run(url: string, revision: string): Promise<{ readonly code: number | null; readonly output: string }> {
  const baseline = fileURLToPath(new URL(`./${revision}.yml`, import.meta.url));
  const flags = ['server', '--url', url, '--requirements', revision, '--expected-failures', baseline];
  const child = spawn(process.execPath, [program, ...flags], { stdio: 'pipe' });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
  await once(child, 'close');
  return { code: child.exitCode, output };
}

/** What the suite says of scenarios that fail although they should pass, or pass although they should fail. */
const verdict = (output: string): string => output.slice(output.indexOf('Total: ')).trim();

/** The checks that pass at least: those of scenarios that did not run are no failures. */
it.each([
  ['2025-11-25', 80],
  ['2026-07-28', 185],
])(
  'the official conformance suite passes through the gateway at %s as its baseline says',
  async (revision, least) => {
    await using fixture = await startFixture(revision);
    await using gateway = await startGateway({ names: 'bare', listensOnLoopback: true });
    gateway.config.putTarget(fixture.target('default/fixture'));
    gateway.config.allowAll('n.p', 'me');
    await using shim = await startShim(gateway);
    const { code, output } = await run(shim.url, revision);
    expect(code, verdict(output)).toBe(0);
    expect(Number(/Total: (\d+) passed/.exec(output)?.[1])).toBeGreaterThanOrEqual(least);
  },
  240_000,
);
