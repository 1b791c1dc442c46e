import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createManualClock } from '../../../support/edges/manual-clock.ts';
import { startTargetRig, type TargetRig } from '../../../support/gateway/target-rig.ts';
import type { RawClient } from '../../../support/nodes/raw-client.ts';

type Outcome =
  | { readonly result: Readonly<Record<string, unknown>> }
  | { readonly error: Readonly<Record<string, unknown>> };

interface SlowTarget {
  readonly rig: TargetRig;
  /** Answers the `nth` list after so many milliseconds. */
  answer(nth: number, after: number, outcome: Outcome): Promise<void>;
  /** Says on the stream of notifications that the tools have changed. */
  change(): void;
  advance(milliseconds: number): Promise<void>;
  lists(): number;
}

async function startSlowTarget(options: { readonly passHeaders?: readonly string[] } = {}): Promise<SlowTarget> {
  const clock = createManualClock();
  const answers: PromiseWithResolvers<Outcome>[] = [];
  const answerTo = (nth: number): PromiseWithResolvers<Outcome> => {
    answers[nth] ??= Promise.withResolvers();
    return answers[nth];
  };
  let asked = 0;
  const advance = async (milliseconds: number): Promise<void> => {
    // The step of a list that was just answered is over then, and does not look as if it had taken this time.
    await new Promise(setImmediate);
    clock.advance(milliseconds);
  };
  const streams: ServerResponse[] = [];
  const rig = await startTargetRig(
    ({ method }) => {
      if (method !== 'tools/list') return { result: {} };
      asked += 1;
      return answerTo(asked).promise;
    },
    {
      ...options,
      clock,
      get(_, response) {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
        streams.push(response);
      },
    },
  );
  rig.gateway.config.allow('n.p', 'me', 'tool', '*');
  return {
    rig,
    async answer(nth, after, outcome) {
      await rig.target.arrival('tools/list', nth);
      await advance(after);
      answerTo(nth).resolve(outcome);
    },
    change() {
      for (const stream of streams) stream.write(`data: ${JSON.stringify(listChanged)}\n\n`);
    },
    advance,
    lists: () => asked,
  };
}

const listChanged = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };

function toolsOf(...names: readonly string[]): Outcome {
  return { result: { tools: names.map((name) => ({ name })) } };
}

async function listedBy(client: RawClient): Promise<unknown> {
  const { result } = await client.request('tools/list');
  return [result?.['tools'], Object.keys(Object(result?.['_meta']))];
}

/** Megabytes take long beside others. */
const patient = { timeout: 30_000 };

const missing = ['kgateway.dev/missingTargets', 'kgateway.dev/missingTargetStates'];

function stateIn({ rig }: SlowTarget): string | undefined {
  return rig.gateway.downstream.targetState('a').lists[0]?.state;
}

/** The client waits for a list of a busy gateway, whose own attempt is answered at once. */
async function listSlowlyOnce(
  slow: Awaited<ReturnType<typeof startSlowTarget>>,
  client: Parameters<typeof listedBy>[0],
): Promise<void> {
  const first = listedBy(client);
  await slow.answer(1, 1_500, toolsOf('x'));
  await first;
  await slow.answer(2, 0, toolsOf('x'));
  await expect.poll(() => stateIn(slow), patient).toBeUndefined();
}

describe('a target whose list takes seconds', () => {
  it('is waited for until the gateway has listed it itself, and then stands in lists as it was then', async () => {
    const slow = await startSlowTarget();
    await using rig = slow.rig;
    const client = await rig.open();
    const notified = await client.listen();
    const first = listedBy(client);
    await slow.answer(1, 1_500, toolsOf('x'));
    expect(await first).toEqual([[{ name: 'a:x' }], []]);
    await slow.answer(2, 1_500, toolsOf('x'));
    await expect.poll(() => stateIn(slow), patient).toBe('left out');
    const line = await rig.gateway.log.line('does not answer');
    expect(line.fields['reason']).toContain('its list takes longer than 1 s');
    for (let lists = 0; lists < 3; lists += 1) expect(await listedBy(client)).toEqual([[{ name: 'a:x' }], []]);
    expect(slow.lists()).toBe(2);

    // What it said is told, and not what it said before that.
    slow.change();
    expect(await notified.next()).toEqual(listChanged);
    expect(await listedBy(client)).toEqual([[], missing]);
    await slow.answer(3, 1_500, toolsOf('x', 'y'));
    expect(await notified.next()).toEqual(listChanged);
    expect(await listedBy(client)).toEqual([[{ name: 'a:x' }, { name: 'a:y' }], []]);
    expect(slow.lists()).toBe(3);

    await slow.advance(750);
    await slow.answer(4, 0, toolsOf('z'));
    await expect.poll(() => stateIn(slow), patient).toBeUndefined();
    // What the client was given may be what was listed before.
    await slow.advance(1_000);
    expect(await notified.next()).toEqual(listChanged);
    const again = listedBy(client);
    await slow.answer(5, 0, toolsOf('z'));
    expect(await again).toEqual([[{ name: 'a:z' }], []]);
    expect(rig.gateway.log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });
});

describe('a target whose list takes seconds', () => {
  it('is not waited for when the gateway was only busy', async () => {
    const slow = await startSlowTarget();
    await using rig = slow.rig;
    const client = await rig.open();
    await listSlowlyOnce(slow, client);
    const again = listedBy(client);
    await slow.answer(3, 0, toolsOf('x'));
    expect(await again).toEqual([[{ name: 'a:x' }], []]);
  });

  it('for clients again and again, but not for the gateway itself, stands in lists as the gateway has read it', async () => {
    const slow = await startSlowTarget();
    await using rig = slow.rig;
    const client = await rig.open();
    await listSlowlyOnce(slow, client);
    const second = listedBy(client);
    await slow.answer(3, 1_500, toolsOf('x'));
    await second;
    await slow.answer(4, 0, toolsOf('y'));
    await expect.poll(() => stateIn(slow), patient).toBe('left out');
    for (let lists = 0; lists < 3; lists += 1) expect(await listedBy(client)).toEqual([[{ name: 'a:y' }], []]);
    expect(slow.lists()).toBe(4);
  });

  it.each([
    ['bytes', { name: 'x', description: 'x'.repeat(3 * 2 ** 20) }],
    ['empty objects', { name: 'x', extra: Array.from({ length: 170_000 }, () => ({})) }],
  ])('and has too many %s to stand in lists is left out of them', async (_, tool) => {
    const slow = await startSlowTarget();
    await using rig = slow.rig;
    const client = await rig.open();
    const large = { result: { tools: [tool] } };
    const first = listedBy(client);
    await slow.answer(1, 1_500, large);
    await first;
    await slow.answer(2, 1_500, large);
    await expect.poll(() => stateIn(slow), patient).toBe('left out');
    expect(await listedBy(client)).toEqual([[], missing]);
    expect(slow.lists()).toBe(2);
  });

  it('and was changed leaves nothing of what it listed', async () => {
    const slow = await startSlowTarget();
    await using rig = slow.rig;
    const client = await rig.open();
    const first = listedBy(client);
    await slow.answer(1, 1_500, toolsOf('x'));
    await first;
    await slow.answer(2, 1_500, toolsOf('x'));
    await expect.poll(() => stateIn(slow), patient).toBe('left out');
    rig.gateway.config.putTarget({ ...rig.target.target('a'), path: '/other' });
    const again = listedBy(client);
    await slow.answer(3, 0, toolsOf('y'));
    expect(await again).toEqual([[{ name: 'a:y' }], []]);
  });
});

describe('a target whose list takes seconds', () => {
  it('may list something else for the headers of a client, for which nothing stands in', async () => {
    const slow = await startSlowTarget({ passHeaders: ['x-user'] });
    await using rig = slow.rig;
    const client = await rig.open();
    const first = listedBy(client);
    await slow.answer(1, 1_500, toolsOf('x'));
    await first;
    await slow.answer(2, 1_500, toolsOf());
    await expect.poll(() => stateIn(slow), patient).toBeUndefined();
    const again = listedBy(client);
    await slow.answer(3, 1_500, toolsOf('x'));
    expect(await again).toEqual([[{ name: 'a:x' }], []]);
  });

  it('by an error is left out when the gateway itself gets it as late', async () => {
    const slow = await startSlowTarget();
    await using rig = slow.rig;
    const client = await rig.open();
    const error = { error: { code: -1, message: 'x' } };
    const first = listedBy(client);
    await slow.answer(1, 900, error);
    expect(await first).toEqual([[], missing]);
    await slow.answer(2, 900, error);
    await expect.poll(() => stateIn(slow), patient).toBe('left out');
    expect(await listedBy(client)).toEqual([[], missing]);
    expect(slow.lists()).toBe(2);
  });
});
