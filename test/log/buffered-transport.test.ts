import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLogger, format, type Logger } from 'winston';
import { BufferedTransport } from '../../src/log/buffered-transport.ts';
import { streamOutput } from '../../src/log/log-output.ts';

let written: string[];
let lost: number[];
/** Characters that nobody has read. */
let unread: number;
let drain: () => void;
let transport: BufferedTransport;
let log: Logger;

beforeEach(() => {
  vi.useFakeTimers();
  written = [];
  lost = [];
  unread = 0;
  const output = {
    get writableLength() {
      return unread;
    },
    write: (text: string) => void written.push(text),
    once: (_: 'drain', listener: () => void) => {
      drain = listener;
    },
  };
  transport = new BufferedTransport(streamOutput(output), (lines) => void lost.push(lines));
  log = createLogger({ format: format.printf(({ message }) => String(message)), transports: [transport] });
});
afterEach(() => vi.useRealTimers());

it('buffers lines for ten milliseconds and writes them together, in order', () => {
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

it('flushes at once with an error', () => {
  log.info('a');
  log.error('b');
  expect(written).toEqual(['a\nb\n']);
  vi.advanceTimersByTime(100);
  expect(written).toHaveLength(1);
});

it('flushes when more than 16 Ki characters are buffered', () => {
  log.info('x'.repeat(15_000));
  expect(written).toEqual([]);
  log.info('y'.repeat(2_000));
  expect(written.map((text) => text.length)).toEqual([17_002]);
});

it('loses lines while more than a mebibyte is unread, and says how many once it is read', () => {
  unread = 1024 * 1024;
  log.error('a');
  unread += 1;
  for (const line of ['b', 'c']) log.error(line);
  log.info('d');
  vi.advanceTimersByTime(10);
  expect([written, lost]).toEqual([['a\n'], []]);
  unread = 0;
  drain();
  expect([lost, transport.lostLines]).toEqual([[3], 3]);
  log.error('e');
  expect(written).toEqual(['a\n', 'e\n']);
});

it('flushes when the process exits', () => {
  log.info('a');
  // Calls the last listener, which is this log's, and not those of the test runner.
  const listener: unknown = process.listeners('exit').at(-1);
  if (typeof listener === 'function') listener();
  expect(written).toEqual(['a\n']);
});
