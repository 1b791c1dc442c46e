import { describe, expect, it } from 'vitest';
import type { ObjectEvent } from '../../../src/status/events/event.ts';
import { EventRecorder } from '../../../src/status/events/event-recorder.ts';
import { rejectionEvent } from '../../../src/status/events/notices.ts';
import { createEventsInMemory } from '../../support/api-server/status-events.ts';
import { settled } from '../../support/api-server/status-settled.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';

function createRig() {
  const clock = createManualClock();
  const log = createRecordedLog();
  const counters = createRecordedCounters();
  const client = createEventsInMemory();
  const unknown = new Set<string>();
  const generations = new Map<string, number>();
  let seed = 0;
  const recorder = new EventRecorder({
    client,
    identify: (kind, key) =>
      unknown.has(key) ? undefined : { uid: `uid ${generations.get(key) ?? 0} of ${kind} ${key}` },
    clock,
    random: () => {
      seed = (seed + 0.618_033_988_749) % 1;
      return seed;
    },
    log,
    counters,
  });
  const pass = async (seconds: number): Promise<void> => {
    for (let passed = 0; passed < seconds; passed += 1) {
      clock.advance(1_000);
      await settled();
    }
  };
  const total = (outcome: string): number => counters.total('gatehouse_status_events_total', { outcome });
  return { clock, log, client, unknown, generations, recorder, pass, total };
}

function bad(key: string, note = 'the path is bad', change: Partial<ObjectEvent> = {}): ObjectEvent {
  const occurrence: ObjectEvent = {
    kind: 'Service',
    key,
    type: 'Warning',
    reason: 'InvalidMCPService',
    action: 'Translate',
    note,
    reportedBy: 'leader',
  };
  return { ...occurrence, ...change };
}

describe('an Event', () => {
  it('has the object, the reason, the note and the time', async () => {
    const { recorder, client, clock, total } = createRig();
    const at = clock.now();
    recorder.record(bad('default/a'));
    await settled();
    expect(client.created).toEqual([
      {
        eventName: expect.stringMatching(/^a\.[0-9a-f]{12,}$/),
        kind: 'Service',
        namespace: 'default',
        name: 'a',
        uid: 'uid 0 of Service default/a',
        type: 'Warning',
        reason: 'InvalidMCPService',
        action: 'Translate',
        note: 'the path is bad',
        at,
      },
    ]);
    expect(total('created')).toBe(1);
  });

  it('is not written for an unknown object', async () => {
    const { recorder, client, unknown, total } = createRig();
    unknown.add('default/a');
    recorder.record(bad('default/a'));
    recorder.record(bad('default/b'));
    await settled();
    expect(client.created.map(({ name }) => name)).toEqual(['b']);
    expect(total('unidentified')).toBe(1);
  });

  it('has a unique name', async () => {
    const { recorder, client } = createRig();
    recorder.record(bad('default/a', 'one'));
    recorder.record(bad('default/a', 'two'));
    await settled();
    expect(new Set(client.created.map(({ eventName }) => eventName)).size).toBe(2);
  });
});

describe('a repetition of an event', () => {
  it('is counted instead of created again, at most once a minute', async () => {
    const { recorder, client, clock, pass, total } = createRig();
    for (let at = 0; at < 600; at += 1) {
      recorder.record(bad('default/a'));
      await pass(1);
    }
    const last = clock.now() - 1_000;
    await pass(120);
    expect(client.created).toHaveLength(1);
    expect(client.counted.length).toBeLessThanOrEqual(11);
    expect(client.counted.at(-1)).toMatchObject({ namespace: 'default', count: 600, lastObserved: last });
    expect(client.counted[0]?.eventName).toBe(client.created[0]?.eventName);
    expect(total('counted')).toBe(client.counted.length);
  });

  it('is not counted when there is none', async () => {
    const { recorder, client, pass } = createRig();
    recorder.record(bad('default/a'));
    await pass(3_000);
    expect(client.counted).toEqual([]);
  });

  it('is created again after an hour', async () => {
    const { recorder, client, pass } = createRig();
    recorder.record(bad('default/a'));
    await pass(3_599);
    recorder.record(bad('default/a'));
    await pass(1);
    expect(client.created).toHaveLength(1);
    recorder.record(bad('default/a'));
    await settled();
    expect(client.created).toHaveLength(2);
  });
});

describe('the series of an event', () => {
  it('is another one for another note, object or reason', async () => {
    const { recorder, client } = createRig();
    recorder.record(bad('default/a'));
    recorder.record(bad('default/a', 'other words'));
    recorder.record(bad('default/b'));
    recorder.record(bad('default/a', 'the path is bad', { reason: 'MCPServiceRemark' }));
    await settled();
    expect(client.created).toHaveLength(4);
  });

  it('is another one for an object that was deleted and created again', async () => {
    const { recorder, client, generations } = createRig();
    recorder.record(bad('default/a'));
    generations.set('default/a', 1);
    recorder.record(bad('default/a'));
    await settled();
    expect(client.created.map(({ uid }) => uid)).toEqual(['uid 0 of Service default/a', 'uid 1 of Service default/a']);
  });

  it('is not counted by recordOnce', async () => {
    const { recorder, client, pass } = createRig();
    recorder.recordOnce(bad('default/a'));
    recorder.recordOnce(bad('default/a'));
    await pass(120);
    expect(client.created).toHaveLength(1);
    expect(client.counted).toEqual([]);
  });

  it('starts again when its Event is gone', async () => {
    const { recorder, client, pass } = createRig();
    recorder.record(bad('default/a'));
    await settled();
    client.refusal = { kind: 'gone', message: '404 not found' };
    recorder.record(bad('default/a'));
    await pass(61);
    client.refusal = undefined;
    recorder.record(bad('default/a'));
    await settled();
    expect(client.created).toHaveLength(2);
  });
});

describe('the limits', () => {
  it('drop events of an object beyond five a minute', async () => {
    const { recorder, client, pass, total } = createRig();
    for (let at = 0; at < 20; at += 1) recorder.record(bad('default/a', `words ${at}`));
    recorder.record(bad('default/b'));
    await pass(5);
    expect(client.created.map(({ name }) => name)).toEqual(['a', 'a', 'a', 'a', 'a', 'b']);
    expect(total('dropped')).toBe(15);
    await pass(55);
    recorder.record(bad('default/a', 'a minute later'));
    await settled();
    expect(client.created.at(-1)?.note).toBe('a minute later');
  });

  it('apply to counts, too: those beyond five a minute for an object are delayed by a minute', async () => {
    const { recorder, client, pass } = createRig();
    const notes = ['a', 'b', 'c', 'd', 'e'];
    for (const note of [...notes, ...notes]) recorder.record(bad('default/a', note));
    await pass(55);
    for (const note of ['f', 'g', 'h', 'i', 'j']) recorder.record(bad('default/a', note));
    await pass(10);
    expect(client.created).toHaveLength(9);
    expect(client.counted).toHaveLength(1);
    await pass(60);
    expect(client.counted).toHaveLength(5);
  });

  it('delay events beyond a burst of twenty-five and one a second', async () => {
    const { recorder, client, pass } = createRig();
    for (let at = 0; at < 100; at += 1) recorder.record(bad(`default/s${at}`));
    await settled();
    expect(client.created).toHaveLength(25);
    await pass(30);
    expect(client.created).toHaveLength(55);
    await pass(60);
    expect(client.created).toHaveLength(100);
  });

  it('bound the queue', async () => {
    const { recorder, client, pass, total } = createRig();
    for (let at = 0; at < 2_000; at += 1) recorder.record(bad(`default/s${at}`));
    await pass(2_000);
    expect(client.created.length).toBeGreaterThanOrEqual(500);
    expect(client.created.length).toBeLessThan(530);
    expect(total('dropped') + client.created.length).toBe(2_000);
  });
});

describe('ten thousand nodes that reject a response', () => {
  const refusal = { gateway: 'default/gw', typeUrl: 'type.googleapis.com/mcp.Target' };

  it('for the same reason are one Event, which counts them', async () => {
    const { recorder, client, pass } = createRig();
    for (let node = 0; node < 10_000; node += 1) {
      recorder.record(rejectionEvent({ ...refusal, node: `node-${node}`, message: 'no such field' }));
    }
    await pass(120);
    expect(client.created).toHaveLength(1);
    expect(client.created[0]).toMatchObject({ kind: 'Gateway', reason: 'ResponseRejected', type: 'Warning' });
    expect(client.created[0]?.note).toBe(
      'The node "node-0" keeps its earlier configuration, because it refuses a response of type mcp.Target: no such field',
    );
    expect(client.counted).toMatchObject([{ count: 10_000 }]);
  });

  it('for different reasons are few Events', async () => {
    const { recorder, client, pass, total } = createRig();
    for (let node = 0; node < 10_000; node += 1) {
      recorder.record(rejectionEvent({ ...refusal, node: '', message: `request ${node} failed` }));
    }
    await pass(120);
    expect(client.created).toHaveLength(5);
    expect(client.created[0]?.note).toMatch(/^A node without an id /);
    expect(total('dropped')).toBe(9_995);
  });
});

describe('a failed write', () => {
  it('of an Event drops it, is logged once, and the event is created when it happens again', async () => {
    const { recorder, client, log, pass, total } = createRig();
    client.refusal = { kind: 'failed', message: '403 events.events.k8s.io is forbidden' };
    for (let at = 0; at < 10; at += 1) recorder.record(bad(`default/s${at}`));
    await pass(10);
    expect(total('failed')).toBe(10);
    expect(log.lines).toHaveLength(1);
    expect(log.lines[0]?.fields).toEqual({ because: '403 events.events.k8s.io is forbidden' });
    client.refusal = undefined;
    recorder.record(bad('default/s0'));
    await settled();
    expect(client.created).toHaveLength(1);
  });

  it('of a count is repeated later', async () => {
    const { recorder, client, pass } = createRig();
    recorder.record(bad('default/a'));
    await settled();
    client.refusal = { kind: 'unavailable', message: 'no answer', retryAfter: 0 };
    recorder.record(bad('default/a'));
    await pass(70);
    client.refusal = undefined;
    await pass(60);
    expect(client.counted).toMatchObject([{ count: 2 }]);
  });
});

describe('a leader that loses the leadership', () => {
  it('drops the events that the next leader records, too, and keeps its own', async () => {
    const { recorder, client, pass } = createRig();
    for (let at = 0; at < 100; at += 1) recorder.record(bad(`default/s${at}`));
    recorder.record(bad('default/gw', 'refused', { kind: 'Gateway', reportedBy: 'every replica' }));
    recorder.dropLeaderEvents();
    await pass(200);
    expect(client.created.length).toBeLessThanOrEqual(2);
    expect(client.created.at(-1)?.kind).toBe('Gateway');
  });

  it('keeps an event whose creation is in flight', async () => {
    const { recorder, client, pass } = createRig();
    recorder.record(bad('default/a'));
    recorder.dropLeaderEvents();
    recorder.record(bad('default/a'));
    await pass(61);
    expect(client.created).toHaveLength(1);
    expect(client.counted).toMatchObject([{ count: 2 }]);
  });

  it('still counts the Events that it created', async () => {
    const { recorder, client, pass } = createRig();
    recorder.record(bad('default/told'));
    await settled();
    recorder.record(bad('default/told'));
    for (let at = 0; at < 100; at += 1) recorder.record(bad(`default/s${at}`));
    await pass(60);
    expect(client.counted).toEqual([]);
    recorder.dropLeaderEvents();
    await pass(5);
    expect(client.counted).toMatchObject([{ count: 2, eventName: client.created[0]?.eventName }]);
  });

  it('writes nothing after the stop', async () => {
    const { recorder, client, clock, pass } = createRig();
    recorder.record(bad('default/a'));
    recorder.record(bad('default/b'));
    await settled();
    const told = client.created.length;
    recorder.record(bad('default/a'));
    recorder.stop();
    recorder.record(bad('default/c'));
    await pass(120);
    expect(client.created).toHaveLength(told);
    expect(client.counted).toEqual([]);
    expect(clock.waiting()).toEqual([]);
  });
});
