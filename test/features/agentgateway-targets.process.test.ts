import { createServer } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { Transform } from 'node:stream';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  callerAt,
  outcomeOf,
  ownKeys,
  statusAt,
  tokenOf,
  toolsOf,
} from '../support/agentgateway/agentgateway-caller.ts';
import { agentgatewayBinary, startAgentgateway } from '../support/agentgateway/agentgateway-process.ts';
import {
  type AgentgatewayPrograms,
  gatewayAt,
  rules,
  serviceAt,
  signers,
  startAgentgatewayPrograms,
} from '../support/agentgateway/agentgateway-programs.ts';
import { type EverythingServer, freePort, startEverything } from '../support/gateway/everything-server.ts';

/** agentgateway itself, and servers of somebody else. */
let programs: AgentgatewayPrograms;
let http: EverythingServer;
let sse: EverythingServer;
let me: string;
let you: string;

beforeAll(async () => {
  if (agentgatewayBinary === undefined) return;
  [http, sse] = await Promise.all([startEverything('streamableHttp'), startEverything('sse')]);
  [me, you] = await Promise.all([tokenOf('me'), tokenOf('you')]);
  programs = await startAgentgatewayPrograms(['--allow-http-jwks', '--allow-private-jwks']);
  await programs.write({ 'signers.yaml': signers() });
}, 120_000);
afterAll(async () => {
  await Promise.all([programs, http, sse].map((program) => program?.[Symbol.asyncDispose]()));
});

const caller = (token: string): Promise<Client> => callerAt(programs.url, token);
const echo = 'everything.default_echo';
const args = { message: 'hi' };

describe.skipIf(agentgatewayBinary === undefined)("somebody else's servers", { timeout: 120_000 }, () => {
  it('are listed and called when their Services appear, as far as policies allow it', async () => {
    await programs.write({
      'http.yaml': serviceAt('everything', http.target('').port, { appProtocol: 'agentgateway.dev/mcp' }),
      'sse.yaml': serviceAt('everything-sse', sse.target('').port, { path: '/sse' }),
    });
    expect(await toolsOf(await caller(me))).toEqual([]);
    await programs.write({
      'echo.yaml': rules('echo', 'me', 'tool', 'default/everything:echo'),
      'echo-sse.yaml': rules('echo-sse', 'me', 'tool', 'default/everything-sse:echo'),
      'prompt.yaml': rules('prompt', 'me', 'prompt', 'default/everything:simple-prompt'),
    });
    const client = await caller(me);
    const names = ['everything-sse.default_echo', echo];
    expect(await toolsOf(client)).toEqual(names);
    for (const name of names) expect(await outcomeOf(client, name, args)).toContain('Echo: hi');
    expect(await outcomeOf(client, 'everything.default_get-sum', { a: 1, b: 2 })).toContain('Unknown tool');
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(['everything.default_simple-prompt']);
    expect((await client.getPrompt({ name: 'everything.default_simple-prompt' })).messages).toHaveLength(1);
    expect((await client.listResources()).resources).toEqual([]);
    const other = await caller(you);
    expect(await toolsOf(other)).toEqual([]);
    expect(await outcomeOf(other, echo, args)).toContain('Unknown tool');
  });

  it('are all open to a rule for *, for things of its kind that have a name', async () => {
    await programs.write({ 'all.yaml': rules('all', 'you', 'tool', '*') });
    const client = await caller(you);
    expect(await toolsOf(client)).toEqual(expect.arrayContaining([echo, 'mcp-tool.default_convert_to_markdown']));
    expect(await outcomeOf(client, 'everything.default_', {})).toContain('Unknown tool');
    expect((await client.listPrompts()).prompts).toEqual([]);
    await programs.write({ 'all.yaml': undefined });
    expect(await outcomeOf(client, echo, args)).toContain('Unknown tool');
  });

  it('stay usable beside one that is dead', async () => {
    await programs.write({ 'dead.yaml': serviceAt('dead', await freePort()) });
    const client = await caller(me);
    expect(await toolsOf(client)).toEqual(['everything-sse.default_echo', echo]);
    expect(await outcomeOf(client, echo, args)).toContain('Echo: hi');
    await programs.write({ 'dead.yaml': undefined });
  });
});

describe.skipIf(agentgatewayBinary === undefined)('changes under load', { timeout: 120_000 }, () => {
  it('fail no call that stays allowed, and let nobody in whom no rule names', async () => {
    const callers = { me: await caller(me), you: await caller(you) };
    const outcomes = { me: new Set<string>(), you: new Set<string>() };
    let calls = 0;
    let over = false;
    const calling = (['me', 'me', 'me', 'you'] as const).map(async (who) => {
      for (; !over; calls += 1) outcomes[who].add(await outcomeOf(callers[who], echo, args));
    });
    for (let edit = 0; edit < 20; edit += 1) {
      await programs.write({
        'edited.yaml': rules('edited', 'you', 'tool', `default/everything-sse:tool-${edit}`),
        'other.yaml': serviceAt('other', 1024 + edit),
      });
    }
    over = true;
    await Promise.all(calling);
    expect(calls).toBeGreaterThan(50);
    expect([...outcomes.me]).toEqual([expect.stringContaining('Echo: hi')]);
    expect([...outcomes.you]).toEqual([expect.stringContaining('Unknown tool')]);
    await programs.write({ 'edited.yaml': undefined, 'other.yaml': undefined });
  });
});

/** An address of this machine that other machines may have too: the fetch refuses loopback whatever the flags. */
const address = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

describe.skipIf(agentgatewayBinary === undefined || address === undefined)(
  'keys at a URI',
  { timeout: 120_000 },
  () => {
    it('count at agentgateway, which fetches none itself', async () => {
      const issuer = createServer((_, response) => response.end(ownKeys));
      await new Promise<void>((resolve) => issuer.listen(0, address, resolve));
      onTestFinished(() => void issuer.close());
      const bound = issuer.address();
      const at = `http://${address}:${typeof bound === 'object' ? bound?.port : ''}/jwks`;
      await programs.write({ 'signers.yaml': signers('{ inline: \'{"keys":[]}\' }') });
      expect(await statusAt(programs.url, me)).toBe(401);
      await programs.write({ 'signers.yaml': signers(`{ uri: "${at}" }`) });
      // The keys are fetched after the policy was applied.
      while ((await programs.ask('debug', '/snapshots/xds')).includes('are not fetched yet'));
      await programs.acknowledged();
      expect(await outcomeOf(await caller(me), echo, args)).toContain('Echo: hi');
      await programs.write({ 'signers.yaml': signers() });
    });
  },
);

/** Forwards a port, and writes another text of the same length into what the control plane sends. */
async function startForger(
  to: string,
  from: string,
  forged: string,
): Promise<{ readonly address: string; forge: boolean }> {
  const forger = { address: '', forge: false };
  const [host = '', port = ''] = to.split(':');
  const server = createTcpServer((near) => {
    const far = connect(Number(port), host);
    const forging = new Transform({
      transform: (chunk: Buffer, _encoding, done) =>
        done(null, forger.forge ? Buffer.from(chunk.toString('latin1').replaceAll(from, forged), 'latin1') : chunk),
    });
    near.pipe(far).pipe(forging).pipe(near);
    for (const socket of [near, far])
      socket.on('error', () => {}).on('close', () => [near, far].map((one) => one.destroy()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const bound = server.address();
  forger.address = `127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}`;
  return forger;
}

describe.skipIf(agentgatewayBinary === undefined)('a response that agentgateway refuses', { timeout: 120_000 }, () => {
  it('is shown with its words, keeps what it replaces, and holds up no other change', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const own = { 'signers-2.yaml': signers(undefined, 'second').replace('name: signers', 'name: signers-2') };
    await programs.write({
      ...own,
      'second.yaml': gatewayAt('second', port),
      'echo-2.yaml': rules('echo-2', 'me', 'tool', 'default/everything:echo', 'second'),
    });
    const forger = await startForger(programs.xds, 'everything.default', 'everyt_ing.default');
    await using node = await startAgentgateway(forger.address, 'second');
    await node.ready();
    const client = await callerAt(url, me);
    expect(await outcomeOf(client, echo, args)).toContain('Echo: hi');
    forger.forge = true;
    await programs.write({ 'further.yaml': serviceAt('further', 1024) });
    const line = await programs.control().line('the node refuses a response');
    expect(line).toContain('backend/mcp/all');
    expect(line).toContain('everyt_ing.default');
    const nodes = JSON.parse(await programs.ask('debug', '/debug/nodes'));
    expect(nodes.states).toEqual({ inSync: 1, behind: 0, refusing: 1 });
    expect(JSON.stringify(nodes)).toContain('everyt_ing.default');
    expect(await programs.ask('metrics', '/metrics')).toMatch(/^gatehouse_xds_nacks_total\{.*Resource"\} 1$/m);
    forger.forge = false;
    expect(await outcomeOf(client, echo, args)).toContain('Echo: hi');
    await programs.write({ 'echo-2.yaml': undefined });
    while (!(await outcomeOf(client, echo, args)).includes('Unknown tool'));
    await programs.write({ 'further.yaml': undefined });
    while (JSON.parse(await programs.ask('debug', '/debug/nodes')).states.inSync < 2);
  });
});
