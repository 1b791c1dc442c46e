import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { type SignalWait, waitForSignal } from '../../src/cli/signals.ts';
import { createManualClock, type ManualClock } from '../support/edges/manual-clock.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';

interface Waiting extends SignalWait {
  readonly signals: EventEmitter;
  readonly clock: ManualClock;
  /** Number of calls of `forceExit`. */
  readonly forcedExits: () => number;
}

function waiting(): Waiting {
  const signals = new EventEmitter();
  const clock = createManualClock();
  let forced = 0;
  const forceExit = (): void => {
    forced += 1;
  };
  const wait = waitForSignal(signals, { clock, log: createRecordedLog(), forceExit });
  return { signals, clock, forcedExits: () => forced, ...wait };
}

describe.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('%s', (signal) => {
  it('stops the program once, even when it is repeated within a second', async () => {
    const { signals, clock, forcedExits, signalled } = waiting();
    signals.emit(signal);
    await signalled;
    clock.advance(1_000);
    signals.emit(signal);
    expect(forcedExits()).toBe(0);
  });

  it('forces the exit when it is repeated after more than a second', () => {
    const { signals, clock, forcedExits } = waiting();
    signals.emit('SIGTERM');
    clock.advance(500);
    signals.emit(signal);
    clock.advance(501);
    signals.emit(signal);
    expect(forcedExits()).toBe(1);
  });

  it('has no listener left after the release', () => {
    const { signals, release } = waiting();
    release();
    expect(signals.listenerCount(signal)).toBe(0);
  });
});
