import { beforeEach, describe, expect, it } from 'vitest';
import { FinalFetchError } from '../../../src/net/outbound/text-fetch.ts';
import type { FetchedKeys } from '../../../src/resources/model.ts';
import type { PublishedKeys } from '../../../src/source/jwks/key-client.ts';
import { KeyFetcher, mostUris } from '../../../src/source/jwks/key-fetcher.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedCounters, type RecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';
import { guideJwk } from '../../support/processes/guide.ts';

const uri = 'https://issuer.example/jwks';
const setOf = (...kids: readonly string[]): string =>
  JSON.stringify({ keys: kids.map((kid) => ({ ...guideJwk, kid })) });

/** The issuers: what each URI answers; a promise that never settles where nothing is said. */
let answers: Map<string, PublishedKeys | Error>;
let asked: string[];
let delivered: (readonly [uri: string, keys: FetchedKeys | undefined])[];
let settled: number;
let clock: ManualClock;
let log: RecordedLog;
let counters: RecordedCounters;
let fetcher: KeyFetcher;

beforeEach(() => {
  answers = new Map();
  asked = [];
  delivered = [];
  settled = 0;
  clock = createManualClock();
  log = createRecordedLog();
  counters = createRecordedCounters();
  fetcher = new KeyFetcher({
    fetchKeys: (wanted) => {
      asked.push(wanted);
      const answer = answers.get(wanted);
      if (answer === undefined) return new Promise(() => undefined);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    deliver: (from, keys) => void delivered.push([from, keys]),
    settled: () => {
      settled += 1;
    },
    clock,
    random: () => 1,
    log,
    counters,
  });
});

/** Lets promises settle. */
const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const answer = (text: string, freshFor?: number): void => void answers.set(uri, { text, freshFor });
const kids = (): unknown => {
  const last = delivered.at(-1)?.[1];
  return last?.kind === 'keys' ? last.keys.map(({ kid }) => kid) : last?.failure;
};

describe('the keys of a URI', () => {
  it('are fetched when they are needed, and again after five minutes', async () => {
    answer(setOf('a'));
    fetcher.need(uri, true);
    await quiet();
    expect(kids()).toEqual(['a']);
    answer(setOf('b'));
    expect(clock.next()).toBe(300_000);
    await quiet();
    expect(kids()).toEqual(['b']);
    expect(counters.total('gatehouse_jwks_fetches_total', { outcome: 'fetched' })).toBe(2);
  });

  it.each([
    [600, 600_000],
    [0, 60_000],
    [59, 60_000],
    [1e9, 3_600_000],
  ])('with %s seconds of freshness are fetched again after %s ms', async (freshFor, milliseconds) => {
    answer(setOf('a'), freshFor);
    fetcher.need(uri, true);
    await quiet();
    expect(clock.waiting()).toEqual([milliseconds]);
  });

  it('stay in use while nothing better is answered, with one warning for one reason', async () => {
    answer(setOf('a'));
    fetcher.need(uri, true);
    await quiet();
    answers.set(uri, new Error('connect ECONNREFUSED'));
    for (let n = 0; n < 5; n += 1) {
      clock.next();
      await quiet();
    }
    expect(delivered.slice(1)).toEqual([
      [uri, expect.objectContaining({ kind: 'keys', failure: 'cannot be fetched: connect ECONNREFUSED' })],
    ]);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(counters.level('gatehouse_jwks_failing')).toBe(1);
    answer('<html>');
    clock.next();
    await quiet();
    expect(delivered.at(-1)?.[1]).toMatchObject({ kind: 'keys', failure: expect.stringContaining('not JSON') });
    answer(setOf('a'));
    clock.next();
    await quiet();
    expect(delivered.at(-1)?.[1]).toMatchObject({ kind: 'keys', failure: undefined });
    expect(counters.level('gatehouse_jwks_failing')).toBe(0);
  });

  it('end when the issuer publishes an empty set, which withdraws them', async () => {
    answer(setOf('a'));
    fetcher.need(uri, true);
    await quiet();
    answer('{"keys":[]}');
    clock.next();
    await quiet();
    expect(kids()).toEqual([]);
  });
});

describe('keys that are fetched again', () => {
  it('and are as before are no change', async () => {
    answer(setOf('a'));
    fetcher.need(uri, true);
    await quiet();
    clock.next();
    await quiet();
    expect(asked).toHaveLength(2);
    expect(delivered).toHaveLength(1);
  });
});

describe('the keys of a URI that does not answer, or that nobody needs', () => {
  it('are tried again sooner when they could not be fetched, and ever more slowly', async () => {
    answers.set(uri, new Error('no answer'));
    fetcher.need(uri, true);
    const waits: number[] = [];
    for (let n = 0; n < 8; n += 1) {
      await quiet();
      waits.push(clock.next());
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  it('are not fetched any more when nobody needs them, and forgotten', async () => {
    answer(setOf('a'));
    fetcher.need(uri, true);
    await quiet();
    fetcher.need(uri, false);
    clock.next();
    expect(delivered.at(-1)).toEqual([uri, undefined]);
    expect(clock.waiting()).toEqual([]);
  });

  it('that arrive when nobody needs them any more count for nothing', async () => {
    answer(setOf('a'));
    fetcher.need(uri, true);
    fetcher.need(uri, false);
    await quiet();
    clock.next();
    expect(delivered).toEqual([[uri, undefined]]);
  });

  it('are not fetched after the end', async () => {
    answer(setOf('a'));
    fetcher.need(uri, true);
    fetcher.stop();
    await quiet();
    expect(delivered).toEqual([]);
    expect(clock.waiting()).toEqual([]);
  });
});

describe('many URIs', () => {
  it('are fetched eight at a time', async () => {
    for (let n = 0; n < 20; n += 1) fetcher.need(`https://${n}.example/`, true);
    await quiet();
    expect(asked).toHaveLength(8);
  });

  it('of one host that hangs keep no other host waiting for more than one of them', async () => {
    const fail: (() => void)[] = [];
    const crowd = new KeyFetcher({
      fetchKeys: (wanted) => {
        asked.push(wanted);
        return new Promise((_, reject) => void fail.push(() => reject(new Error('no answer within 5000 ms'))));
      },
      deliver: () => {},
      settled: () => {},
      clock,
      random: () => 1,
      log,
      counters,
    });
    for (let n = 0; n < 100; n += 1) crowd.need(`https://hangs.example/${n}`, true);
    crowd.need(uri, true);
    await quiet();
    for (const reject of fail.splice(0, 2)) reject();
    await quiet();
    expect(asked).toHaveLength(10);
    expect(asked).toContain(uri);
    crowd.stop();
  });

  it('beyond the limit wait until another one is not needed', async () => {
    const mostOfOne = mostUris / 2;
    for (let n = 0; n <= mostOfOne; n += 1) {
      answers.set(`https://${n}.example/`, { text: setOf('a'), freshFor: undefined });
      fetcher.need(`https://${n}.example/`, true);
    }
    clock.advance(0);
    const surplus = `https://${mostOfOne}.example/`;
    expect(delivered).toEqual([[surplus, { kind: 'failed', failure: expect.stringContaining('no room') }]]);
    while (asked.length < mostOfOne) await quiet();
    fetcher.need('https://0.example/', false);
    clock.advance(0);
    while (asked.length <= mostOfOne) await quiet();
    await quiet();
    expect(delivered.at(-1)).toMatchObject([surplus, { kind: 'keys' }]);
  });
});

describe('URIs of several namespaces', () => {
  const hang = (): { readonly crowd: KeyFetcher; readonly failNext: () => void } => {
    const fail: (() => void)[] = [];
    const crowd = new KeyFetcher({
      fetchKeys: (wanted) => {
        asked.push(wanted);
        return new Promise((_, reject) => void fail.push(() => reject(new Error('no answer within 5000 ms'))));
      },
      deliver: (...what) => void delivered.push(what),
      settled: () => {},
      clock,
      random: () => 1,
      log,
      counters,
    });
    return { crowd, failNext: () => fail.shift()?.() };
  };

  it('take turns: a thousand hosts of one that hang delay another by one request', async () => {
    const { crowd, failNext } = hang();
    for (let n = 0; n < 1_000; n += 1) crowd.need(`https://${n}.example/`, true, 'crowd');
    crowd.need(uri, true, 'honest');
    await quiet();
    expect(asked).not.toContain(uri);
    failNext();
    await quiet();
    expect(asked.at(-1)).toBe(uri);
  });

  it('that another one names too wait for nobody of that one', async () => {
    const { crowd, failNext } = hang();
    for (let n = 0; n < 900; n += 1) crowd.need(`https://${n}.example/`, true, 'crowd');
    crowd.need(uri, true, 'crowd');
    await quiet();
    crowd.need(uri, true, 'honest');
    crowd.need('https://another.example/', true, 'honest');
    failNext();
    await quiet();
    expect(asked.at(-1)).toBe('https://another.example/');
  });

  it('have room beside one with more than there is room for', async () => {
    const { crowd } = hang();
    for (let n = 0; n < 5_000; n += 1) crowd.need(`https://${n}.example/`, true, 'crowd');
    for (let n = 0; n < 100; n += 1) crowd.need(`https://honest.example/${n}`, true, `honest-${n % 10}`);
    clock.advance(0);
    const refused = delivered.map(([wanted]) => wanted);
    expect(refused).toHaveLength(5_000 - mostUris / 2);
    expect(refused.filter((wanted) => wanted.includes('honest'))).toEqual([]);
  });

  it('are kept while one of them needs them, and forgotten with the last', async () => {
    answer(setOf('a'));
    fetcher.need(uri, true, 'one');
    await quiet();
    fetcher.need(uri, true, 'other');
    fetcher.need(uri, false, 'one');
    clock.advance(0);
    expect(delivered).toHaveLength(1);
    expect(asked).toHaveLength(1);
    fetcher.need(uri, false, 'other');
    clock.advance(0);
    expect(delivered.at(-1)).toEqual([uri, undefined]);
  });
});

describe('many URIs that fail', () => {
  it('are a few lines in the log for each host, and some for all, beside the count of all', async () => {
    const warned = (): readonly unknown[] => log.lines.filter(({ level }) => level === 'warn');
    const wanted = Array.from({ length: 40 }, (_, n) => `https://crowd.example/${n}`);
    const others = Array.from({ length: 40 }, (_, n) => `https://${n}.example/`);
    for (const one of [...wanted, ...others]) answers.set(one, new Error('no answer'));
    for (const one of wanted) fetcher.need(one, true);
    while (asked.length < 40) await quiet();
    await quiet();
    expect(warned()).toHaveLength(3 + 1);
    for (const one of others) fetcher.need(one, true);
    while (asked.length < 80) await quiet();
    await quiet();
    expect(warned()).toHaveLength(20 + 1);
    expect(log.lines.filter(({ message }) => message.includes('are left out'))).toHaveLength(1);
    expect(counters.level('gatehouse_jwks_failing')).toBe(80);
    for (const one of others) fetcher.need(one, false);
    expect(counters.level('gatehouse_jwks_failing')).toBe(40);
    for (const one of wanted) answers.set(one, { text: setOf('a'), freshFor: undefined });
    clock.advance(1_000);
    while (asked.length < 120) await quiet();
    await quiet();
    expect(counters.level('gatehouse_jwks_failing')).toBe(0);
    expect(log.lines.filter(({ message }) => message === 'keys are fetched again')).toHaveLength(3);
  });
});

describe('the first answers', () => {
  it('are there at once when nobody needs any', () => {
    fetcher.begin();
    expect(fetcher.settled).toBe(true);
    expect(clock.waiting()).toEqual([]);
  });

  it('are awaited of all issuers that are needed when everything else is ready, and of no later one', async () => {
    const other = 'https://other.example/jwks';
    answer(setOf('a'));
    fetcher.need(uri, true);
    fetcher.need(other, true);
    fetcher.begin();
    fetcher.need('https://later.example/jwks', true);
    await quiet();
    expect(fetcher.settled).toBe(false);
    fetcher.need(other, false);
    expect([fetcher.settled, settled]).toEqual([true, 1]);
  });

  it.each<[string, Error, boolean]>([
    ['an answer without keys is one', new FinalFetchError('answered with status 404'), true],
    ['none is not', new Error('getaddrinfo EAI_AGAIN'), false],
  ])('%s', async (_what, error, expected) => {
    answers.set(uri, error);
    fetcher.need(uri, true);
    fetcher.begin();
    await quiet();
    expect(fetcher.settled).toBe(expected);
  });

  it('are awaited for thirty seconds, and then nodes are served without them', async () => {
    fetcher.need(uri, true);
    fetcher.begin();
    await log.line('gateways are served when the issuers have answered, or in 30 s');
    clock.advance(29_999);
    expect(fetcher.settled).toBe(false);
    clock.advance(1);
    expect([fetcher.settled, settled]).toEqual([true, 1]);
    await log.line('gateways are served without the keys of some issuers');
  });

  it('that are missing are ten by name, and the number of the others', async () => {
    for (let n = 0; n < 500; n += 1) fetcher.need(`https://${n}.example/`, true);
    fetcher.begin();
    clock.advance(30_000);
    const { fields } = log.lines.find(({ message }) => message.startsWith('gateways are served without')) ?? {};
    expect(fields).toMatchObject({ uris: Array.from({ length: 10 }, (_, n) => `https://${n}.example/`), more: 490 });
  });
});
