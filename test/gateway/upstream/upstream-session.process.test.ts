import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { TargetFetch } from '../../../src/gateway/model.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { startEverything } from '../../support/gateway/everything-server.ts';
import { type GatewayRig, portOf, startGateway } from '../../support/gateway/gateway-rig.ts';
import type { Script } from '../../support/gateway/raw-target.ts';
import { startTargetRig } from '../../support/gateway/target-rig.ts';
import { openRawClient } from '../../support/nodes/raw-client.ts';

type Answer = Awaited<ReturnType<Script>>;

const echo = { name: 'a:echo', arguments: { message: 'hi' } };
const echoed = { content: [{ type: 'text', text: 'Echo: hi' }] };

async function open(gateway: GatewayRig) {
  gateway.config.allow('n.p', 'me', 'tool', '*');
  gateway.config.allow('n.p', 'me', 'resource', '*');
  return openRawClient(gateway, gateway.token('me'));
}

describe.each(['sse', 'streamableHttp'] as const)('server-everything over %s', (transport) => {
  it('responds after a restart, in the same client session', { timeout: 30_000 }, async () => {
    await using server = await startEverything(transport);
    await using gateway = await startGateway();
    gateway.config.putTarget(server.target('a'));
    const client = await open(gateway);
    expect((await client.request('tools/call', echo)).result).toEqual(echoed);
    await server.restart();
    // The stream of the session may have been opened again too early: the target is tried again after two seconds.
    const again = async () => (await client.request('tools/call', echo)).result;
    await expect.poll(again, { timeout: 20_000 }).toEqual(echoed);
  });

  it('reports progress, and its resources can be read by expanded templates', { timeout: 30_000 }, async () => {
    await using server = await startEverything(transport);
    await using gateway = await startGateway();
    gateway.config.putTarget(server.target('a'));
    const client = await open(gateway);
    const slow = { name: 'a:trigger-long-running-operation', arguments: { duration: 0.1, steps: 2 } };
    const { before } = await client.request('tools/call', { ...slow, _meta: { progressToken: 7 } });
    expect(before.map(({ params }) => params)).toMatchObject([
      { progressToken: 7, progress: 1, total: 2 },
      { progressToken: 7, progress: 2, total: 2 },
    ]);

    const { result } = await client.request('resources/templates/list');
    const templates = JSON.stringify(result);
    expect(templates).toContain('mcp://a/:demo://resource/dynamic/text/{resourceId}');
    const uri = 'mcp://a/:demo://resource/dynamic/text/1';
    expect((await client.request('resources/read', { uri })).result).toMatchObject({ contents: [{ uri }] });
  });
});

/** Counts the requests to targets by method and path. */
function counting(counts: Map<string, number>): TargetFetch {
  return (url, init) => {
    const key = `${init?.method ?? 'GET'} ${new URL(url).pathname}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    return fetch(url, init);
  };
}

it('the transport of a target is probed once, not by every session', { timeout: 30_000 }, async () => {
  const counts = new Map<string, number>();
  await using server = await startEverything('sse');
  await using gateway = await startGateway({ fetchFor: () => counting(counts) });
  gateway.config.putTarget(server.target('a'));
  for (let sessions = 0; sessions < 3; sessions++) {
    const client = await open(gateway);
    expect((await client.request('tools/call', echo)).result).toEqual(echoed);
  }
  // A handshake, and the question for its revisions.
  expect(counts.get('POST /sse')).toBe(2);
  expect(counts.get('GET /sse')).toBe(3);
});

describe('a target', () => {
  it('gets one connection per session, however many requests start at the same time', async () => {
    await using rig = await startTargetRig(() => ({ result: {} }));
    const { target, gateway } = rig;
    for (const client of [await open(gateway), await open(gateway)]) {
      await Promise.all(['tools/list', 'prompts/list', 'resources/list'].map((method) => client.request(method)));
    }
    expect(target.received.filter(({ method }) => method === 'initialize')).toHaveLength(2);
  });

  it('that is removed or changed is disconnected at once: its requests end, and other targets are not affected', async () => {
    await using rig = await startTargetRig(({ params }) => (params['name'] === 'slow' ? undefined : { result: {} }));
    const { target, gateway } = rig;
    gateway.config.putTarget(target.target('b'));
    const client = await open(gateway);
    const calling = client.request('tools/call', { name: 'a:slow' });
    await target.arrival('tools/call');
    gateway.config.removeTarget('a');
    expect((await calling).error).toMatchObject({ message: 'Target a was removed or changed' });
    await target.disconnected;
    expect((await client.request('tools/call', { name: 'b:fast' })).result).toEqual({});
    expect((await client.request('tools/call', { name: 'a:fast' })).error?.code).toBe(-32602);
  });

  it('that sends a request to the client gets "Method not found"', async () => {
    await using rig = await startTargetRig((_request, say) => {
      say('sampling/createMessage', {}, 'theirs');
      return { result: {} };
    });
    const { target, gateway } = rig;
    const client = await open(gateway);
    expect((await client.request('tools/call', { name: 'a:x' })).result).toEqual({});
    expect(await target.arrival('answer')).toMatchObject({ id: 'theirs', params: { error: { code: -32601 } } });
  });

  it('that sends requests faster than it accepts responses gets no further responses', async () => {
    let answers = 0;
    const fetchFor = (): TargetFetch => (url, init) => {
      if (!String(init?.body).includes('"error"')) return fetch(url, init);
      answers += 1;
      return new Promise(() => {});
    };
    await using rig = await startTargetRig(
      (_request, say) => {
        for (let asked = 0; asked < 200; asked++) say('sampling/createMessage', {}, `theirs ${asked}`);
        return { result: {} };
      },
      { fetchFor },
    );
    const { gateway } = rig;
    const client = await open(gateway);
    expect((await client.request('tools/call', { name: 'a:x' })).result).toEqual({});
    expect(answers).toBe(16);
  });

  it('whose response stream ends early has failed, and gets the next request all the same', async () => {
    let cut = true;
    await using rig = await startTargetRig(() => (cut ? { cut } : { result: {} }));
    const { gateway } = rig;
    const client = await open(gateway);
    expect((await client.request('tools/call', { name: 'a:x' })).error?.message).toBe('Target a does not answer');
    expect(await gateway.log.line('does not answer')).toMatchObject({ fields: { reason: 'the answer was cut off' } });
    cut = false;
    expect((await client.request('tools/call', { name: 'a:x' })).result).toEqual({});
  });
});

describe('a target', () => {
  it.each([
    [400, true],
    [404, true],
    [410, true],
    [401, false],
    [429, false],
    [500, false],
  ])('that answers a request in a session with status %i is connected to again: %s', async (status, again) => {
    let refuse = true;
    await using rig = await startTargetRig(
      ({ params }) => {
        if (params['name'] !== 'refused' || !refuse) return { result: {} };
        refuse = false;
        return { status };
      },
      { sessionId: 'session 1' },
    );
    const { target, gateway } = rig;
    const client = await open(gateway);
    const { error } = await client.request('tools/call', { name: 'a:refused' });
    expect(error === undefined).toBe(again);
    expect(target.received.filter(({ method }) => method === 'initialize')).toHaveLength(again ? 2 : 1);
  });
});

describe('a target that does not know the session any more', () => {
  it.each<[string, (id: unknown) => Answer]>([
    ['400', () => ({ status: 400 })],
    ['404', () => ({ status: 404 })],
    ['405', () => ({ status: 405 })],
    ['409', () => ({ status: 409 })],
    ['410', () => ({ status: 410 })],
    ['422', () => ({ status: 422 })],
    ['200 and -32001', () => ({ error: { code: -32001, message: 'Session not found' } })],
    ['200 and -32001 without id', () => json({ id: null, error: { code: -32001, message: 'Unknown session' } })],
  ])('and answers with %s gets the request once more, in a new session', async (_, refusal) => {
    let refuse = true;
    await using rig = await startTargetRig(
      ({ method, id }) => {
        if (method !== 'tools/call' || !refuse) return { result: {} };
        refuse = false;
        return refusal(id);
      },
      { sessionId: 'session 1' },
    );
    const { target, gateway } = rig;
    const client = await open(gateway);
    expect((await client.request('tools/call', { name: 'a:x' })).result).toEqual({});
    const sent = target.received.map(({ method }) => method).filter((method) => !method.startsWith('notifications/'));
    expect(sent).toEqual(['initialize', 'tools/call', 'initialize', 'tools/call']);
  });

  it.each<[string, Answer]>([
    ['413', { status: 413 }],
    ['403', { status: 403 }],
    ['-32001 for a time-out', { error: { code: -32001, message: 'Request timed out' } }],
  ])('is not meant by %s, so nothing is repeated', async (_, refusal) => {
    await using rig = await startTargetRig(() => refusal, { sessionId: 'session 1' });
    const client = await open(rig.gateway);
    expect(await client.request('tools/call', { name: 'a:x' })).toHaveProperty('error');
    expect(rig.target.received.filter(({ method }) => method === 'tools/call')).toHaveLength(1);
  });

  it('and keeps saying so gets the request twice, no more', async () => {
    await using rig = await startTargetRig(() => ({ status: 400 }), { sessionId: 'session 1' });
    const client = await open(rig.gateway);
    expect(await client.request('tools/call', { name: 'a:x' })).toHaveProperty('error');
    expect(rig.target.received.filter(({ method }) => method === 'tools/call')).toHaveLength(2);
  });
});

function json(members: Readonly<Record<string, unknown>>): Answer {
  return { raw: 'application/json', chunks: [JSON.stringify({ jsonrpc: '2.0', ...members })] };
}

describe('a connection to a target', () => {
  it('fails when the handshake does not complete in time', async () => {
    const clock = createManualClock();
    const silent = createServer(() => {});
    const connected = Promise.withResolvers<void>();
    silent.on('request', () => connected.resolve());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    await using gateway = await startGateway({ clock });
    gateway.config.putTarget({ name: 'a', host: '127.0.0.1', port: portOf(silent.address()), path: '' });
    const opening = open(gateway);
    await connected.promise;
    // The session begins without the instructions of the target.
    clock.advance(2_000);
    const client = await opening;
    const calling = client.request('tools/call', { name: 'a:x' });
    await gateway.log.line('allowed');
    clock.advance(8_000);
    expect((await calling).error?.message).toBe('Target a does not answer: no answer within 10 s');
    silent.closeAllConnections();
    silent.close();
  });

  it('that is opened again restores the log level and the subscriptions of the session', async () => {
    let forgotten = false;
    await using rig = await startTargetRig(({ method }) => {
      if (method !== 'tools/call' || !forgotten) return { result: {} };
      forgotten = false;
      return { status: 404 };
    });
    const { target, gateway } = rig;
    const client = await open(gateway);
    await client.request('logging/setLevel', { level: 'debug' });
    await client.request('tools/list');
    await target.arrival('logging/setLevel');
    await client.request('resources/subscribe', { uri: 'mcp://a/x%3Ay' });
    forgotten = true;
    expect((await client.request('tools/call', { name: 'a:x' })).result).toEqual({});
    await target.arrival('initialize', 2);
    await target.arrival('tools/call', 2);
    expect((await target.arrival('logging/setLevel', 2)).params).toEqual({ level: 'debug' });
    expect((await target.arrival('resources/subscribe', 2)).params).toEqual({ uri: 'x:y' });
  });
});
