import { describe, expect, it } from 'vitest';
import { startTargetRig } from '../../support/gateway/target-rig.ts';
import { initialize, linesOf, post } from '../../support/nodes/raw-client.ts';
import { ask } from '../../support/nodes/stateless-client.ts';

const call = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'a:x' } };
const result = { content: [{ type: 'text', text: 'done' }] };

/** A target that answers a call when the test says so, and a caller who may make it. */
async function start() {
  const answered = Promise.withResolvers<{ readonly result: typeof result }>();
  const rig = await startTargetRig(({ method }) => (method === 'tools/call' ? answered.promise : { result: {} }));
  rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
  return { rig, answer: () => answered.resolve({ result }) };
}

/** Reads lines until one begins with the text. */
async function lineWith(lines: AsyncGenerator<string>, text: string): Promise<string> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`no line with ${text}`);
    if (value.startsWith(text)) return value;
  }
}

describe('a call that its target works on when its policy is taken away', () => {
  it('is answered to the caller who has made it, in a session and without one', async () => {
    const { rig, answer } = await start();
    await using _ = rig;
    const { gateway, target } = rig;
    const inSession = (await rig.open()).request(call.method, call.params);
    const stateless = ask(gateway, { token: gateway.token('me'), method: call.method, params: call.params });
    await target.arrival('tools/call', 2);
    gateway.config.removeConfig('n.p');
    answer();
    expect((await inSession).result).toEqual(result);
    // After a second, the response is an event stream.
    expect(await (await stateless).text()).toContain(JSON.stringify(result.content));
  });

  it('is answered to the caller who has made it over HTTP+SSE', async () => {
    const { rig, answer } = await start();
    await using _ = rig;
    const { gateway, target } = rig;
    const headers = { authorization: `Bearer ${gateway.token('me')}`, 'content-type': 'application/json' };
    const lines = linesOf(await fetch(`${gateway.url}/sse`, { headers }));
    const endpoint = new URL((await lineWith(lines, 'data:')).slice('data: '.length), `${gateway.url}/sse`);
    const send = (message: object) => fetch(endpoint, { method: 'POST', headers, body: JSON.stringify(message) });
    await send(initialize('2024-11-05'));
    await lineWith(lines, 'data:');
    await send(call);
    await target.arrival('tools/call');
    gateway.config.removeConfig('n.p');
    answer();
    expect(await lineWith(lines, 'data:')).toContain('done');
  });

  it('is not answered to somebody who resumes the stream of the response, although the token is the same', async () => {
    const { rig, answer } = await start();
    await using _ = rig;
    const { gateway, target } = rig;
    const client = await rig.open();
    const left = new AbortController();
    const calling = await post(gateway, gateway.token('me'), client.sessionId, call, {}, left.signal);
    const primer = (await lineWith(linesOf(calling), 'id:')).slice('id: '.length);
    await target.arrival('tools/call');
    left.abort();
    gateway.config.removeConfig('n.p');
    const resumed = await client.listen(undefined, primer);
    answer();
    const response = await resumed.next();
    expect(response).toMatchObject({ id: 7, error: { code: -32000 } });
    expect(JSON.stringify(response)).not.toContain('done');
  });
});

it('a call whose policy is taken away while its target is connected to is denied, and not sent', async () => {
  const connected = Promise.withResolvers<void>();
  await using rig = await startTargetRig(() => ({ result: {} }), {
    fetchFor: () => async (url, request) => {
      if (request.body?.includes('"initialize"') === true) await connected.promise;
      return fetch(url, request);
    },
  });
  const { gateway, target } = rig;
  const client = await rig.open();
  gateway.config.allow('n.p', 'me', 'tool', 'a:x');
  const calling = client.request(call.method, call.params);
  await expect.poll(() => gateway.counters.total('gatehouse_gateway_decisions_total', {})).toBe(1);
  gateway.config.removeConfig('n.p');
  connected.resolve();
  expect((await calling).error?.message).toContain('not allowed');
  expect(target.asked).toEqual([]);
});
