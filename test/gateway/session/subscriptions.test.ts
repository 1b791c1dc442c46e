import { describe, expect, it } from 'vitest';
import type { Client } from '../../../src/gateway/session/model.ts';
import { createNames } from '../../../src/gateway/session/names/names.ts';
import { createRequestRouter } from '../../../src/gateway/session/routing/request-router.ts';
import { RequestsInFlight } from '../../../src/gateway/session/routing/requests-in-flight.ts';
import { createSubscriptionBudget, createSubscriptions } from '../../../src/gateway/session/subscriptions.ts';
import { TaskTables } from '../../../src/gateway/session/tasks/task-tables.ts';
import { createUpstreamState } from '../../../src/gateway/session/upstream-sessions.ts';
import { createListMemory } from '../../../src/gateway/upstream/answer-limits.ts';
import { FairTurns } from '../../../src/rate/fair-turns.ts';
import { LogThrottle } from '../../../src/rate/log-throttle.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedGatewayCounters } from '../../support/edges/recorded-gateway-counters.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { noCircuit } from '../../support/gateway/no-circuit.ts';

const kept = createListMemory({ evict: () => {}, crowded: () => {} });
const names = createNames(
  'qualified',
  () => undefined,
  () => false,
  kept,
);

const caller = { kind: 'anonymous', reason: 'stdio' } as const;

const yes = (): boolean => true;
const authorization = {
  authorize: () => {},
  passed: () => {},
  missingScope: () => undefined,
  allows: yes,
  allowsAnythingOf: yes,
  seesAnythingOf: yes,
  isVisible: yes,
  reachable: () => 'all' as const,
};

const noTasks = {
  tasks: new TaskTables(createManualClock()).open().table,
  handshake: { taskForm: () => undefined },
};

const failures = {
  succeeded() {},
  refused() {},
  connected() {},
  unreachable() {},
  skipped() {},
  failed() {},
  isRefusal: () => false,
  leftOut() {},
  floods() {},
  forget() {},
};

const unchanged = {
  drop: () => {},
  closeDropped: () => {},
  setLogLevel: () => {},
  restoreLogLevel: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** A session with one target, at which everything is allowed. */
function createRig() {
  const log = createRecordedLog();
  const requests: string[] = [];
  const notified: unknown[] = [];
  const client: Client = {
    reader: () => undefined,
    notify({ params }, mayReceive) {
      if (mayReceive(caller)) notified.push(params);
    },
    request: () => Promise.resolve({}),
  };
  const subscriptions = createSubscriptions({ authorization, client, names, budget: createSubscriptionBudget() });
  const upstream = {
    target: 't',
    request: (method: string, params?: Readonly<Record<string, unknown>>) => {
      requests.push(`${method} ${params?.['uri']}`);
      return Promise.resolve({});
    },
    notify: () => {},
    capabilities: () => Promise.resolve({}),
    close: () => Promise.resolve(),
  };
  const router = createRequestRouter({
    turnstile: { enter: () => () => {} },
    counters: createRecordedGatewayCounters(),
    clock: createManualClock(),
    authorization,
    subscriptions,
    upstreams: {
      get: () => upstream,
      opened: () => upstream,
      openedTargets: () => ['t'],
      isTarget: () => true,
      targetNames: () => ['t'],
      ...unchanged,
    },
    names,
    upstreamState: createUpstreamState(
      { circuit: noCircuit, kept, turnstile: { enter: () => () => {} }, delayed: () => {} },
      new FairTurns(),
    ),
    lists: {
      handle: () => Promise.resolve({}),
      find: () => Promise.resolve([]),
      ownerOf: () => Promise.resolve(undefined),
      recovered: () => {},
    },
    requests: new RequestsInFlight(),
    failures,
    limits: new LogThrottle(createManualClock(), log),
    ...noTasks,
    sharedListing: { budget: { turns: new FairTurns() } },
  });
  const { signal } = new AbortController();
  return {
    log,
    requests,
    notified,
    subscribe: (uri: string) =>
      router['resources/subscribe']?.({
        id: 1,
        method: 'resources/subscribe',
        params: { uri: `mcp://t/:${uri}` },
        signal,
        caller,
        sender: { caller, reader: caller, send: () => {}, settled: () => {} },
        decides: () => {},
      }),
    updated: (uri: string, target = 't') => subscriptions.updated(target, { uri }),
  };
}

describe('a notification of an updated resource', () => {
  it.each([
    { subscribed: 'file:///a', updated: 'file:///a/b' },
    { subscribed: 'file:///a/', updated: 'file:///a/b' },
    { subscribed: 'file:///a', updated: 'file:///a#part' },
    { subscribed: 'file:///a', updated: 'file:///a?page=2' },
  ])('$updated is delivered to the subscriber of $subscribed', async ({ subscribed, updated }) => {
    const rig = createRig();
    await rig.subscribe('file:///other');
    await rig.subscribe(subscribed);
    rig.updated(updated);
    expect(rig.notified).toEqual([{ uri: `mcp://t/${encodeURIComponent(updated)}` }]);
  });

  it.each(['file:///b', 'file:///ab', 'file:///'])(
    '%s is not delivered to the subscriber of file:///a',
    async (uri) => {
      const rig = createRig();
      await rig.subscribe('file:///a');
      rig.updated(uri);
      expect(rig.notified).toEqual([]);
    },
  );

  it('is not delivered when another target has the same URI', async () => {
    const rig = createRig();
    await rig.subscribe('file:///a');
    rig.updated('file:///a', 'other');
    expect(rig.notified).toEqual([]);
    rig.updated('file:///a');
    expect(rig.notified).toHaveLength(1);
  });
});

it('the oldest of more than 1,000 subscriptions is cancelled at its target, and a line says so', async () => {
  const rig = createRig();
  for (let nth = 0; nth <= 1_000; nth += 1) await rig.subscribe(`file:///${nth}`);
  expect(rig.requests.filter((request) => request.startsWith('resources/unsubscribe'))).toEqual([
    'resources/unsubscribe file:///0',
  ]);
  rig.updated('file:///0');
  expect(rig.notified).toEqual([]);
  expect(rig.log.lines.map(({ fields }) => fields['because'])).toEqual(['more than 1000 in a session']);
});
