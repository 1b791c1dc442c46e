import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TargetBody } from '../../../../src/gateway/model.ts';
import { createAnswerBudget, maxMessageBytes, maxPieces } from '../../../../src/gateway/upstream/answer-limits.ts';
import { readEvents } from '../../../../src/gateway/upstream/transport/event-reader.ts';
import { MessageBuffer } from '../../../../src/gateway/upstream/transport/message-buffer.ts';
import { FairTurns } from '../../../../src/rate/fair-turns.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Counts the searches of all chunks. */
class SearchedChunk extends Uint8Array {
  static searches = 0;

  override indexOf(byte: number, start?: number): number {
    SearchedChunk.searches += 1;
    return super.indexOf(byte, start);
  }
}

function bodyOf(chunks: Iterable<Uint8Array>): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks);
}

/** A body that goes on after these chunks, but has no more. */
function stalledBody(chunks: Iterable<Uint8Array>): TargetBody {
  const never = Promise.withResolvers<IteratorResult<Uint8Array, undefined>>();
  const iterator = chunks[Symbol.iterator]();
  const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
    const chunk = iterator.next();
    return chunk.done === true ? never.promise : { done: false, value: chunk.value };
  };
  const cancel = async (): Promise<void> => never.reject(new Error('the response is not needed'));
  return { [Symbol.asyncIterator]: () => ({ next }), cancel };
}

/** Reads a stream, and returns what was reported. */
async function read(chunks: Iterable<Uint8Array>) {
  const found = { events: [] as string[], ids: [] as string[], retries: [] as number[], ignored: 0 };
  const budget = createAnswerBudget(new FairTurns());
  const error = await readEvents(
    bodyOf(chunks),
    { budget, target: 'a' },
    {
      event: ({ type, data }) => found.events.push(`${type}|${data.text}`),
      id: (id) => found.ids.push(id),
      retry: (delay) => found.retries.push(delay),
      ignored(lines) {
        found.ignored += lines;
      },
    },
  ).catch((reason: unknown) => reason);
  return { ...found, error, held: budget.messages.held };
}

/** The rules of the HTML standard for one stream, line by line. */
function expected(lines: readonly string[]): { events: string[]; ids: string[]; retries: number[] } {
  const found = { events: [] as string[], ids: [] as string[], retries: [] as number[] };
  let data: string[] = [];
  let type = '';
  for (const line of lines) {
    if (line === '') {
      if (data.length > 0) found.events.push(`${type === '' ? 'message' : type}|${data.join('\n')}`);
      data = [];
      type = '';
      continue;
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') data.push(value);
    else if (field === 'event') type = value;
    else if (field === 'id' && !value.includes('\0')) found.ids.push(value);
    else if (field === 'retry' && /^\d+$/.test(value)) found.retries.push(Number(value));
  }
  return found;
}

const line = fc.oneof(
  fc.constantFrom('', '', 'data', 'data:', 'event', 'id', 'retry: 12', 'retry: x', ': ping', 'dat', 'datax: 1', ':'),
  fc
    .tuple(fc.constantFrom('data', 'event', 'id', 'x', 'events'), fc.constantFrom(':', ': ', ':  '), fc.string())
    .map(([field, colon, value]) => `${field}${colon}${value.replace(/[\r\n]/g, '')}`),
  fc.string({ unit: 'binary' }).map((text) => text.replace(/[\r\n\ufeff]|[\ud800-\udfff]/g, '')),
);

describe('an event stream', () => {
  it('is read as the standard says, with any line ends, in pieces of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(line, fc.constantFrom('\n', '\r', '\r\n'))),
        fc.integer({ min: 1, max: 12 }),
        fc.boolean(),
        async (lines, size, mark) => {
          // A carriage return and a line feed after it would be one line end.
          const text = lines.map(([content, end]) => content + end).join('');
          const bytes = bytesOf((mark ? '\ufeff' : '') + text);
          const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
            bytes.subarray(index * size, (index + 1) * size),
          );
          const { events, ids, retries, held, error } = await read(chunks);
          const wanted = text.split(/\r\n|\n|\r/).slice(0, -1);
          expect({ events, ids, retries, held, error }).toEqual({ ...expected(wanted), held: 0, error: undefined });
        },
      ),
    );
  });

  it.each([
    ['line feeds and one carriage return', `${'x\n'.repeat(30_000)}\r`],
    ['carriage returns and one line feed', `${'x\r'.repeat(30_000)}\n`],
    ['line feeds only', 'x\n'.repeat(30_000)],
  ])('with %s is searched once per line end', async (_, text) => {
    SearchedChunk.searches = 0;
    const { ignored } = await read([SearchedChunk.from(bytesOf(text))]);
    expect(ignored).toBeGreaterThanOrEqual(30_000);
    expect(SearchedChunk.searches).toBeLessThan(30_010);
  });

  it('with many events at once lets others have a turn', async () => {
    let turns = 0;
    const count = (): void => {
      turns += 1;
      pending = setImmediate(count);
    };
    let pending = setImmediate(count);
    const { events } = await read([bytesOf('data: x\n\n'.repeat(1_600))]);
    clearImmediate(pending);
    expect(events).toHaveLength(1_600);
    expect(turns).toBeGreaterThanOrEqual(99);
  });

  it('reports every line that is no event, and makes no error of it', async () => {
    const { ignored, error, events } = await read(['x\n'.repeat(1_000), '\n'.repeat(1_000), ':\n'].map(bytesOf));
    expect([events, error]).toEqual([[], undefined]);
    expect(ignored).toBeGreaterThanOrEqual(2_001);
  });

  it('reports a long line that is no event by its bytes', async () => {
    const { ignored } = await read([...Array.from({ length: 64 }, () => bytesOf('x'.repeat(1_000))), bytesOf('\n')]);
    expect(ignored).toBeGreaterThanOrEqual(1_000);
  });
});

describe('an event of a target', () => {
  function* repeated(unit: string, times: number, taken: { count: number }): Generator<Uint8Array> {
    yield bytesOf('data: ');
    for (; taken.count < times; taken.count += 1) yield bytesOf(unit);
  }
  const size = 64 * 1024;

  it.each([
    ['larger than', 'x'.repeat(size), maxMessageBytes / size],
    ['more than 200000 values', '1,'.repeat(size / 2), 8],
    ['more than 500 levels', '['.repeat(size), 1],
    ['in more than 65536 pieces', 'data:\n'.repeat(size / 8), (8 * maxPieces) / size],
    ['in more than 65536 pieces', 'x', maxPieces],
  ])('that is %s is refused when the excess arrives, and holds nothing of the budget', async (reason, unit, most) => {
    const taken = { count: 0 };
    const { error, events, held } = await read(repeated(unit, 10 * most, taken));
    expect(String(error)).toContain(reason);
    expect(events).toEqual([]);
    expect(taken.count).toBeLessThanOrEqual(most + 2);
    expect(held).toBe(0);
  });

  it('is decoded as one text, wherever its bytes are separated', async () => {
    const text = 'aä€😀'.repeat(30_000);
    const bytes = bytesOf(`data: ${text}\n\n`);
    for (const size of [65_535, 65_536, 7_001]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      expect((await read(chunks)).events).toEqual([`message|${text}`]);
    }
  });

  it('may be as large as the limit', async () => {
    const chunks = Array.from({ length: maxMessageBytes / size }, () => bytesOf('x'.repeat(size)));
    const { events, error } = await read([bytesOf('data: '), ...chunks, bytesOf('\n\n')]);
    expect([events.length, events[0]?.length, error]).toEqual([1, maxMessageBytes + 'message|'.length, undefined]);
  });

  it('counts with what was read of its connection beside it: a target may have some hundreds of unfinished ones', () => {
    const budget = createAnswerBudget(new FairTurns());
    const begin = () => new MessageBuffer({ budget, target: 'a' }, () => {}).append(new Uint8Array(70 * 1024));
    let begun = 0;
    const beginAll = (): void => {
      for (; begun < 1_000; begun += 1) begin();
    };
    expect(beginAll).toThrow('large answers of targets take at most 128 MiB');
    expect(begun).toBe(Math.floor((48 * 1024) / (70 + 128)));
  });
});

describe('a large event beside those of other targets', () => {
  it('takes the place of a larger unfinished one of a target that has more, whose reading ends', async () => {
    const budget = createAnswerBudget(new FairTurns());
    const handler = { event: () => {}, ignored: () => {} };
    const most = new Uint8Array(maxMessageBytes - 200 * 1024).fill(0x78);
    const stall = (target: string): Promise<unknown> =>
      readEvents(stalledBody([bytesOf('data: '), most]), { budget, target }, handler).catch(String);
    const ends = ['a', 'b', 'd', 'e'].map(stall);
    await expect.poll(() => budget.messages.held, { timeout: 50_000 }).toBeGreaterThan(4 * most.length);
    const readOne = async (bytes: number): Promise<unknown> => {
      const lengths: number[] = [];
      const own = {
        event: ({ data }: { data: { text: string } }) => lengths.push(data.text.length),
        ignored: () => {},
      };
      const body = bodyOf([bytesOf('data: '), bytesOf('x'.repeat(bytes)), bytesOf('\n\n')]);
      const error = await readEvents(body, { budget, target: 'c' }, own).catch(String);
      return error ?? lengths;
    };
    const before = budget.messages.held;
    expect(await readOne(60 * 1024)).toEqual([60 * 1024]);
    expect(budget.messages.held).toBe(before);
    expect(await readOne(1024 * 1024)).toEqual([1024 * 1024]);
    expect(await Promise.race(ends)).toContain('large answers of targets take at most 128 MiB');
    expect(budget.messages.held).toBeLessThan(3.1 * maxMessageBytes);
  });

  it('is refused when the budget is taken by targets that have no more than it', () => {
    const budget = createAnswerBudget(new FairTurns());
    const evicted: string[] = [];
    const begin = (target: string, bytes: number): void =>
      new MessageBuffer({ budget, target }, () => evicted.push(target)).append(new Uint8Array(bytes));
    const size = 30 * 1024 * 1024;
    for (const target of ['a', 'b', 'd', 'e']) begin(target, size);
    expect(() => begin('c', size)).toThrow('large answers of targets take at most 128 MiB');
    expect(evicted).toEqual([]);
    begin('c', size - 1);
    expect(evicted).toHaveLength(1);
  });
});
