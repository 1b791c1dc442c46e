import { describe, expect, it } from 'vitest';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { startGateway } from '../../support/gateway/gateway-rig.ts';
import { type RawTarget, startRawTarget } from '../../support/gateway/raw-target.ts';
import { startTargetRig } from '../../support/gateway/target-rig.ts';
import { openRawClient } from '../../support/nodes/raw-client.ts';

const tools = { tools: [{ name: 'x' }] };

function handshakes({ received }: RawTarget): number {
  return received.filter(({ method }) => method === 'initialize').length;
}

function lists({ received }: RawTarget): number {
  return received.filter(({ method }) => method === 'tools/list').length;
}

describe('a caller who may use nothing at a target', () => {
  it('has no connection there: all of them list it over one, and those at the same time by one request', async () => {
    await using rig = await startTargetRig(() => ({ result: tools }));
    const clients = await Promise.all(Array.from({ length: 20 }, (_, index) => rig.open(`caller ${index}`)));
    const replies = await Promise.all(clients.map((client) => client.request('tools/list')));
    expect(replies.map(({ result }) => result)).toEqual(clients.map(() => ({ tools: [{ name: 'a:x' }] })));
    expect(handshakes(rig.target)).toBe(1);
    expect(lists(rig.target)).toBeLessThan(20);
  });

  it('causes no request at all in a filtered list', async () => {
    await using rig = await startTargetRig(() => ({ result: tools }), { list: 'filtered' });
    rig.gateway.config.allow('n.p', 'me', 'tool', 'other:x');
    rig.gateway.config.allow('n.p', 'me', 'prompt', 'a:x');
    const client = await rig.open();
    expect((await client.request('tools/list')).result).toEqual({ tools: [] });
    expect(rig.target.asked).toEqual([]);
    rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    expect((await client.request('tools/list')).result).toEqual({ tools: [{ name: 'a:x' }] });
    expect(handshakes(rig.target)).toBe(1);
  });

  it('gets no notification of the target, and one who may use something gets them', async () => {
    await using rig = await startTargetRig((_, say) => {
      say('notifications/tools/list_changed', {});
      return { result: tools };
    });
    rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    const [stranger, allowed] = [await rig.open('stranger'), await rig.open()];
    const changes = { stranger: await stranger.listen(), allowed: await allowed.listen() };
    await stranger.request('tools/list');
    await allowed.request('tools/list');
    expect(await changes.allowed.next()).toMatchObject({ method: 'notifications/tools/list_changed' });
    expect(handshakes(rig.target)).toBe(2);
    rig.gateway.config.removeTarget('a');
    // The first that the stranger hears is of the configuration, after which the stream is empty.
    const heard = [await changes.stranger.next(), await changes.stranger.next(), await changes.stranger.next()];
    expect(heard.map((message) => message?.['method'])).toEqual([
      'notifications/tools/list_changed',
      'notifications/prompts/list_changed',
      'notifications/resources/list_changed',
    ]);
  });
});

describe('a list of a target that does not answer', () => {
  it('is waited for once, by all clients; they are told when it answers', async () => {
    const clock = createManualClock();
    let silent = true;
    await using slow = await startRawTarget(() => (silent ? undefined : { result: tools }));
    await using good = await startRawTarget(() => ({ result: tools }));
    await using gateway = await startGateway({ clock });
    gateway.config.putTarget(slow.target('slow'));
    gateway.config.putTarget(good.target('good'));
    gateway.config.allow('n.p', 'me', 'tool', '*');
    const first = await openRawClient(gateway, gateway.token('me'));
    const second = await openRawClient(gateway, gateway.token('somebody else'));
    const state = { state: 'slow', since: expect.any(String) };
    const warning = { 'kgateway.dev/missingTargets': ['slow'], 'kgateway.dev/missingTargetStates': { slow: state } };
    const without = { tools: [{ name: 'good:x' }], _meta: warning };

    const waiting = first.request('tools/list');
    await slow.arrival('tools/list');
    // Its answer to this call comes after the one to the list.
    await first.request('tools/call', { name: 'good:x' });
    clock.advance(5_000);
    expect((await waiting).result).toEqual(without);
    // The clock stands still: nobody waits.
    for (const client of [first, second, first]) expect((await client.request('tools/list')).result).toEqual(without);
    await slow.arrival('tools/list', 2);
    expect(lists(slow)).toBe(2);

    const changes = [await first.listen(), await second.listen()];
    silent = false;
    // The gateway’s own attempt is given up, and the next one is made.
    clock.advance(5_000);
    await expect.poll(() => clock.waiting().some((delay) => delay <= 1_000)).toBe(true);
    clock.advance(1_000);
    for (const stream of changes) expect((await stream.next())?.['method']).toBe('notifications/tools/list_changed');
    const both = { tools: [{ name: 'good:x' }, { name: 'slow:x' }] };
    for (const client of [first, second]) expect((await client.request('tools/list')).result).toEqual(both);
    expect(
      gateway.log.lines.filter(({ message }) => message.startsWith('target ')).map(({ message }) => message),
    ).toEqual(['target does not answer', 'target answers again']);
  });
});
