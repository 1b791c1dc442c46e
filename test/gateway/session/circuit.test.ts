import type { RequestListener, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createGatewayMetrics } from '../../../src/gateway/admin/metrics.ts';
import type { TargetFetch } from '../../../src/gateway/model.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { startGateway } from '../../support/gateway/gateway-rig.ts';
import { metricSources } from '../../support/gateway/metric-sources.ts';
import { type Script, startRawTarget } from '../../support/gateway/raw-target.ts';
import { startTargetRig, type TargetRig } from '../../support/gateway/target-rig.ts';
import { openRawClient, post } from '../../support/nodes/raw-client.ts';

/** Never answers, as a host that drops packets. */
const silence = (): Promise<never> => new Promise(() => {});

/** A network to targets that the test interrupts: requests for which it says so are not answered. */
function createWire() {
  const wire = { isSilent: (_: Readonly<Record<string, string>>): boolean => false, silent: 0 };
  const fetchFor = (): TargetFetch => (url, init) => {
    if (!wire.isSilent(init.headers)) return fetch(url, init);
    wire.silent += 1;
    return silence();
  };
  return { wire, fetchFor };
}

/** Two clients of a target whose handshake is known, so that none is made before a call. */
async function openTwo(rig: TargetRig) {
  for (const identity of ['me', 'you', 'first']) rig.gateway.config.allowAll(`ns.${identity}`, identity);
  await rig.open('first');
  return { client: await rig.open('me'), other: await rig.open('you') };
}

const tools = { tools: [{ name: 'x' }] };

const answers: Script = ({ method }) => ({ result: method === 'tools/list' ? tools : {} });

describe('a target that is silent', () => {
  it('is waited for by the first call only; others fail at once until the gateway can connect', async () => {
    const clock = createManualClock();
    const { wire, fetchFor } = createWire();
    await using rig = await startTargetRig(answers, { clock, fetchFor });
    const { client, other } = await openTwo(rig);
    wire.isSilent = () => true;
    const first = client.request('tools/call', { name: 'a:x' });
    await expect.poll(() => wire.silent).toBe(1);
    clock.advance(10_000);
    expect((await first).error?.message).toBe('Target a does not answer: no answer within 10 s');

    // The clock stands still: nobody waits.
    for (const method of ['tools/call', 'prompts/get']) {
      const refused = await other.request(method, { name: 'a:x' });
      expect(refused.error?.code).toBe(-32000);
      expect(refused.error?.message).toMatch(
        /^Target a cannot be reached: no connection since 2026-.*Z \(no answer within 10 s\); it is being tried now$/,
      );
    }
    expect((await other.request('tools/list')).result).toEqual({
      tools: [],
      _meta: {
        'kgateway.dev/missingTargets': ['a'],
        'kgateway.dev/missingTargetStates': {
          a: {
            state: 'slow',
            since: expect.any(String),
            message: expect.stringMatching(/^Target a cannot be reached/),
          },
        },
      },
    });
    const { circuit, requests } = rig.gateway.downstream.targetState('a');
    expect([circuit?.nextAttempt, requests.circuit]).toEqual([null, 2]);
    const state = rig.gateway.downstream.targetState('a');
    const text = await createGatewayMetrics(metricSources([['a', state]])).text();
    expect(text).toContain('gatehouse_gateway_target_circuit_open{target="a"} 1');

    const changes = await other.listen();
    wire.isSilent = () => false;
    // The gateway’s own attempt is given up, and the next one is made.
    clock.advance(10_000);
    await expect.poll(() => rig.gateway.downstream.targetState('a').circuit?.nextAttempt ?? null).not.toBeNull();
    clock.advance(1_000);
    expect((await changes.next())?.['method']).toBe('notifications/tools/list_changed');
    expect((await other.request('tools/call', { name: 'a:x' })).result).toEqual({});
    expect((await other.request('tools/list')).result).toEqual({ tools: [{ name: 'a:x' }] });
    expect(rig.gateway.downstream.targetState('a')).toMatchObject({ state: 'answers', circuit: null });
  });
});

describe('a target whose port is closed', () => {
  it('is left out after the gateway’s own connection was refused, too', async () => {
    const clock = createManualClock();
    const gone = await startRawTarget(answers);
    const target = gone.target('a');
    await gone[Symbol.asyncDispose]();
    await using gateway = await startGateway({ clock });
    gateway.config.putTarget(target);
    gateway.config.allowAll('ns.all', 'me');
    const client = await openRawClient(gateway, gateway.token('me'));
    // Its instructions were asked for, and then the gateway's own connection was refused.
    await expect.poll(() => gateway.downstream.targetState('a').circuit).not.toBeNull();
    expect((await client.request('tools/call', { name: 'a:x' })).error?.message).toMatch(
      /^Target a cannot be reached: .* \(its host refuses connections, or cannot be reached\); it is tried again in 1 s$/,
    );
    // Where it is, is not for callers.
    expect(gateway.downstream.targetState('a').lastError?.reason).toContain(`127.0.0.1:${target.port}`);
  });
});

describe('a target that has restarted', () => {
  it('is heard again soon after the circuit has closed', async () => {
    const clock = createManualClock();
    let isDown = false;
    const streams: ServerResponse[] = [];
    const fetchFor = (): TargetFetch => (url, init) =>
      isDown ? Promise.reject(new Error('connection refused')) : fetch(url, init);
    const get: RequestListener = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      streams.push(response);
    };
    await using rig = await startTargetRig(answers, { clock, fetchFor, get });
    rig.gateway.config.allowAll('ns.all', 'me');
    const client = await rig.open();
    await client.request('tools/call', { name: 'a:x' });
    await expect.poll(() => streams.length).toBe(1);
    isDown = true;
    streams[0]?.end();
    expect((await client.request('tools/call', { name: 'a:x' })).error).toBeDefined();
    await expect.poll(() => rig.gateway.downstream.targetState('a').circuit).not.toBeNull();
    // The stream waits for half a minute by now, or nearly.
    const isPatient = (): boolean => clock.waiting().some((delay) => delay > 20_000 && delay <= 30_000);
    while (!isPatient()) {
      clock.advance(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
    isDown = false;
    clock.advance(100);
    expect((await client.request('tools/call', { name: 'a:x' })).result).toEqual({});
    clock.advance(1_000);
    await expect.poll(() => streams.length).toBe(2);
  });

  it('is used in a new session when the request that finds it again belongs to one that it does not know', async () => {
    const clock = createManualClock();
    let session = 1;
    let isDown = false;
    const script: Script = ({ headers }) =>
      headers['mcp-session-id'] === `session-${session}` ? { result: {} } : { status: 404 };
    const fetchFor = (): TargetFetch => (url, init) =>
      isDown ? Promise.reject(new Error('connection refused')) : fetch(url, init);
    await using rig = await startTargetRig(script, { clock, fetchFor, sessionId: () => `session-${session}` });
    rig.gateway.config.allowAll('ns.all', 'me');
    const client = await rig.open();
    const uri = 'mcp://a/x%3Ay';
    await client.request('resources/subscribe', { uri });
    isDown = true;
    expect((await client.request('tools/call', { name: 'a:x' })).error).toBeDefined();
    await expect.poll(() => rig.gateway.downstream.targetState('a').circuit).not.toBeNull();

    isDown = false;
    session = 2;
    clock.advance(100);
    expect((await client.request('resources/unsubscribe', { uri })).result).toEqual({});
    expect((await client.request('tools/call', { name: 'a:x' })).result).toEqual({});
  });
});

describe('a target that answers without a header of clients that it is not available', () => {
  it('is used by clients with that header, whatever became of one of their calls', async () => {
    const script: Script = ({ params }) => (params['name'] === 'cut' ? { cut: true } : { result: {} });
    let refused = 0;
    const fetchFor = (): TargetFetch => (url, init) => {
      if (init.headers['x-key'] === 'secret') return fetch(url, init);
      refused += 1;
      return Promise.resolve(new Response(null, { status: 503 }));
    };
    await using rig = await startTargetRig(script, { fetchFor, passHeaders: ['x-key'] });
    rig.gateway.config.allowAll('ns.all', 'me');
    const client = await rig.open();
    const call = async (name: string): Promise<string> => {
      const message = { jsonrpc: '2.0', id: name, method: 'tools/call', params: { name: `a:${name}` } };
      const token = rig.gateway.token('me');
      return (await post(rig.gateway, token, client.sessionId, message, { 'x-key': 'secret' })).text();
    };
    const before = refused;
    expect(await call('cut')).toContain('Target a does not answer');
    await expect.poll(() => refused).toBeGreaterThan(before);
    expect(await call('good')).toContain('"result":{}');
    expect(rig.gateway.downstream.targetState('a').circuit).toBeNull();
  });
});

describe('a caller who makes its own calls fail', () => {
  it('does not take the target from another caller', async () => {
    const failing: Record<string, Awaited<ReturnType<Script>>> = {
      cut: { cut: true },
      error: { error: { code: 7, message: 'no' } },
      '500': { status: 500 },
      '404': { status: 404 },
      page: { raw: 'text/html', chunks: ['<p>'] },
      good: { result: {} },
    };
    await using rig = await startTargetRig(({ params }) => failing[String(params['name'])]);
    const { client, other } = await openTwo(rig);
    for (const name of ['cut', 'error', '500', '404', 'page']) {
      for (let calls = 0; calls < 3; calls += 1) {
        expect((await client.request('tools/call', { name: `a:${name}` })).error).toBeDefined();
        expect((await other.request('tools/call', { name: 'a:good' })).result).toEqual({});
      }
    }
    expect(rig.gateway.downstream.targetState('a').circuit).toBeNull();
  });

  it('does not do so by a header that is passed on either, with which the target never answers', async () => {
    const clock = createManualClock();
    const { wire, fetchFor } = createWire();
    wire.isSilent = (headers) => headers['x-team'] === 'hostile';
    await using rig = await startTargetRig(answers, { clock, fetchFor, passHeaders: ['x-team'] });
    const { client, other } = await openTwo(rig);
    const call = { jsonrpc: '2.0', id: 9, method: 'tools/call', params: { name: 'a:x' } };
    const calling = post(rig.gateway, rig.gateway.token('me'), client.sessionId, call, { 'x-team': 'hostile' });
    await expect.poll(() => wire.silent).toBe(1);
    clock.advance(10_000);
    expect(await (await calling).text()).toContain('Target a does not answer');
    // The gateway’s own attempt has no such header.
    expect((await other.request('tools/call', { name: 'a:x' })).result).toEqual({});
    await rig.target.arrival('initialize', 3);
    expect(rig.gateway.downstream.targetState('a').circuit).toBeNull();
  });
});
