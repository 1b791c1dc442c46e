import { beforeEach, describe, expect, it } from 'vitest';
import type { FetchedKeys } from '../../../src/resources/model.ts';
import type { PublishedKeys } from '../../../src/source/jwks/key-client.ts';
import { KeyFetcher, mostUris } from '../../../src/source/jwks/key-fetcher.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { guideJwk } from '../../support/processes/guide.ts';

const uri = 'https://issuer.example/jwks';
const published = (kid: string): PublishedKeys => ({
  text: JSON.stringify({ keys: [{ ...guideJwk, kid }] }),
  freshFor: undefined,
});
const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let answers: Map<string, PublishedKeys>;
let asked: string[];
let delivered: (readonly [uri: string, keys: FetchedKeys | undefined])[];
let clock: ManualClock;
let fetcher: KeyFetcher;

beforeEach(() => {
  [answers, asked, delivered, clock] = [new Map(), [], [], createManualClock()];
  fetcher = new KeyFetcher({
    fetchKeys: (wanted) => {
      asked.push(wanted);
      const answer = answers.get(wanted);
      return answer === undefined ? Promise.reject(new Error('no answer')) : Promise.resolve(answer);
    },
    deliver: (from, keys) => void delivered.push([from, keys]),
    settled: () => {},
    clock,
    random: () => 1,
    log: createRecordedLog(),
    counters: createRecordedCounters(),
  });
});

describe('a URI that is left by the namespace whose room it takes', () => {
  /** One that needs as many as it has room for, all of them with keys, beside what others hold. */
  const crowd = async (owner: string): Promise<void> => {
    const before = asked.length;
    for (let n = 0; n <= mostUris; n += 1) {
      const own = `https://${owner}.example/${n}`;
      answers.set(own, published('a'));
      fetcher.need(own, true, owner);
    }
    for (let all = -1; all < asked.length && asked.length > before; ) {
      all = asked.length;
      for (let turns = 0; turns < 10; turns += 1) await quiet();
    }
    clock.advance(0);
  };

  it('keeps its keys, and is fetched, where another one that needs it has no room', async () => {
    answers.set(uri, published('a'));
    fetcher.need(uri, true, 'one');
    await quiet();
    await crowd('crowd');
    fetcher.need(uri, true, 'crowd');
    delivered.length = 0;
    fetcher.need(uri, false, 'one');
    clock.advance(0);
    expect(delivered.filter(([from]) => from === uri)).toEqual([]);
    answers.set(uri, published('b'));
    clock.advance(300_000);
    while (!delivered.some(([from]) => from === uri)) await quiet();
    expect(delivered.find(([from]) => from === uri)).toMatchObject([uri, { kind: 'keys', keys: [{ kid: 'b' }] }]);
    fetcher.need(uri, false, 'crowd');
    clock.advance(0);
    expect(delivered.findLast(([from]) => from === uri)).toEqual([uri, undefined]);
  });
});
