import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, request as open, type RequestListener } from 'node:http';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
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

/** What came of the checks of one scenario. */
interface Outcome {
  readonly passed: number;
  readonly failed: number;
}

interface Run {
  readonly code: number | null;
  readonly output: string;
  /** By scenario, also of those that the suite runs without scoring them. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

async function run(url: string, revision: string): Promise<Run> {
  const baseline = fileURLToPath(new URL(`./${revision}.yml`, import.meta.url));
  const flags = ['server', '--url', url, '--requirements', revision, '--expected-failures', baseline];
  const child = spawn(process.execPath, [program, ...flags], { stdio: 'pipe' });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
  await once(child, 'close');
  const summary = output.slice(output.indexOf('=== SUMMARY ==='));
  const lines = summary.matchAll(/^[✓✗] (\S+): (\d+) passed, (\d+) failed$/gm);
  const outcomes = new Map(
    Array.from(lines, ([, scenario = '', passed, failed]) => {
      return [scenario, { passed: Number(passed), failed: Number(failed) }] as const;
    }),
  );
  return { code: child.exitCode, output, outcomes };
}

/** The scenarios of a revision that a server is run through, as the suite's own list has them. */
function scenariosOf(revision: string): readonly string[] {
  const path = new URL(`../requirements/${revision}.yaml`, pathToFileURL(program));
  const { server, not_scored } = parse(readFileSync(path, 'utf8'));
  const others = not_scored.filter(({ leg }: { readonly leg: string }) => leg === 'server');
  return [...server, ...others.map(({ scenario }: { readonly scenario: string }) => scenario)];
}

/** What the suite says of scenarios that fail although they should pass, or pass although they should fail. */
const verdict = (output: string): string => output.slice(output.indexOf('Total: ')).trim();

/**
 * Scenarios that have a check less through the gateway than direct: it is about event streams, and the gateway answers a
 * short result without notifications as JSON to a client of MCP 2026-07-28, which may get either.
 */
const asJson: readonly string[] = ['server-sse-multiple-streams'];

/** The checks that pass at least: those of scenarios that did not run are no failures. */
it.each<[string, number, readonly string[]]>([
  ['2025-11-25', 80, []],
  ['2026-07-28', 185, asJson],
])(
  'the official conformance suite passes through the gateway at %s as its baseline says, each scenario as it passes direct',
  async (revision, least, lacking) => {
    await using alone = await startFixture(revision);
    await using fixture = await startFixture(revision);
    await using gateway = await startGateway({ names: 'bare', listensOnLoopback: true });
    gateway.config.putTarget(fixture.target('default/fixture'));
    gateway.config.allowAll('n.p', 'me');
    await using shim = await startShim(gateway);
    const direct = run(`http://localhost:${alone.target('').port}/mcp`, revision);
    const { code, output, outcomes } = await run(shim.url, revision);
    expect(code, verdict(output)).toBe(0);
    expect(Number(/Total: (\d+) passed/.exec(output)?.[1])).toBeGreaterThanOrEqual(least);
    expect([...outcomes.keys()].toSorted()).toEqual(scenariosOf(revision).toSorted());
    // What the suite runs without scoring it passes as well, but for the extension for tasks: this server has none.
    const failing = [...outcomes].filter(([, { failed }]) => failed > 0).map(([scenario]) => scenario);
    expect(failing.filter((scenario) => !scenario.startsWith('tasks-'))).toEqual([]);
    const worse = [...(await direct).outcomes].filter(([scenario, { passed, failed }]) => {
      const through = outcomes.get(scenario);
      const expected = lacking.includes(scenario) ? passed - 1 : passed;
      return through === undefined || through.passed < expected || through.failed > failed;
    });
    expect(worse.map(([scenario, before]) => ({ scenario, direct: before, through: outcomes.get(scenario) }))).toEqual(
      [],
    );
  },
  480_000,
);
