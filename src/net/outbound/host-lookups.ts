import { type LookupAddress, lookup } from 'node:dns';
import type { Clock } from '../../edges.ts';
import { FairSemaphore } from '../../rate/fair-semaphore.ts';

/** Looks up all addresses of a host. */
export type LookUpHost = (host: string) => Promise<readonly LookupAddress[]>;

/** A host that was answered within this time, in milliseconds, waits for no other one the next time. */
const quickTime = 1_000;

/** Hosts that are remembered as quick; the oldest is forgotten. */
const maxQuick = 10_000;

/** Milliseconds that a host waits for its turn: those who asked have given up by then. */
const patience = 10_000;

/**
 * Looks hosts up for all who connect. `dns.lookup` takes one of the two threads that libuv has for names (half of its
 * pool of four), and keeps it for as long as the name server of that name likes, twenty seconds and more. Whoever chooses
 * the name of a host, as that of a Service that is an alias, would stop the connections to all others with some lookups.
 *
 * So each host is looked up once at a time, for all who ask meanwhile, and of the hosts that were not answered quickly
 * the last time one at a time: the other thread is left to those that were.
 */
export class HostLookups {
  readonly #clock: Clock;
  readonly #lookUp: LookUpHost;
  readonly #underWay = new Map<string, Promise<readonly LookupAddress[]>>();
  readonly #quick = new Set<string>();
  readonly #others = new FairSemaphore(1);

  /** @param lookUp by default as the system does */
  constructor(clock: Clock, lookUp: LookUpHost = systemLookup) {
    this.#clock = clock;
    this.#lookUp = lookUp;
  }

  /** Returns the addresses of a host. Rejects with the error of the lookup. */
  addresses(host: string): Promise<readonly LookupAddress[]> {
    const known = this.#underWay.get(host);
    if (known !== undefined) return known;
    const looked = (this.#quick.has(host) ? this.#look(host) : this.#inTurn(host)).finally(() => {
      this.#underWay.delete(host);
    });
    this.#underWay.set(host, looked);
    return looked;
  }

  async #inTurn(host: string): Promise<readonly LookupAddress[]> {
    const asked = this.#clock.now();
    const done = await this.#others.acquire(host);
    try {
      if (this.#clock.now() - asked > patience) {
        throw new Error(
          `the name ${host} was not looked up within ${patience / 1_000} s: other names are not answered`,
        );
      }
      return await this.#look(host);
    } finally {
      done();
    }
  }

  async #look(host: string): Promise<readonly LookupAddress[]> {
    const began = this.#clock.now();
    try {
      return await this.#lookUp(host);
    } finally {
      this.#quick.delete(host);
      if (this.#clock.now() - began < quickTime) this.#remember(host);
    }
  }

  #remember(host: string): void {
    this.#quick.add(host);
    const [oldest] = this.#quick;
    if (this.#quick.size > maxQuick && oldest !== undefined) this.#quick.delete(oldest);
  }
}

function systemLookup(host: string): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error, addresses) => {
      if (error === null) resolve(addresses);
      else reject(error);
    });
  });
}
