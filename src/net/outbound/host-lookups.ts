import { type LookupAddress, lookup } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import type { Clock } from '../../edges.ts';
import { FairSemaphore } from '../../rate/fair-semaphore.ts';
import { codeOf } from '../errors.ts';

/** The addresses of a host. */
type Addresses = readonly LookupAddress[];

/** Where addresses come from. */
export interface AddressSources {
  /** The text of the system's file of hosts; empty without one. */
  hostsFile(): Promise<string>;
  /** Asks the name servers for a name as it is, in no thread. Empty when they do not know it; rejects when none answers. */
  query(host: string): Promise<Addresses>;
  /** Asks the system, which also knows its file, search domains and other services. Takes a thread. */
  system(host: string): Promise<Addresses>;
}

/** Milliseconds that a host waits for its turn: those who asked have given up by then. */
const patience = 10_000;

/**
 * The first addresses of each family, which are all that are tried. Node gives each 250 ms, and a connection has 5 s. It
 * calls itself for each that fails at once, so that the thousands in an answer of 64 KiB would end the process: its stack
 * overflows where nobody can catch it (Node 24.21, `internalConnectMultiple`).
 */
const mostOfFamily = 8;

/**
 * Looks hosts up for all who connect. `dns.lookup` takes one of the two threads that libuv has for names (half of its
 * pool of four), and keeps it for as long as the name server of that name likes, twenty seconds and more. Whoever chooses
 * the name of a host, as that of a Service that is an alias, would stop the connections to all others with some lookups.
 *
 * So each host is looked up once at a time, for all who ask meanwhile; name servers are asked in no thread; and the system
 * is asked for what they do not know, for one host at a time, and for what its file has.
 */
export class HostLookups {
  readonly #clock: Clock;
  readonly #sources: AddressSources;
  readonly #underWay = new Map<string, Promise<Addresses>>();
  readonly #turns = new FairSemaphore(1);

  constructor(clock: Clock, sources: AddressSources = systemSources) {
    this.#clock = clock;
    this.#sources = sources;
  }

  /** Returns the first addresses of a host. Rejects with the error of the lookup. */
  addresses(host: string): Promise<Addresses> {
    const known = this.#underWay.get(host);
    if (known !== undefined) return known;
    const looked = this.#look(host)
      .then(firstAddresses)
      .finally(() => {
        this.#underWay.delete(host);
      });
    this.#underWay.set(host, looked);
    return looked;
  }

  async #look(host: string): Promise<Addresses> {
    // As `files dns`, the usual order of nsswitch.conf.
    if (namesIn(await this.#sources.hostsFile()).has(host.toLowerCase())) return this.#sources.system(host);
    const found = await this.#sources.query(host);
    return found.length > 0 ? found : this.#inTurn(host);
  }

  async #inTurn(host: string): Promise<Addresses> {
    const asked = this.#clock.monotonic();
    const done = await this.#turns.acquire(host);
    try {
      if (this.#clock.monotonic() - asked > patience) {
        throw new Error(
          `the name ${host} was not looked up within ${patience / 1_000} s: other names are not answered`,
        );
      }
      return await this.#sources.system(host);
    } finally {
      done();
    }
  }
}

/** Returns the addresses that are tried, in their order. */
export function firstAddresses<A extends LookupAddress>(addresses: readonly A[]): readonly A[] {
  const found = new Map<number, number>();
  return addresses.filter(({ family }) => {
    const count = (found.get(family) ?? 0) + 1;
    found.set(family, count);
    return count <= mostOfFamily;
  });
}

/** The names in a file of hosts (hosts(5)), in lower case. */
function namesIn(hostsFile: string): ReadonlySet<string> {
  const lines = hostsFile.split('\n').map((line) => line.replace(/#.*/, '').trim().toLowerCase());
  return new Set(lines.flatMap((line) => line.split(/\s+/).slice(1)));
}

/** What says that the name servers do not know a name, or that there are none. */
const unknownCodes: readonly (string | undefined)[] = ['ENOTFOUND', 'ENODATA', 'ECONNREFUSED'];

async function queryServers(host: string): Promise<Addresses> {
  // A new one each time: it reads the name servers of the system anew.
  const resolver = new Resolver({ timeout: 1_500, tries: 2 });
  const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  const found = [
    ...(four.status === 'fulfilled' ? four.value : []).map((address) => ({ address, family: 4 })),
    ...(six.status === 'fulfilled' ? six.value : []).map((address) => ({ address, family: 6 })),
  ];
  const failed = [four, six].flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
  const failure: unknown = failed.find((reason: unknown) => !unknownCodes.includes(codeOf(reason)));
  if (found.length === 0 && failure !== undefined) throw failure;
  return found;
}

const systemSources: AddressSources = {
  hostsFile: () => readFile('/etc/hosts', 'utf8').catch(() => ''),
  query: queryServers,
  system: (host) =>
    new Promise((resolve, reject) => {
      lookup(host, { all: true }, (error, addresses) => {
        if (error === null) resolve(addresses);
        else reject(error);
      });
    }),
};
