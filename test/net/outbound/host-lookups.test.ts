import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { expect, it } from 'vitest';
import { HostLookups } from '../../../src/net/outbound/host-lookups.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';

interface Question {
  readonly of: 'query' | 'system';
  readonly host: string;
  readonly answer: PromiseWithResolvers<readonly LookupAddress[]>;
}

/** Lookups whose sources the test answers. */
function startLookups(hostsFile = '127.0.0.1 localhost') {
  const clock = createManualClock();
  const open: Question[] = [];
  const ask = (of: Question['of'], host: string): Promise<readonly LookupAddress[]> => {
    const answer = Promise.withResolvers<readonly LookupAddress[]>();
    open.push({ of, host, answer });
    return answer.promise;
  };
  const lookups = new HostLookups(clock, {
    hostsFile: () => Promise.resolve(hostsFile),
    query: (host) => ask('query', host),
    system: (host) => ask('system', host),
  });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    clock,
    lookups,
    /** The questions that are not answered. */
    async asked(): Promise<readonly string[]> {
      await turn();
      return open.map(({ of, host }) => `${of} ${host}`);
    },
    async answer(what: string, ...addresses: readonly string[]): Promise<void> {
      await turn();
      const at = open.findIndex(({ of, host }) => `${of} ${host}` === what);
      const [question] = open.splice(at, 1);
      question?.answer.resolve(addresses.map((address) => ({ address, family: isIP(address) })));
      await turn();
    },
  };
}

it('a host is looked up once for all who ask meanwhile, and anew for who asks later', async () => {
  const { lookups, asked, answer } = startLookups();
  const together = Promise.all(Array.from({ length: 100 }, () => lookups.addresses('a.example')));
  expect(await asked()).toEqual(['query a.example']);
  await answer('query a.example', '10.0.0.1');
  expect(new Set(await together)).toEqual(new Set([[{ address: '10.0.0.1', family: 4 }]]));
  void lookups.addresses('a.example');
  expect(await asked()).toEqual(['query a.example']);
});

it('a host that name servers know waits for none that they do not answer, and takes no thread', async () => {
  const { lookups, asked, answer } = startLookups();
  const silent = Array.from({ length: 50 }, (_, index) => `silent-${index}.example`);
  for (const host of silent) lookups.addresses(host).catch(() => {});
  const good = lookups.addresses('good.example');
  expect(await asked()).toEqual([...silent, 'good.example'].map((host) => `query ${host}`));
  await answer('query good.example', '10.0.0.7');
  expect(await good).toEqual([{ address: '10.0.0.7', family: 4 }]);
});

it('the system is asked for what name servers do not know, for one host at a time in turn', async () => {
  const { lookups, asked, answer } = startLookups();
  for (const host of ['a', 'b', 'c']) void lookups.addresses(host);
  for (const host of ['a', 'b', 'c']) await answer(`query ${host}`);
  expect(await asked()).toEqual(['system a']);
  await answer('system a', '10.0.0.1');
  expect(await asked()).toEqual(['system b']);
});

it('the system is asked at once for what its file of hosts has', async () => {
  const { lookups, asked, answer } = startLookups('# c.example\n10.0.0.9\tTool.example tool # d.example\n');
  void lookups.addresses('silent.example');
  await answer('query silent.example');
  for (const host of ['tool.example', 'TOOL', 'c.example', 'd.example']) void lookups.addresses(host);
  expect(await asked()).toEqual([
    'system silent.example',
    'system tool.example',
    'system TOOL',
    'query c.example',
    'query d.example',
  ]);
});

it('a host that waited longer than anybody waits for is not looked up, and says why', async () => {
  const { clock, lookups, asked, answer } = startLookups();
  void lookups.addresses('silent.example');
  const waiting = expect(lookups.addresses('a.example')).rejects.toThrow(
    'the name a.example was not looked up within 10 s',
  );
  for (const host of ['silent', 'a']) await answer(`query ${host}.example`);
  expect(await asked()).toEqual(['system silent.example']);
  clock.advance(10_001);
  await answer('system silent.example', '10.0.0.1');
  await waiting;
  expect(await asked()).toEqual([]);
});

// Node's net.connect calls itself for each address that fails at once, and overflows its stack.
it.each(['query', 'system'])(
  'of the thousands of addresses in an answer to a %s, the first few of each family are tried',
  async (of) => {
    const { lookups, answer } = startLookups();
    const found = lookups.addresses('many.example');
    if (of === 'system') await answer('query many.example');
    const numbers = Array.from({ length: 4_000 }, (_, index) => index);
    const [four, six] = [
      numbers.map((at) => `10.0.${at >> 8}.${at & 255}`),
      numbers.map((at) => `fd00::${at.toString(16)}`),
    ];
    await answer(`${of} many.example`, ...six, ...four);
    expect((await found).map(({ address }) => address)).toEqual([...six.slice(0, 8), ...four.slice(0, 8)]);
  },
);

it('the names of this machine are looked up as the system does', async () => {
  const lookups = new HostLookups(createManualClock());
  expect((await lookups.addresses('localhost')).map(({ address }) => address)).toContain('127.0.0.1');
  await expect(lookups.addresses('nobody.invalid')).rejects.toMatchObject({ code: expect.stringMatching(/^E/) });
});
