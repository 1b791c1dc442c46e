import { beforeEach, describe, expect, it } from 'vitest';
import type { PublishedKeys } from '../../../src/source/jwks/key-client.ts';
import { type KeySource, keySource } from '../../../src/source/jwks/key-source.ts';
import type { Batch } from '../../../src/source/model.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';
import { guideJwk } from '../../support/processes/guide.ts';

const uris = Array.from({ length: 8 }, (_, n) => `https://issuer-${n}.example/jwks`);

let clock: ManualClock;
/** The requests that wait for an answer. */
let asked: Map<string, PromiseWithResolvers<PublishedKeys>>;
let batches: Batch[];
let log: RecordedLog;
/** The number of batches when nodes could be served. */
let readyAt: number | undefined;
let keys: KeySource;

beforeEach(() => {
  clock = createManualClock();
  asked = new Map();
  batches = [];
  readyAt = undefined;
  log = createRecordedLog();
  const parts = { clock, random: () => 1, log, counters: createRecordedCounters() };
  keys = keySource({ allowHttp: false, allowPrivate: false }, parts, {
    fetchKeys: (uri) => {
      const answer = Promise.withResolvers<PublishedKeys>();
      asked.set(uri, answer);
      return answer.promise;
    },
    stop: async () => undefined,
  });
  keys.start(
    (batch) => void batches.push(batch),
    () => {
      readyAt = batches.length;
    },
  );
});

/** Lets promises settle. */
const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function answer(uri: string, kid = 'k'): Promise<void> {
  asked.get(uri)?.resolve({ text: JSON.stringify({ keys: [{ ...guideJwk, kid }] }), freshFor: undefined });
  await quiet();
}

function urisIn(batch: Batch | undefined): readonly string[] {
  return (batch?.fetchedKeys ?? []).map(([uri]) => uri);
}

describe('the answers of issuers', () => {
  it('that arrive together are one batch', async () => {
    keys.begin();
    for (const uri of uris) keys.need(uri, true);
    await quiet();
    for (const uri of uris) await answer(uri);
    expect(batches).toEqual([]);
    clock.advance(25);
    expect(batches.map(urisIn)).toEqual([uris]);
  });

  it('are one batch at the start, before any node is served, without a wait for further ones', async () => {
    for (const uri of uris) keys.need(uri, true);
    keys.begin();
    await quiet();
    for (const uri of uris) await answer(uri);
    expect(keys.settled, 'the answers are not applied yet').toBe(false);
    clock.advance(0);
    expect(batches.map(urisIn)).toEqual([uris]);
    expect(keys.settled).toBe(true);
    expect(readyAt).toBe(1);
  });

  it('wait half a second at most while others go on arriving', async () => {
    keys.begin();
    const many = Array.from({ length: 30 }, (_, n) => `https://issuer.example/${n}`);
    for (const uri of many) keys.need(uri, true);
    await quiet();
    const start = clock.now();
    for (const uri of many) {
      await answer(uri);
      clock.advance(20);
      if (batches.length > 0) break;
    }
    expect(clock.now() - start).toBe(500);
    expect(urisIn(batches[0])).toHaveLength(25);
  });
});

describe('a batch of answers', () => {
  it('says when the first of them came', async () => {
    keys.begin();
    keys.need(uris[0] ?? '', true);
    await quiet();
    await answer(uris[0] ?? '');
    const since = clock.now();
    clock.advance(25);
    expect(batches).toMatchObject([{ since, synced: false }]);
  });

  it('forgets what nobody needs, together with the answer of what replaces it', async () => {
    const [one = '', other = ''] = uris;
    keys.begin();
    keys.need(one, true);
    await quiet();
    await answer(one);
    clock.advance(25);
    keys.need(one, false);
    keys.need(other, true);
    await quiet();
    await answer(other);
    clock.advance(25);
    expect(batches.slice(1).map(({ fetchedKeys }) => fetchedKeys)).toMatchObject([
      [
        [other, { kind: 'keys' }],
        [one, undefined],
      ],
    ]);
  });

  it('is delivered again if the consumer throws at it, and those of others are not lost', async () => {
    let isBroken = true;
    keys.start(
      (batch) => {
        if (isBroken && urisIn(batch).includes('https://issuer-0.example/jwks')) throw new Error('on purpose');
        batches.push(batch);
      },
      () => undefined,
    );
    for (const uri of uris) keys.need(uri, true);
    await quiet();
    for (const uri of uris) await answer(uri);
    clock.advance(25);
    expect(batches.flatMap(urisIn)).toEqual(uris.slice(1));
    isBroken = false;
    clock.advance(5_000);
    expect(batches.flatMap(urisIn).at(-1)).toBe(uris[0]);
    const messages = log.lines.map(({ message }) => message).filter((message) => message.includes('appl'));
    expect(messages).toEqual([
      'internal error: a batch of changes could not be applied, and is told again until it is',
      'what could not be applied is applied now',
    ]);
  });

  it('is not delivered after the stop', async () => {
    keys.begin();
    keys.need(uris[0] ?? '', true);
    await quiet();
    await answer(uris[0] ?? '');
    await keys.stop();
    clock.advance(1_000);
    expect(batches).toEqual([]);
  });
});

it('without a needed key, nodes are served at once', () => {
  keys.begin();
  expect(keys.settled).toBe(true);
  expect(readyAt).toBe(0);
});
