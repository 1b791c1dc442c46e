import { expect, it } from 'vitest';
import type { TargetRequest } from '../../../src/gateway/model.ts';
import {
  createUpstreamSessions,
  createUpstreamState,
  type UpstreamEvents,
} from '../../../src/gateway/session/upstream-sessions.ts';
import { createListMemory } from '../../../src/gateway/upstream/answer-limits.ts';
import { FairTurns } from '../../../src/rate/fair-turns.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedGatewayCounters } from '../../support/edges/recorded-gateway-counters.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { createFakeConfig } from '../../support/gateway/fake-config.ts';
import { noCircuit } from '../../support/gateway/no-circuit.ts';

function createRig(events: Partial<UpstreamEvents> = {}) {
  const config = createFakeConfig();
  config.putTarget({ name: 'a', host: 'a.test', port: 80, path: '/mcp' });
  const wire = { fetched: [] as string[], answer: (): Promise<Response> => Promise.reject(new Error('unreachable')) };
  const parts = {
    config,
    fetchFor:
      () =>
      (url: URL, { method }: TargetRequest) => {
        wire.fetched.push(`${method} ${url.host}`);
        return wire.answer();
      },
    list: 'all',
    clock: createManualClock(),
    random: () => 0,
    log: createRecordedLog(),
    counters: createRecordedGatewayCounters(),
  } as const;
  const failed: string[] = [];
  const ended = new AbortController();
  const upstreams = createUpstreamSessions(
    parts,
    createUpstreamState(
      {
        circuit: { ...noCircuit, failed: (target) => void failed.push(target) },
        kept: createListMemory({ evict: () => {}, crowded: () => {} }),
        turnstile: { enter: () => () => {} },
        delayed: () => {},
      },
      new FairTurns(),
    ),
    {
      input: 'refused',
      notification: () => {},
      request: () => Promise.resolve({}),
      clientCapabilities: () => ({}),
      passedHeaders: () => undefined,
      connected: () => {},
      failed: () => {},
      ...events,
    },
    ended.signal,
  );
  return { config, wire, failed, ended, upstreams };
}

it('after the end of the client session no session with a target is created', async () => {
  const { upstreams, ended, wire } = createRig();
  expect(upstreams.get('a')).toBeDefined();
  ended.abort();
  await upstreams.close();
  expect(upstreams.get('a')).toBeUndefined();
  expect(wire.fetched).toEqual([]);
});

it('connections begin one in each iteration of the event loop, however many are needed at once', async () => {
  const { upstreams, config, wire } = createRig();
  wire.answer = () => new Promise(() => {});
  for (let index = 0; index < 20; index += 1) {
    const name = `t${index}`;
    config.putTarget({ name, host: `${name}.test`, port: 80, path: '/mcp' });
    upstreams
      .get(name)
      ?.capabilities(new AbortController().signal)
      .catch(() => {});
  }
  const begun: number[] = [];
  do {
    const before = wire.fetched.length;
    await new Promise(setImmediate);
    begun.push(wire.fetched.length - before);
  } while (wire.fetched.length < 20);
  expect(Math.max(...begun)).toBe(1);
});

it('a session with a target that was changed is neither used nor heard any more, also before it is closed', async () => {
  const connected: string[] = [];
  const { upstreams, config, wire, failed } = createRig({ connected: (target) => void connected.push(target) });
  const answer = Promise.withResolvers<Response>();
  wire.answer = () => answer.promise;
  const old = upstreams.get('a');
  const listed = old?.request('tools/list', {}, new AbortController().signal);
  config.putTarget({ name: 'a', host: 'b.test', port: 80, path: '/mcp' });
  upstreams.drop(['a']);
  expect(upstreams.opened('a')).toBeUndefined();
  expect(upstreams.get('a')).not.toBe(old);
  await expect.poll(() => wire.fetched).toEqual(['POST a.test']);
  answer.reject(new Error('cut off'));
  await expect(listed).rejects.toThrow('cut off');
  expect([failed, connected]).toEqual([[], []]);

  const again = upstreams.get('a')?.request('tools/list', {}, new AbortController().signal);
  await expect(again).rejects.toThrow('cut off');
  expect([new Set(failed), wire.fetched.at(-1)]).toEqual([new Set(['a']), 'POST b.test']);
  upstreams.closeDropped();
  await expect(old?.capabilities(new AbortController().signal)).rejects.toThrow('Target a was removed or changed');
});
