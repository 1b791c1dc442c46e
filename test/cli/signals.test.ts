import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { untilSignal } from '../../src/cli/signals.ts';
import { createManualClock, type ManualClock } from '../support/edges/manual-clock.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';

interface Asked {
  readonly signals: EventEmitter;
  readonly clock: ManualClock;
  readonly hurries: () => number;
  readonly asked: Promise<void>;
  readonly release: () => void;
}

function listening(): Asked {
  const signals = new EventEmitter();
  const clock = createManualClock();
  let hurried = 0;
  const hurry = (): void => {
    hurried += 1;
  };
  return {
    signals,
    clock,
    hurries: () => hurried,
    ...untilSignal(signals, { clock, log: createRecordedLog(), hurry }),
  };
}

describe.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('%s', (signal) => {
  it('asks the program to end, once, however often it comes within a second', async () => {
    const { signals, clock, hurries, asked } = listening();
    signals.emit(signal);
    await asked;
    clock.advance(1_000);
    signals.emit(signal);
    expect(hurries()).toBe(0);
  });

  it('ends it at once when it comes again more than a second later', () => {
    const { signals, clock, hurries } = listening();
    signals.emit('SIGTERM');
    clock.advance(500);
    signals.emit(signal);
    clock.advance(501);
    signals.emit(signal);
    expect(hurries()).toBe(1);
  });

  it('is left to others once the program has ended', () => {
    const { signals, release } = listening();
    release();
    expect(signals.listenerCount(signal)).toBe(0);
  });
});
