import { describe, expect, it } from 'vitest';
import { objectIn } from '../../../src/json/json.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import type { Script } from '../../support/gateway/raw-target.ts';
import { startTargetRig } from '../../support/gateway/target-rig.ts';
import { openRawClient, readEvents } from '../../support/nodes/raw-client.ts';
import { ask } from '../../support/nodes/stateless-client.ts';

const uri = 'mcp://a/file%3A%2F%2F%2Fa';

/** Answers everything, and before the answer to the tool `say` sends one notification of each kind. */
const talkative: Script = ({ params }, say) => {
  if (params['name'] !== 'say') return { result: {} };
  say('notifications/message', { level: 'info', data: 'secret' });
  say('notifications/resources/updated', { uri: 'file:///a', secret: true });
  say('notifications/tools/list_changed', { secret: true });
  say('notifications/progress', { progressToken: objectIn(params, '_meta')['progressToken'], progress: 1 });
  return { result: {} };
};

/** The parameters of a call that makes the target talk. */
const say = { name: 'a:say', _meta: { progressToken: 'p' } };

describe('a notification', () => {
  it('is decided by the claims of the caller who reads it, not of the one who subscribed', async () => {
    const clock = createManualClock();
    await using rig = await startTargetRig(talkative, { clock });
    const { gateway } = rig;
    gateway.config.allowAll('n.p', 'more');
    const more = gateway.token('me', undefined, 'more');
    const client = await openRawClient(gateway, more);
    await client.request('resources/subscribe', { uri });

    const readByLess = await client.listen(gateway.token('me', undefined, 'less'));
    await client.request('tools/call', say);
    gateway.config.putTarget({ name: 'marker', host: '127.0.0.1', port: 1, path: '' });
    // What the target has said of its tools began a burst.
    expect(await readByLess.next()).toEqual({ jsonrpc: '2.0', method: 'notifications/prompts/list_changed' });

    const readByMore = await client.listen();
    await client.request('tools/call', say);
    expect(await readByMore.next()).toMatchObject({ method: 'notifications/resources/updated', params: { uri } });
    clock.advance(1_000);
    expect(await readByMore.next()).toEqual({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
  });

  it('is not delivered on the claims of a token that has expired, although the session goes on', async () => {
    const clock = createManualClock();
    await using rig = await startTargetRig(talkative, { clock });
    const { target, gateway } = rig;
    gateway.config.allowAll('n.p', 'more');
    const client = await openRawClient(gateway, gateway.token('me', clock.now() + 60_000, 'more'));
    await client.request('resources/subscribe', { uri });
    await client.request('tools/call', { name: 'a:other' });
    clock.advance(60_000);

    const less = gateway.token('me', undefined, 'less');
    const stream = await client.listen(less);
    gateway.config.allow('n.q', 'less', 'tool', 'a:say');
    await client.request('tools/call', say, { token: less });
    // The caller may use a tool of the target, and so gets what is about the target, but not the resource.
    expect(await stream.next()).toMatchObject({ method: 'notifications/tools/list_changed', params: { secret: true } });
    gateway.config.removeConfig('n.q');
    gateway.config.putTarget({ ...target.target('marker') });
    expect(await stream.next()).toEqual({ jsonrpc: '2.0', method: 'notifications/prompts/list_changed' });
  });
});

describe('a notification about a call', () => {
  it('is not delivered after the end of its token, but the result is', async () => {
    const clock = createManualClock();
    const go = Promise.withResolvers<void>();
    await using rig = await startTargetRig(
      async (request, tell) => {
        await go.promise;
        return talkative(request, tell);
      },
      { clock },
    );
    const { target, gateway } = rig;
    gateway.config.allowAll('n.p', 'me');
    const client = await openRawClient(gateway, gateway.token('me', clock.now() + 3_000));
    const calling = client.request('tools/call', say);
    await target.arrival('tools/call');
    clock.advance(3_000);
    go.resolve();
    expect(await calling).toMatchObject({ result: {}, before: [] });
  });

  it('is not delivered when the call would be denied by now', async () => {
    const go = Promise.withResolvers<void>();
    await using rig = await startTargetRig(async (request, tell) => {
      await go.promise;
      return talkative(request, tell);
    });
    const { target, gateway } = rig;
    gateway.config.allowAll('n.p', 'me');
    const client = await openRawClient(gateway, gateway.token('me'));
    const calling = client.request('tools/call', say);
    await target.arrival('tools/call');
    gateway.config.removeConfig('n.p');
    go.resolve();
    expect(await calling).toMatchObject({ result: {}, before: [] });
  });
});

describe('a notification', () => {
  it('of progress goes to the request that it is about, when two requests have the same progress token', async () => {
    const tokens: unknown[] = [];
    const both = Promise.withResolvers<void>();
    await using rig = await startTargetRig(async ({ params }, tell) => {
      const progressToken = objectIn(params, '_meta')['progressToken'];
      if (tokens.push(progressToken) === 2) both.resolve();
      await both.promise;
      tell('notifications/progress', { progressToken, progress: 1, message: params['name'] });
      return { result: {} };
    });
    rig.gateway.config.allowAll('n.p', 'me');
    const client = await rig.open();
    const call = (name: string) => client.request('tools/call', { name: `a:${name}`, _meta: { progressToken: 7 } });
    const [x, y] = await Promise.all([call('x'), call('y')]);
    expect(x.before).toMatchObject([{ params: { progressToken: 7, message: 'x' } }]);
    expect(y.before).toMatchObject([{ params: { progressToken: 7, message: 'y' } }]);
    expect(new Set(tokens).size).toBe(2);
  });

  it('of a changed list does not reach a caller who may use nothing of the target', async () => {
    await using rig = await startTargetRig(({ method }, tell) => {
      tell('notifications/prompts/list_changed', { secret: true });
      return { result: method === 'tools/list' ? { tools: [] } : {} };
    });
    const { gateway } = rig;
    const client = await rig.open();
    const stream = await client.listen();
    await client.request('tools/list');
    gateway.config.putTarget({ name: 'marker', host: '127.0.0.1', port: 1, path: '' });
    expect(await stream.next()).toEqual({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
  });
});

it('in filtered mode, a change of the rules is told to those whose claims it is about, of the lists that it is about', async () => {
  await using rig = await startTargetRig(() => ({ result: {} }), { list: 'filtered' });
  const { config } = rig.gateway;
  config.allow('n.p', 'me', 'tool', 'a:x');
  const [mine, yours] = [await (await rig.open('me')).listen(), await (await rig.open('you')).listen()];
  config.allow('n.p', 'you', 'tool', 'a:x');
  expect(await yours.next()).toEqual({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
  config.allow('n.q', 'me', 'prompt', 'a:y');
  expect(await mine.next()).toEqual({ jsonrpc: '2.0', method: 'notifications/prompts/list_changed' });
  config.removeConfig('n.p');
  expect(await mine.next()).toEqual({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
  config.allow('n.q', 'me', 'prompt', 'a:y');
  config.allow('n.q', 'me', 'resource', 'a:z');
  expect(await mine.next()).toEqual({ jsonrpc: '2.0', method: 'notifications/resources/list_changed' });
});

it('in filtered mode, a change of the rules for a newer token of the client is told on the stream of the older one', async () => {
  await using rig = await startTargetRig(() => ({ result: {} }), { list: 'filtered' });
  const { config, token } = rig.gateway;
  const client = await rig.open('me');
  const stream = await client.listen();
  await client.request('tools/list', {}, { token: token('me', undefined, 'me', { scope: 'more' }) });
  config.allow('n.p', 'more', 'tool', 'a:x', 'scope');
  expect(await stream.next()).toEqual({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
});

it('in filtered mode, such a client is told without a session, too', async () => {
  await using rig = await startTargetRig(() => ({ result: {} }), { list: 'filtered' });
  const { gateway } = rig;
  const [less, more] = ['less', 'more'].map((sub) => gateway.token('me', undefined, sub));
  const params = { notifications: { promptsListChanged: true } };
  const stream = readEvents(await ask(gateway, { token: `${less}`, method: 'subscriptions/listen', params }));
  expect(await stream.next()).toMatchObject({ method: 'notifications/subscriptions/acknowledged' });
  await (await ask(gateway, { token: `${more}`, method: 'tools/list' })).text();
  gateway.config.allow('n.p', 'more', 'prompt', 'a:x');
  expect(await stream.next()).toMatchObject({ method: 'notifications/prompts/list_changed' });
});

it('in filtered mode, new targets are no news for a caller who may use nothing of them', async () => {
  await using rig = await startTargetRig(() => ({ result: {} }), { list: 'filtered' });
  const { gateway } = rig;
  gateway.config.allow('n.p', 'me', 'tool', 'c:x');
  const stream = await (await rig.open()).listen();
  gateway.config.putTarget({ name: 'b', host: '127.0.0.1', port: 1, path: '' });
  await gateway.downstream.stop();
  expect(await stream.next()).toBeUndefined();
});
