import { describe, expect, it } from 'vitest';
import { ConnectError } from '../../../../src/gateway/errors.ts';
import { RpcError } from '../../../../src/gateway/rpc/rpc-error.ts';
import { AnswerLimitError } from '../../../../src/gateway/upstream/answer-limits.ts';
import { FloodError } from '../../../../src/gateway/upstream/flood-guard.ts';
import { createTargetCircuit, type TargetCircuit } from '../../../../src/gateway/upstream/health/target-circuit.ts';
import { createTargetFailures } from '../../../../src/gateway/upstream/health/target-failures.ts';
import { createTargetStates } from '../../../../src/gateway/upstream/health/target-states.ts';
import { HttpStatusError, MediaTypeError } from '../../../../src/gateway/upstream/transport/http-exchange.ts';
import { DeadlineExceededError } from '../../../../src/net/deadline.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';
import { createRecordedLog } from '../../../support/edges/recorded-log.ts';

const refused = new ConnectError('connection', 'connect ECONNREFUSED 10.1.2.3:80');
const noConnection = new ConnectError('timeout', 'no connection to tool.internal:80 within 5 s');
const late = new DeadlineExceededError(10_000);
const broken = new Error('the answer was cut off');

const isOpen = (circuit: TargetCircuit): boolean => circuit.refusal('a') !== undefined;

function createRig({ passesHeaders = false } = {}) {
  const clock = createManualClock();
  const log = createRecordedLog();
  const states = createTargetStates(clock);
  const tried: string[] = [];
  const recovered: string[] = [];
  const connection = { now: (_target: string): Promise<unknown> => Promise.reject(refused) };
  const circuit = createTargetCircuit({
    clock,
    random: () => 1,
    failures: createTargetFailures(clock, log, states, passesHeaders),
    connect(target) {
      tried.push(target);
      return connection.now(target);
    },
    recovered: (target) => recovered.push(target),
  });
  /** Lets what was started settle. */
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { clock, log, states, tried, recovered, connection, circuit, settled };
}

describe('a target that cannot be connected to within the time for that', () => {
  it('is left out at once, tried less and less often, and back with the first connection', async () => {
    const { clock, tried, recovered, connection, circuit, settled, states } = createRig();
    connection.now = () => Promise.reject(noConnection);
    expect(circuit.refusal('a')).toBeUndefined();
    circuit.failed('a', noConnection, false);
    expect(isOpen(circuit)).toBe(true);
    expect(circuit.refusal('b')).toBeUndefined();
    const delays: number[] = [];
    for (let trials = 1; trials <= 8; trials += 1) {
      await settled();
      expect(tried).toHaveLength(trials);
      delays.push(clock.next());
    }
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    await settled();
    expect([states.of('a').state, recovered]).toEqual(['fails', []]);

    connection.now = () => Promise.resolve();
    clock.next();
    await settled();
    expect(circuit.refusal('a')).toBeUndefined();
    expect([states.of('a').state, recovered, clock.waiting()]).toEqual(['answers', ['a'], []]);
  });

  it('has an error that says since when, why and when it is tried again, without its address and its text', async () => {
    const { clock, connection, circuit, settled } = createRig();
    connection.now = () => new Promise(() => {});
    const since = new Date(clock.now()).toISOString();
    circuit.failed('a', noConnection, false);
    expect(circuit.refusal('a')?.message).toBe(
      `Target a cannot be reached: no connection since ${since} (no connection in time); it is being tried now`,
    );
    expect(circuit.stateOf('a')).toEqual({ openSince: since, nextAttempt: null });

    connection.now = () => Promise.reject(new HttpStatusError('answered with status 503: <secret>', 503, false));
    circuit.failed('b', late, true);
    await settled();
    expect(circuit.refusal('b')?.message).toBe(
      `Target b cannot be reached: no connection since ${since} (it answers with status 503); it is tried again in 1 s`,
    );
    const next = new Date(clock.now() + 1_000).toISOString();
    expect(circuit.stateOf('b')).toEqual({ openSince: since, nextAttempt: next });
  });
});

describe('a target that fails at once', () => {
  it.each([
    ['a refused connection', refused],
    ['a status of a proxy', new HttpStatusError('answered with status 502', 502, false)],
    ['an answer that breaks off', broken],
    ['none of its transports', new Error('none works', { cause: new HttpStatusError('status 503', 503, false) })],
  ])('is left out when the gateway’s own connection fails, too: %s', async (_, error) => {
    const { circuit, settled, log, states } = createRig();
    circuit.failed('a', error, true);
    expect(isOpen(circuit)).toBe(false);
    await settled();
    expect(isOpen(circuit)).toBe(true);
    expect(states.of('a').lastError).toMatchObject({ request: 'connection', reason: refused.message });
    // The request that has failed has a line.
    expect(log.lines).toEqual([]);
  });
});

describe('a request to a target that cannot be reached', () => {
  it('fails at once where an attempt takes its time, and no connection is tried for it', async () => {
    const { circuit, connection, tried, settled } = createRig();
    connection.now = () => Promise.reject(late);
    circuit.failed('a', noConnection, false);
    await settled();
    await expect(circuit.retry('a')).rejects.toThrow('(no answer within 10 s); it is tried again in 1 s');
    expect([tried.length, circuit.isLeftOut('a')]).toEqual([1, true]);
  });

  it('has another attempt where that is over at once, which others share, ten times a second at most', async () => {
    const { clock, circuit, connection, tried, settled } = createRig();
    circuit.failed('a', refused, false);
    await settled();
    expect(circuit.isLeftOut('a')).toBe(false);
    await expect(circuit.retry('a')).rejects.toThrow('its host refuses connections');
    expect(tried).toHaveLength(1);
    clock.advance(100);
    const both = [circuit.retry('a'), circuit.retry('a')].map((retry) => expect(retry).rejects.toThrow('in 1 s'));
    await Promise.all(both);
    expect(tried).toHaveLength(2);
    // As soon as it is back.
    clock.advance(100);
    connection.now = () => Promise.resolve();
    await circuit.retry('a');
    expect([tried.length, isOpen(circuit)]).toEqual([3, false]);
  });

  it('waits a second at most for such an attempt', async () => {
    const { clock, circuit, connection, settled } = createRig();
    circuit.failed('a', refused, false);
    await settled();
    connection.now = () => new Promise(() => {});
    clock.advance(100);
    const retried = expect(circuit.retry('a')).rejects.toThrow('it is being tried now');
    await settled();
    clock.advance(1_000);
    await retried;
  });
});

describe('a caller cannot take a target from others', () => {
  it.each([
    ['the time limit of a call', new DeadlineExceededError(600_000)],
    ['a handshake with its headers that takes too long', late],
    ['a call that breaks the connection', broken],
    ['a call that is answered with status 500', new HttpStatusError('answered with status 500', 500, true)],
  ])(
    'by %s: the gateway connects itself, which works, and not more often than once in ten seconds',
    async (_, error) => {
      const { clock, tried, recovered, connection, circuit, settled } = createRig();
      connection.now = () => Promise.resolve();
      const start = clock.now();
      for (let step = 0; step < 600; step += 1) {
        circuit.failed('a', error, false);
        await settled();
        expect(isOpen(circuit)).toBe(false);
        clock.advance(100);
      }
      expect(clock.now() - start).toBe(60_000);
      expect(tried.length).toBeLessThanOrEqual(11);
      expect(recovered).toEqual([]);
    },
  );

  it.each([
    ['an error of a tool', new RpcError(-32000, 'no')],
    ['a status below 500', new HttpStatusError('answered with status 404', 404, true)],
    ['a refusal of all its transports', new Error('none', { cause: new HttpStatusError('status 401', 401, false) })],
    ['an answer that is too large', new AnswerLimitError('too large')],
    ['a flood', new FloodError()],
  ])('and nothing is tried at all after %s', async (_, error) => {
    const { tried, circuit, settled } = createRig();
    circuit.failed('a', error, true);
    await settled();
    expect([tried, isOpen(circuit)]).toEqual([[], false]);
  });

  it('and a target that refuses the gateway’s own connection can be reached', async () => {
    const { circuit, connection, settled } = createRig();
    connection.now = () => Promise.reject(new HttpStatusError('answered with status 401', 401, false));
    circuit.failed('a', late, true);
    expect(isOpen(circuit)).toBe(true);
    await settled();
    expect(isOpen(circuit)).toBe(false);
  });
});

describe('where requests of clients have headers that the gateway’s own connection has not', () => {
  it.each([
    ['a status of 500 and more', new HttpStatusError('answered with status 503', 503, false)],
    ['a page', new Error('none works', { cause: new MediaTypeError('status 200 and type text/html') })],
  ])('%s in answer to that one says that the target can be reached', async (_, error) => {
    for (const passesHeaders of [true, false]) {
      const { circuit, connection, settled } = createRig({ passesHeaders });
      connection.now = () => Promise.reject(error);
      circuit.failed('a', broken, false);
      await settled();
      expect(isOpen(circuit)).toBe(!passesHeaders);
    }
  });

  it('one that finds no target opens the circuit', async () => {
    const { circuit, settled } = createRig({ passesHeaders: true });
    circuit.failed('a', broken, false);
    await settled();
    expect(isOpen(circuit)).toBe(true);
  });
});

it('targets that hang do not delay the trials of one that has recovered', async () => {
  const { clock, circuit, connection, settled } = createRig();
  connection.now = (target) => (target === 'a' ? Promise.resolve() : new Promise(() => {}));
  for (let hanging = 0; hanging < 64; hanging += 1) circuit.failed(`hangs-${hanging}`, noConnection, false);
  circuit.failed('a', noConnection, false);
  expect(isOpen(circuit)).toBe(true);
  // 16 of them in each second.
  for (let second = 0; second < 5; second += 1) {
    for (let step = 0; step < 20; step += 1) clock.advance(50);
    await settled();
  }
  expect(isOpen(circuit)).toBe(false);
});

it('those who wait for a target are called when its circuit closes, once, unless they wait no longer', async () => {
  const { clock, circuit, connection, settled } = createRig();
  const called: string[] = [];
  circuit.failed('a', noConnection, false);
  await settled();
  circuit.whenClosed('a', () => called.push('a'));
  circuit.whenClosed('a', () => called.push('stopped'))();
  circuit.whenClosed('b', () => called.push('b'));
  connection.now = () => Promise.resolve();
  for (let recoveries = 0; recoveries < 2; recoveries += 1) {
    clock.advance(60_000);
    await settled();
    expect(isOpen(circuit)).toBe(false);
    expect(called).toEqual(['a']);
    circuit.failed('a', noConnection, false);
  }
});

it('of many who wait for a target, 64 are called in one iteration of the event loop', async () => {
  const { clock, circuit, connection, settled } = createRig();
  circuit.failed('a', noConnection, false);
  await settled();
  const called: number[] = [];
  const everybody = Promise.withResolvers<void>();
  const stops = Array.from({ length: 1_000 }, (_, index) =>
    circuit.whenClosed('a', () => {
      called.push(index);
      stops[999]?.();
    }),
  );
  const seen = [0];
  const look = (): void => {
    seen.push(called.length);
    if (called.length < 999) setImmediate(look);
    else everybody.resolve();
  };
  connection.now = () => Promise.resolve();
  clock.advance(60_000);
  look();
  await everybody.promise;
  const steps = seen.map((count, index) => count - (seen[index - 1] ?? 0));
  expect(Math.max(...steps)).toBeLessThanOrEqual(64);
});

it('a target that was changed is forgotten, also while it is tried', async () => {
  const { clock, tried, recovered, connection, circuit, settled } = createRig();
  connection.now = () => Promise.resolve();
  circuit.failed('a', noConnection, false);
  circuit.forget('a');
  expect(isOpen(circuit)).toBe(false);
  await settled();
  expect([tried, recovered, clock.waiting()]).toEqual([['a'], [], []]);
});
