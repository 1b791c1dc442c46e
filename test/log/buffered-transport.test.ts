import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLogger, format, type Logger } from 'winston';
import { LogLines } from '../../src/log/buffered-transport.ts';

let written: string[];
let log: Logger;

beforeEach(() => {
  vi.useFakeTimers();
  written = [];
  log = createLogger({
    format: format.printf(({ message }) => String(message)),
    transports: [new LogLines((text) => void written.push(text))],
  });
});
afterEach(() => vi.useRealTimers());

it('lines wait ten milliseconds for others and leave with them, in their order', () => {
  for (const line of ['a', 'b', 'c']) log.info(line);
  vi.advanceTimersByTime(9);
  expect(written).toEqual([]);
  log.warn('d');
  vi.advanceTimersByTime(1);
  expect(written).toEqual(['a\nb\nc\nd\n']);
  log.info('e');
  vi.advanceTimersByTime(10);
  expect(written).toEqual(['a\nb\nc\nd\n', 'e\n']);
});

it('an error waits for nothing, and those that wait leave with it', () => {
  log.info('a');
  log.error('b');
  expect(written).toEqual(['a\nb\n']);
  vi.advanceTimersByTime(100);
  expect(written).toHaveLength(1);
});

it('no more than 16 KiB wait', () => {
  log.info('x'.repeat(15_000));
  expect(written).toEqual([]);
  log.info('y'.repeat(2_000));
  expect(written.map((text) => text.length)).toEqual([17_002]);
});

it('when the program ends, what waits is written', () => {
  log.info('a');
  // The listener of this log is the last one that was added; those of the test runner are not called.
  const listener: unknown = process.listeners('exit').at(-1);
  if (typeof listener === 'function') listener();
  expect(written).toEqual(['a\n']);
});
