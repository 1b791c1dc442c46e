import { expect, it } from 'vitest';
import {
  createUpstreamSessions,
  createUpstreamState,
  type UpstreamEvents,
} from '../../../src/gateway/session/upstream-sessions.ts';
import { createListMemory } from '../../../src/gateway/upstream/answer-limits.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedGatewayCounters } from '../../support/edges/recorded-gateway-counters.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { createFakeConfig } from '../../support/gateway/fake-config.ts';
import { noCircuit } from '../../support/gateway/no-circuit.ts';

it('after the end of the client session no session with a target is created', async () => {
  const config = createFakeConfig();
  config.putTarget({ name: 'a', host: 'a.test', port: 80, path: '/mcp' });
  const fetched: string[] = [];
  const parts = {
    config,
    fetchFor: () => (url: string | URL) => {
      fetched.push(String(url));
      return Promise.reject(new Error('unreachable'));
    },
    list: 'all',
    clock: createManualClock(),
    random: () => 0,
    log: createRecordedLog(),
    counters: createRecordedGatewayCounters(),
  } as const;
  const ended = new AbortController();
  const events: UpstreamEvents = {
    input: 'refused',
    notification: () => {},
    request: () => Promise.resolve({}),
    clientCapabilities: () => ({}),
    passedHeaders: () => undefined,
    connected: () => {},
    failed: () => {},
  };
  const upstreams = createUpstreamSessions(
    parts,
    createUpstreamState({
      circuit: noCircuit,
      kept: createListMemory({ evict: () => {}, crowded: () => {} }),
      turnstile: { enter: () => () => {} },
    }),
    events,
    ended.signal,
  );
  expect(upstreams.get('a')).toBeDefined();
  ended.abort();
  await upstreams.close();
  expect(upstreams.get('a')).toBeUndefined();
  expect(fetched).toEqual([]);
});
