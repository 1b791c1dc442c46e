import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/edges.ts';
import { defaultElectionTimes, Elector } from '../../../src/status/leader/elector.ts';
import { createLeaseInMemory, type LeaseInMemory } from '../../support/api-server/status-lease.ts';
import { settled } from '../../support/api-server/status-settled.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';

function replica(lease: LeaseInMemory, clock: Clock, identity: string) {
  const connection = lease.connect();
  const log = createRecordedLog();
  const counters = createRecordedCounters();
  const changes: boolean[] = [];
  const elector = new Elector({
    lease: connection,
    identity,
    times: defaultElectionTimes,
    changed: (leads) => void changes.push(leads),
    clock,
    random: () => 0,
    log,
    counters,
  });
  return { connection, log, counters, changes, elector };
}

/** Advances the clock in small steps, so that requests are answered close to the time at which they are sent. */
async function pass(clock: ManualClock, milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += 500) {
    clock.advance(500);
    await settled();
  }
}

async function leaderAndFollower() {
  const clock = createManualClock();
  const lease = createLeaseInMemory();
  const a = replica(lease, clock, 'a');
  a.elector.start();
  await settled();
  const b = replica(lease, clock, 'b');
  b.elector.start();
  await settled();
  return { clock, lease, a, b };
}

describe('the first replica', () => {
  it('creates the Lease and leads', async () => {
    const { lease, a, b, clock } = await leaderAndFollower();
    expect(a.elector.leads()).toBe(true);
    expect(a.changes).toEqual([true]);
    expect(a.counters.level('gatehouse_leader')).toBe(1);
    expect(b.elector.leads()).toBe(false);
    expect(b.counters.level('gatehouse_leader')).toBe(0);
    const [now, acquired] = [clock.now(), clock.now()];
    expect(lease.record()).toEqual({ holder: 'a', transitions: 0, duration: 15, renewed: now, acquired });
  });

  it('stays the leader while it renews the Lease, and logs nothing more', async () => {
    const { clock, lease, a, b } = await leaderAndFollower();
    const since = lease.record()?.acquired;
    await pass(clock, 120_000);
    expect([a.changes, b.changes]).toEqual([[true], []]);
    expect(lease.record()?.acquired).toBe(since);
    expect(a.log.lines).toHaveLength(1);
    expect(b.log.lines.map(({ message }) => message)).toEqual(['another replica leads, and writes the statuses']);
  });

  it('stays the leader when another client changes the Lease but not its record', async () => {
    const { clock, lease, a, b } = await leaderAndFollower();
    for (let round = 0; round < 10; round += 1) {
      lease.touch();
      await pass(clock, 3_000);
    }
    expect([a.changes, b.changes]).toEqual([[true], []]);
  });

  it('loses a Lease that is deleted, and competes for it again', async () => {
    const { clock, lease, a } = await leaderAndFollower();
    lease.remove();
    await pass(clock, 6_000);
    expect(lease.record()?.holder).toMatch(/^[ab]$/);
    expect(a.changes.slice(0, 2)).toEqual([true, false]);
    expect(a.log.lines[1]?.fields).toMatchObject({ because: 'the Lease was deleted' });
  });
});

it('a Lease whose holder is another one every few seconds, of any length, fills no log', async () => {
  const [clock, lease] = [createManualClock(), createLeaseInMemory()];
  const { elector, log } = replica(lease, clock, 'a');
  const write = (holder: string): void =>
    lease.write({ holder, transitions: 1, duration: 15, renewed: clock.now(), acquired: clock.now() });
  write('somebody');
  elector.start();
  for (let round = 0; round < 20; round += 1) {
    write(`${round}${'x'.repeat(10_000)}`);
    await pass(clock, 3_000);
  }
  const lines = log.lines.filter(({ message }) => message.startsWith('another replica leads'));
  expect(lines.length).toBeLessThanOrEqual(3);
  for (const { fields } of lines) expect(String(fields['leader']).length).toBeLessThanOrEqual(200);
});

describe('a leader that is killed', () => {
  it('is replaced fifteen seconds after the other replica saw its last renewal', async () => {
    const { clock, a, b } = await leaderAndFollower();
    a.connection.line = 'silent';
    await pass(clock, 14_500);
    expect(b.changes).toEqual([]);
    await pass(clock, 4_000);
    expect(b.changes).toEqual([true]);
    expect(b.log.lines.at(-1)?.message).toBe('this replica leads, and writes the statuses');
  });

  it('counts as one transition', async () => {
    const { clock, lease, a } = await leaderAndFollower();
    a.connection.line = 'silent';
    await pass(clock, 20_000);
    expect(lease.record()).toMatchObject({ holder: 'b', transitions: 1 });
  });
});

describe('a leader that stops', () => {
  it('releases the Lease, and another replica acquires it at its next attempt', async () => {
    const { clock, lease, a, b } = await leaderAndFollower();
    await a.elector.stop();
    expect(a.changes).toEqual([true, false]);
    expect(lease.record()).toMatchObject({ holder: '', duration: 1 });
    await pass(clock, 2_000);
    expect(b.changes).toEqual([true]);
  });

  it.each(['silent', 'stuck'] as const)('releases the Lease also while a renewal is in flight: %s', async (line) => {
    const { clock, lease, a } = await leaderAndFollower();
    a.connection.line = line;
    await pass(clock, 2_000);
    const stopped = a.elector.stop();
    a.connection.line = 'up';
    await stopped;
    expect(lease.record()?.holder).toBe('');
  });
});

describe('a replica that stops while it writes', () => {
  it.each(['silent', 'stuck'] as const)('leaves no Lease of its own while it is acquired: %s', async (line) => {
    const clock = createManualClock();
    const lease = createLeaseInMemory();
    lease.write({ holder: '', transitions: 7, duration: 1, renewed: clock.now(), acquired: clock.now() });
    const a = replica(lease, clock, 'a');
    const late = await lease.connect().read(undefined);
    a.elector.start();
    // The read was sent already; the write is cancelled, carried out or not.
    a.connection.line = line;
    await settled();
    const stopped = a.elector.stop();
    a.connection.line = 'up';
    await stopped;
    expect(lease.record()?.holder).toBe('');
    if (late.kind !== 'lease') throw new Error('there is a Lease');
    // What is still on its way is refused.
    const claim = { holder: 'a', transitions: 8, duration: 15, renewed: clock.now(), acquired: clock.now() };
    expect((await lease.connect().replace(late.lease, claim, undefined)).kind).toBe('conflict');
  });

  it.each(['silent', 'stuck'] as const)('leaves no Lease of its own while it is created: %s', async (line) => {
    const clock = createManualClock();
    const lease = createLeaseInMemory();
    const a = replica(lease, clock, 'a');
    a.elector.start();
    a.connection.line = line;
    await settled();
    const stopped = a.elector.stop();
    a.connection.line = 'up';
    await stopped;
    expect(lease.record()?.holder).toBe('');
  });
});

describe('a leader that stopped', () => {
  it('does not release the Lease of another holder', async () => {
    const { clock, lease, a } = await leaderAndFollower();
    lease.write({ holder: 'c', transitions: 5, duration: 15, renewed: clock.now(), acquired: clock.now() });
    await a.elector.stop();
    expect(lease.record()).toMatchObject({ holder: 'c', transitions: 5 });
  });

  it('sends no further requests', async () => {
    const { clock, a } = await leaderAndFollower();
    await a.elector.stop();
    await a.elector.stop();
    const count = a.connection.requests.length;
    await pass(clock, 60_000);
    expect(a.connection.requests).toHaveLength(count);
  });
});

describe('an unavailable API server', () => {
  it.each(['down', 'silent', 'lost', 'forbidden'] as const)(
    'ends the leadership after the renew deadline of ten seconds: %s',
    async (line) => {
      const { clock, a, b } = await leaderAndFollower();
      await pass(clock, 2_000);
      a.connection.line = line;
      b.connection.line = line;
      await pass(clock, 9_500);
      expect(a.changes).toEqual([true]);
      await pass(clock, 500);
      expect(a.changes).toEqual([true, false]);
      expect(a.log.lines.at(-1)?.fields).toMatchObject({ because: 'the Lease was not renewed in time' });
      expect(a.counters.level('gatehouse_leader')).toBe(0);
    },
  );

  it('is retried without end, and one replica leads once it answers again', async () => {
    const { clock, a, b } = await leaderAndFollower();
    a.connection.line = 'down';
    b.connection.line = 'down';
    await pass(clock, 600_000);
    expect([a.elector.leads(), b.elector.leads()]).toEqual([false, false]);
    a.connection.line = 'up';
    b.connection.line = 'up';
    await pass(clock, 20_000);
    expect([a.elector.leads(), b.elector.leads()].filter(Boolean)).toHaveLength(1);
  });

  it('is logged once, and not at every attempt', async () => {
    const { clock, b } = await leaderAndFollower();
    b.connection.line = 'forbidden';
    await pass(clock, 300_000);
    const complaints = b.log.lines.filter(({ level }) => level === 'warn');
    expect(complaints).toHaveLength(1);
    expect(complaints[0]?.fields).toEqual({ because: '403 leases.coordination.k8s.io is forbidden' });
  });
});

describe('a clock that is changed', () => {
  function skewed(clock: ManualClock): Clock & { skew: number } {
    const wall = { ...clock, skew: 0, now: () => clock.now() + wall.skew };
    return wall;
  }

  async function skewedReplicas() {
    const clock = createManualClock();
    const lease = createLeaseInMemory();
    const [clockA, clockB] = [skewed(clock), skewed(clock)];
    const a = replica(lease, clockA, 'a');
    a.elector.start();
    await settled();
    const b = replica(lease, clockB, 'b');
    b.elector.start();
    await settled();
    return { clock, a, b, clockA, clockB };
  }

  it.each([3_600_000, -3_600_000])('by %i ms makes no follower take the Lease', async (skew) => {
    const { clock, a, b, clockB } = await skewedReplicas();
    clockB.skew = skew;
    await pass(clock, 60_000);
    expect(b.changes).toEqual([]);
    expect(a.elector.leads()).toBe(true);
  });

  it('backward does not prolong a leadership', async () => {
    const { clock, a, b, clockA } = await skewedReplicas();
    clockA.skew = -3_600_000;
    a.connection.line = 'silent';
    await pass(clock, 12_000);
    expect(a.changes).toEqual([true, false]);
    await pass(clock, 8_000);
    expect([a.elector.leads(), b.elector.leads()]).toEqual([false, true]);
  });

  it('forward ends a leadership at once, as after a suspension; then the replica acquires it again', async () => {
    const { clock, a, b, clockA } = await skewedReplicas();
    clockA.skew = 60_000;
    expect(a.elector.leads()).toBe(false);
    await pass(clock, 5_000);
    expect([a.elector.leads(), b.elector.leads()]).toEqual([true, false]);
  });
});

describe('two replicas never lead at the same time', () => {
  it.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'with random failures of their connections (%i)',
    async (seed) => {
      const clock = createManualClock();
      const lease = createLeaseInMemory();
      const replicas = ['a', 'b', 'c'].map((identity) => replica(lease, clock, identity));
      for (const { elector } of replicas) elector.start();
      let state = seed + 1;
      const chance = (): number => {
        state = (state * 48_271) % 2_147_483_647;
        return state / 2_147_483_647;
      };
      let led = 0;
      for (let step = 0; step < 600; step += 1) {
        for (const { connection } of replicas) {
          if (chance() < 0.05)
            connection.line = (['up', 'up', 'down', 'lost', 'forbidden'] as const)[Math.floor(chance() * 5)] ?? 'up';
        }
        clock.advance(500);
        await settled();
        const leaders = replicas.filter(({ elector }) => elector.leads()).length;
        expect(leaders).toBeLessThanOrEqual(1);
        led += leaders;
      }
      expect(led).toBeGreaterThan(0);
      await Promise.all(replicas.map(({ elector }) => elector.stop()));
    },
  );
});
