import { describe, expect, it } from 'vitest';
import { createManualClock } from '../../../support/edges/manual-clock.ts';
import { type GatewayRig, startGateway } from '../../../support/gateway/gateway-rig.ts';
import { type RawTarget, type Script, startRawTarget } from '../../../support/gateway/raw-target.ts';
import { openRawClient, type RawClient } from '../../../support/nodes/raw-client.ts';

/** A target that lists the given entries, one per page. */
function listing(member: string, pages: readonly unknown[]): Script {
  return ({ params }) => {
    const page = Number(params['cursor'] ?? 0);
    const more = page + 1 < pages.length ? { nextCursor: String(page + 1) } : {};
    return { result: { [member]: [pages[page]], ...more } };
  };
}

function nested(levels: number): unknown {
  return JSON.parse('['.repeat(levels) + ']'.repeat(levels));
}

async function namesOf(client: RawClient): Promise<readonly unknown[]> {
  const { result } = await client.request('tools/list');
  const tools: unknown = result?.['tools'];
  return Array.isArray(tools) ? tools.map(({ name }) => name) : [];
}

async function openAll(gateway: GatewayRig, targets: Readonly<Record<string, RawTarget>>): Promise<RawClient> {
  for (const [name, target] of Object.entries(targets)) gateway.config.putTarget(target.target(name));
  return openRawClient(gateway, gateway.token('me'));
}

describe('a list', () => {
  it('contains all pages of all targets, sorted by the bytes of the targets’ names', async () => {
    await using a = await startRawTarget(listing('tools', [{ name: 'z' }, { name: 'y' }, { name: 'x' }]));
    await using b = await startRawTarget(listing('tools', [{ name: 'a' }]));
    await using gateway = await startGateway({ clock: createManualClock() });
    // In UTF-16, which sorts JavaScript's strings, U+1F600 comes before U+FFFD.
    const client = await openAll(gateway, { 'n/\u{1f600}': b, 'n/\ufffd': b, 'n/a': a, 'N/a': b });
    expect(await namesOf(client)).toEqual(['N/a:a', 'n/a:z', 'n/a:y', 'n/a:x', 'n/\ufffd:a', 'n/\u{1f600}:a']);
  });

  it('ends although the pages of a target do not', async () => {
    await using circular = await startRawTarget(() => ({ result: { tools: [{ name: 'x' }], nextCursor: 'same' } }));
    await using endless = await startRawTarget(({ params }) => ({
      result: { tools: [{ name: `t${params['cursor'] ?? ''}` }], nextCursor: `${params['cursor'] ?? ''}1` },
    }));
    await using gateway = await startGateway({ clock: createManualClock() });
    const client = await openAll(gateway, { 'n/circular': circular, 'n/endless': endless });
    expect(await namesOf(client)).toEqual(['n/circular:x']);
    expect(await gateway.log.line('does not answer')).toMatchObject({
      fields: { target: 'n/endless', reason: 'a list has more than 200 pages' },
    });
    expect(await namesOf(client)).toEqual(['n/circular:x']);
  });

  it('omits targets that fail or return invalid entries, and logs each failure once', async () => {
    await using good = await startRawTarget(listing('tools', [{ name: 'x' }]));
    await using broken = await startRawTarget(() => ({ status: 500 }));
    await using failing = await startRawTarget(() => ({ error: { code: -32603, message: 'oops' } }));
    await using odd = await startRawTarget(() => ({
      result: { tools: [7, null, {}, { name: 3 }, { name: '' }, 'x'] },
    }));
    const dead = await startRawTarget(() => undefined);
    await dead[Symbol.asyncDispose]();
    await using gateway = await startGateway({ clock: createManualClock() });
    const client = await openAll(gateway, { a: broken, b: dead, c: failing, d: odd, e: good });
    gateway.config.putTarget({ name: 'f', host: 'no host', port: 1, path: '' });
    gateway.config.putTarget({ ...good.target('g:h') });

    for (let times = 0; times < 3; times++) expect(await namesOf(client)).toEqual(['e:x']);
    const failures = gateway.log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields['target']);
    expect(failures.toSorted()).toEqual(['a', 'b', 'c', 'f']);
  });

  it('omits a target that does not respond within the time limit', async () => {
    const clock = createManualClock();
    let broken = true;
    await using good = await startRawTarget(() => (broken ? { status: 500 } : { result: { tools: [{ name: 'x' }] } }));
    await using silent = await startRawTarget(() => undefined);
    await using gateway = await startGateway({ clock });
    const client = await openAll(gateway, { 'n/good': good });
    expect(await namesOf(client)).toEqual([]);

    broken = false;
    gateway.config.putTarget(silent.target('n/silent'));
    const names = namesOf(client);
    const asked = await silent.arrival('tools/list');
    await gateway.log.line('answers again');
    clock.advance(5_000);
    expect(await names).toEqual(['n/good:x']);
    expect((await silent.arrival('notifications/cancelled')).params).toMatchObject({ requestId: asked.id });
    expect(gateway.log.lines.at(-1)).toMatchObject({ level: 'warn', fields: { target: 'n/silent' } });
  });
});

describe('a list', () => {
  it('of a target has the size limit of one message over all pages, and is left out beyond it', async () => {
    const description = 'x'.repeat(3 * 1024 * 1024);
    await using large = await startRawTarget(({ params }) => {
      const page = Number(params['cursor'] ?? 0);
      return { result: { tools: [{ name: `t${page}` }], description, nextCursor: String(page + 1) } };
    });
    await using deep = await startRawTarget(() => ({ result: { tools: [{ name: 'x', nested: nested(1_000) }] } }));
    await using good = await startRawTarget(listing('tools', [{ name: 'x', nested: nested(400) }]));
    await using gateway = await startGateway({ clock: createManualClock() });
    const client = await openAll(gateway, { large, deep, good });
    expect(await namesOf(client)).toEqual(['good:x']);
    const pages = large.received.filter(({ method }) => method === 'tools/list').map(({ params }) => params['cursor']);
    // The list is tried again, from its first page on.
    expect(pages.slice(0, 3)).toEqual([undefined, '1', '2']);
    expect(pages).not.toContain('3');
    const reasons = gateway.log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields['reason']);
    expect(reasons.toSorted()).toEqual(['a list is larger than 8388608 bytes', 'a message has more than 500 levels']);
  });

  it.each([-1, -32601])('is left out when it is refused at length, also with code %s', async (code) => {
    await using long = await startRawTarget(() => ({ error: { code, message: 'x'.repeat(100_000) } }));
    await using gateway = await startGateway({ clock: createManualClock() });
    const client = await openAll(gateway, { long });
    for (let lists = 0; lists < 3; lists += 1) expect(await namesOf(client)).toEqual([]);
    // By the first list, and by the gateway's own attempt.
    expect(long.received.filter(({ method }) => method === 'tools/list').length).toBeLessThanOrEqual(2);
    expect((await gateway.log.line('does not answer')).fields['reason']).toContain(
      'refused with more than 65536 bytes',
    );
  });

  it('sends no request to a target without the capability', async () => {
    await using noPrompts = await startRawTarget(listing('tools', [{ name: 'x' }]), { capabilities: { tools: {} } });
    await using unaware = await startRawTarget(() => ({ error: { code: -32601, message: 'Method not found' } }));
    await using gateway = await startGateway();
    const client = await openAll(gateway, { a: noPrompts, b: unaware });
    expect((await client.request('prompts/list')).result).toEqual({ prompts: [] });
    expect(noPrompts.received.map(({ method }) => method)).not.toContain('prompts/list');
    expect(gateway.log.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  it('follows the configuration, and notifies the open sessions', async () => {
    await using a = await startRawTarget(listing('tools', [{ name: 'x' }]));
    await using gateway = await startGateway();
    const client = await openAll(gateway, { a });
    const changes = await client.listen();
    expect(await namesOf(client)).toEqual(['a:x']);
    gateway.config.putTarget(a.target('b'));
    const told = [await changes.next(), await changes.next(), await changes.next()];
    expect(told.map((message) => message?.['method'])).toEqual([
      'notifications/tools/list_changed',
      'notifications/prompts/list_changed',
      'notifications/resources/list_changed',
    ]);
    expect(await namesOf(client)).toEqual(['a:x', 'b:x']);
    gateway.config.removeTarget('a');
    expect(await namesOf(client)).toEqual(['b:x']);
  });
});

describe('resources', () => {
  it('and templates have URIs that contain their target', async () => {
    await using target = await startRawTarget(({ method }) =>
      method === 'resources/list'
        ? {
            result: {
              resources: [
                { uri: 'file:///a b', name: 'a' },
                { uri: '\ud800', name: 'no text' },
              ],
            },
          }
        : { result: { resourceTemplates: [{ uriTemplate: 'file:///{+path}', name: 't' }] } },
    );
    await using gateway = await startGateway();
    const client = await openAll(gateway, { 'n/a': target });
    expect((await client.request('resources/list')).result).toEqual({
      resources: [{ uri: 'mcp://n/a/file%3A%2F%2F%2Fa%20b', name: 'a' }],
    });
    expect((await client.request('resources/templates/list')).result).toEqual({
      resourceTemplates: [{ uriTemplate: 'mcp://n/a/:file:///{+path}', name: 't' }],
    });
  });
});

it('a list names the targets that it lacks, of those that the caller may see', async () => {
  await using good = await startRawTarget(listing('tools', [{ name: 'x' }]));
  await using broken = await startRawTarget(() => ({ status: 500 }));
  await using large = await startRawTarget(() => ({ result: { tools: new Array(10_001).fill({ name: 'x' }) } }));
  await using none = await startRawTarget(() => ({ error: { code: -32601, message: 'Method not found' } }));
  for (const [list, missing] of [
    ['all', ['broken', 'hidden', 'large']],
    ['filtered', ['broken', 'large']],
  ] as const) {
    await using gateway = await startGateway({ list });
    for (const target of ['broken', 'good', 'large', 'none'])
      gateway.config.allow(`n.${target}`, 'me', 'tool', `${target}:x`);
    const targets = { broken, good, hidden: broken, large, none };
    for (const [name, target] of Object.entries(targets)) gateway.config.putTarget(target.target(name));
    const client = await openRawClient(gateway, gateway.token('me'));
    const { result } = await client.request('tools/list');
    const state = { state: 'fails', since: expect.any(String) };
    const _meta = {
      'kgateway.dev/missingTargets': missing,
      'kgateway.dev/missingTargetStates': Object.fromEntries(missing.map((target) => [target, state])),
    };
    expect(result).toEqual({ tools: [{ name: 'good:x' }], _meta });
    for (const name of ['broken', 'hidden', 'large']) gateway.config.removeTarget(name);
    expect((await client.request('tools/list')).result).toEqual({ tools: [{ name: 'good:x' }] });
  }
});
