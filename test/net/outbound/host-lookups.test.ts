import type { LookupAddress } from 'node:dns';
import { expect, it } from 'vitest';
import { HostLookups } from '../../../src/net/outbound/host-lookups.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';

type Answer = { readonly host: string; readonly resolve: (addresses: readonly LookupAddress[]) => void };

/** Lookups that the test answers. */
function startLookups() {
  const clock = createManualClock();
  const asked: Answer[] = [];
  const lookups = new HostLookups(clock, (host) => {
    const { promise, resolve } = Promise.withResolvers<readonly LookupAddress[]>();
    asked.push({ host, resolve });
    return promise;
  });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const hosts = async (): Promise<readonly string[]> => {
    await turn();
    return asked.map(({ host }) => host);
  };
  const answer = async (address = '10.0.0.1'): Promise<void> => {
    await turn();
    asked.shift()?.resolve([{ address, family: 4 }]);
    await turn();
  };
  return { clock, lookups, hosts, answer };
}

it('a host is looked up once for all who ask meanwhile, and anew for who asks later', async () => {
  const { lookups, hosts, answer } = startLookups();
  const together = Promise.all(Array.from({ length: 100 }, () => lookups.addresses('a.example')));
  expect(await hosts()).toEqual(['a.example']);
  await answer();
  expect(new Set(await together)).toHaveLength(1);
  void lookups.addresses('a.example');
  expect(await hosts()).toEqual(['a.example']);
});

it('hosts that are not known to be answered quickly are looked up one at a time, and take turns', async () => {
  const { lookups, hosts, answer } = startLookups();
  for (const host of ['a.example', 'b.example', 'c.example']) void lookups.addresses(host);
  expect(await hosts()).toEqual(['a.example']);
  await answer();
  expect(await hosts()).toEqual(['b.example']);
});

it('a host that was answered quickly waits for none whose name server does not answer', async () => {
  const { clock, lookups, hosts, answer } = startLookups();
  const first = lookups.addresses('good.example');
  await answer('10.0.0.7');
  await first;
  for (let index = 0; index < 50; index += 1) lookups.addresses(`silent-${index}.example`).catch(() => {});
  expect(await hosts()).toEqual(['silent-0.example']);
  clock.advance(20_000);
  const again = lookups.addresses('good.example');
  expect(await hosts()).toEqual(['silent-0.example', 'good.example']);
  await answer();
  await answer('10.0.0.7');
  expect(await again).toEqual([{ address: '10.0.0.7', family: 4 }]);
});

it('a host that was answered late is quick no more', async () => {
  const { clock, lookups, hosts, answer } = startLookups();
  void lookups.addresses('a.example');
  await answer();
  void lookups.addresses('a.example');
  clock.advance(1_000);
  await answer();
  void lookups.addresses('silent.example');
  void lookups.addresses('a.example');
  expect(await hosts()).toEqual(['silent.example']);
});

it('a host that waited longer than anybody waits for is not looked up, and says why', async () => {
  const { clock, lookups, hosts, answer } = startLookups();
  void lookups.addresses('silent.example');
  const waiting = lookups.addresses('a.example');
  expect(await hosts()).toEqual(['silent.example']);
  const refused = expect(waiting).rejects.toThrow('the name a.example was not looked up within 10 s');
  clock.advance(10_001);
  await answer();
  await refused;
  expect(await hosts()).toEqual([]);
});

it('the name of this machine is looked up as the system does', async () => {
  const lookups = new HostLookups(createManualClock());
  expect((await lookups.addresses('localhost')).map(({ address }) => address)).toContain('127.0.0.1');
  await expect(lookups.addresses('nobody.invalid')).rejects.toMatchObject({ syscall: 'getaddrinfo' });
});
