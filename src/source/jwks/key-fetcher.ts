import type { Clock, Counters, Logger, Random, Stop } from '../../edges.ts';
import { readPublicKeys } from '../../jwk/public-keys.ts';
import { FinalFetchError } from '../../net/outbound/text-fetch.ts';
import { backoffDelay } from '../../rate/backoff.ts';
import { FairSemaphore } from '../../rate/fair-semaphore.ts';
import { KeyedRateLimiter } from '../../rate/keyed-rate-limiter.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { Quota } from '../../rate/quota.ts';
import { RateLimiter } from '../../rate/rate-limiter.ts';
import type { FetchedKeys } from '../../resources/model.ts';
import type { FetchKeys } from './key-client.ts';

/** Callbacks and dependencies of the fetcher. */
export interface KeyFetcherParts {
  readonly fetchKeys: FetchKeys;
  /** Receives each answer; undefined when nobody needs the URI any more. Never called within {@link KeyFetcher.need}. */
  readonly deliver: (uri: string, keys: FetchedKeys | undefined) => void;
  /** Called once, when the first answers are there, or have taken too long. */
  readonly settled: () => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: Counters;
}

/**
 * The most URIs that are fetched, and how much of what is free one owner may have; further ones wait until another one is
 * not needed any more. One has half of it, two a third each, and something is left for another one.
 */
export const mostUris = 2_000;
const ownerShare = 1 / 2;
const shareOfRest = 1;

/**
 * Requests at once. Owners take turns, and the hosts of each, so that one with many URIs that hang delays another by one
 * of them.
 */
const concurrency = 8;

/** URIs without room that are tried again in one turn, when another one is not needed any more. */
const triedAtOnce = 1_000;

/** Milliseconds between two requests for a URI: what its headers say within these bounds, else the default. */
const interval = { least: 60_000, usual: 300_000, most: 3_600_000 };

/** After a failure, whether or not there are keys. */
const retries = { initial: 1_000, max: 60_000 };

/** Milliseconds that the first answers may take before nodes are served without them. */
const longestWait = 30_000;

/**
 * Warnings about one host and about all, at once and per second: whoever may write policies chooses the URIs, and must
 * neither fill the log nor leave no line for the issuers of others. The metric counts them all.
 */
const warnings = { ofHost: { burst: 3, rate: 1 / 60, maxKeys: 1_000 }, ofAll: { burst: 20, rate: 1 / 10 } };

/** URIs that one line names. */
const mostNamed = 10;

/** One needed URI. */
interface Publication {
  /** Who need it, at least one. */
  readonly owners: Set<string>;
  /** The one of them whose room it takes. */
  payer: Payer;
  last: FetchedKeys | undefined;
  failures: number;
  /** The log has a line about its failure. */
  isLogged: boolean;
  /** The server answered, or an attempt ended as any further one would. */
  answered: boolean;
  stopTimer: Stop;
}

/** Whose room a URI takes, and of which. */
interface Payer {
  readonly owner: string;
  readonly room: Quota;
}

type Attempt =
  | { readonly keys: Extract<FetchedKeys, { kind: 'keys' }>; readonly freshFor: number | undefined }
  | { readonly keys: undefined; readonly reason: string; readonly isFinal: boolean };

/**
 * Keeps the keys of all needed URIs up to date: each is fetched at once, and then at an interval. The last keys that were
 * understood stay in use while requests fail, however long: an issuer that is away must lock nobody out.
 *
 * Every replica has its own: equal answers are equal keys.
 */
export class KeyFetcher {
  readonly #parts: KeyFetcherParts;
  readonly #publications = new Map<string, Publication>();
  /** Needed, and beyond the limit, with those who need them. */
  readonly #surplus = new Map<string, Set<string>>();
  readonly #room = new Quota(mostUris, ownerShare, shareOfRest);
  /**
   * As much once more, for URIs with keys whose payer has left them: who needs them still may have no room, and is no less
   * entitled to the keys than before.
   */
  readonly #roomOfLeft = new Quota(mostUris, ownerShare, shareOfRest);
  readonly #slots = new FairSemaphore(concurrency);
  readonly #slotsOfOwner = new Map<string, FairSemaphore>();
  readonly #hostWarnings: KeyedRateLimiter;
  readonly #warnings: RateLimiter;
  readonly #leftOut: LogThrottle;
  /** How many of the surplus are to be tried since room has become free. */
  #untried = 0;
  /** How many of the publications fail. */
  #failing = 0;
  /** The URIs without an answer, of those that were needed at first; undefined before {@link begin}. */
  #awaited: Set<string> | undefined;
  #stopWait: Stop = () => {};
  #settled = false;
  #stopped = false;

  constructor(parts: KeyFetcherParts) {
    const { clock, log } = parts;
    this.#parts = parts;
    this.#hostWarnings = new KeyedRateLimiter(clock, warnings.ofHost);
    this.#warnings = new RateLimiter(clock, warnings.ofAll);
    this.#leftOut = new LogThrottle(clock, log);
  }

  /**
   * Starts or ends to fetch a URI.
   *
   * @param owner who needs it, such as a namespace; several may
   */
  need(uri: string, needed: boolean, owner: string = ''): void {
    if (this.#stopped) return;
    if (needed) this.#add(uri, owner);
    else this.#remove(uri, owner);
  }

  /** Waits from now on for the first answers of the URIs that are needed now. */
  begin(): void {
    if (this.#awaited !== undefined || this.#stopped) return;
    const unanswered = [...this.#publications].filter(([, { answered }]) => !answered);
    this.#awaited = new Set(unanswered.map(([uri]) => uri));
    this.#stopWait = this.#parts.clock.after(longestWait, () => {
      this.#warnOfAwaited([...(this.#awaited ?? [])]);
      this.#settle();
    });
    const uris = [...this.#awaited].slice(0, mostNamed);
    if (uris.length === 0) this.#settle();
    else this.#parts.log.info('gateways are served when the issuers have answered, or in 30 s', { uris });
  }

  /** Returns whether the first answers are there, or took too long; stays true. */
  get settled(): boolean {
    return this.#settled;
  }

  stop(): void {
    this.#stopped = true;
    this.#stopWait();
    for (const { stopTimer } of this.#publications.values()) stopTimer();
    this.#publications.clear();
  }

  #add(uri: string, owner: string): void {
    const owners = this.#ownersOf(uri);
    if (owners?.has(owner) === true) return;
    owners?.add(owner);
    if (!this.#publications.has(uri) && !this.#admit(uri, owners ?? new Set([owner])) && owners === undefined)
      this.#wait(uri, new Set([owner]));
  }

  #remove(uri: string, owner: string): void {
    const owners = this.#ownersOf(uri);
    if (owners?.delete(owner) !== true) return;
    const publication = this.#publications.get(uri);
    if (publication === undefined) {
      if (owners.size === 0 && this.#surplus.delete(uri)) this.#forget(uri);
      return;
    }
    if (publication.payer.owner !== owner) return;
    publication.payer.room.release(owner);
    if (this.#held(owner) === 0) this.#slotsOfOwner.delete(owner);
    const hasKeys = publication.last?.kind === 'keys';
    const payer = this.#payerOf(owners, this.#room) ?? (hasKeys ? this.#payerOf(owners, this.#roomOfLeft) : undefined);
    if (payer === undefined) this.#end(uri, publication);
    else publication.payer = payer;
    this.#tryWaiting();
  }

  #end(uri: string, publication: Publication): void {
    const { owners } = publication;
    publication.stopTimer();
    this.#publications.delete(uri);
    if (owners.size === 0) this.#forget(uri);
    else this.#wait(uri, owners);
    this.#countFailures(publication, 0);
    this.#answered(uri, publication);
  }

  #ownersOf(uri: string): Set<string> | undefined {
    return this.#publications.get(uri)?.owners ?? this.#surplus.get(uri);
  }

  /** Takes the room for a URI of one of its owners; undefined: none of them has any. */
  #payerOf(owners: ReadonlySet<string>, room: Quota): Payer | undefined {
    for (const owner of owners) if (room.acquire(owner)) return { owner, room };
    return undefined;
  }

  /** How many URIs an owner pays for. */
  #held(owner: string): number {
    return this.#room.held(owner) + this.#roomOfLeft.held(owner);
  }

  /** Begins to fetch a URI, if there is room for it. */
  #admit(uri: string, owners: Set<string>): boolean {
    const payer = this.#payerOf(owners, this.#room);
    if (payer === undefined) return false;
    this.#surplus.delete(uri);
    const publication: Publication = {
      owners,
      payer,
      last: undefined,
      failures: 0,
      isLogged: false,
      answered: false,
      stopTimer: () => {},
    };
    this.#publications.set(uri, publication);
    void this.#fetch(uri, publication);
    return true;
  }

  #wait(uri: string, owners: Set<string>): void {
    this.#surplus.set(uri, owners);
    const failure = `has no room: ${mostUris} are fetched, of one namespace no more than are free then; it waits until another one is not needed`;
    this.#later(() => this.#surplus.has(uri) && this.#parts.deliver(uri, { kind: 'failed', failure }));
  }

  /** Room has become free: tries each that waits once, in turns, whatever else becomes free in this one. */
  #tryWaiting(): void {
    const isTrying = this.#untried > 0;
    this.#untried = this.#surplus.size;
    if (!isTrying && this.#untried > 0) this.#later(() => this.#tryNext());
  }

  /** Those that have no room are last from then on. */
  #tryNext(): void {
    const all = this.#surplus.entries();
    for (let tried = 0; tried < triedAtOnce && this.#untried > 0; tried += 1) {
      this.#untried -= 1;
      const next = all.next();
      if (next.done === true) break;
      const [uri, owners] = next.value;
      if (this.#admit(uri, owners)) continue;
      this.#surplus.delete(uri);
      this.#surplus.set(uri, owners);
    }
    if (this.#untried > 0) this.#later(() => this.#tryNext());
  }

  #forget(uri: string): void {
    this.#later(() => {
      if (!this.#publications.has(uri) && !this.#surplus.has(uri)) this.#parts.deliver(uri, undefined);
    });
  }

  /** A commit may be going on. */
  #later(run: () => unknown): void {
    this.#parts.clock.after(0, () => {
      if (!this.#stopped) run();
    });
  }

  async #fetch(uri: string, publication: Publication): Promise<void> {
    const { clock, random, counters } = this.#parts;
    const release = await this.#slot(uri, publication);
    // It may have waited long for its turn.
    const isNeeded = (): boolean => this.#publications.get(uri) === publication;
    const attempt = isNeeded() ? await this.#attempt(uri) : undefined;
    release();
    if (attempt === undefined || !isNeeded()) return;
    counters.count('gatehouse_jwks_fetches_total', { outcome: attempt.keys === undefined ? 'failed' : 'fetched' });
    this.#countFailures(publication, attempt.keys === undefined ? publication.failures + 1 : 0);
    const wait =
      attempt.keys === undefined ? backoffDelay(publication.failures, retries, random) : untilStale(attempt, random);
    publication.stopTimer = clock.after(wait, () => void this.#fetch(uri, publication));
    this.#publish(uri, publication, attempt);
    if (attempt.keys !== undefined || attempt.isFinal) this.#answered(uri, publication);
  }

  /** The turn is that of the owner with the fewest URIs: who names the address of another one delays nobody. */
  async #slot(uri: string, { owners, payer }: Publication): Promise<Stop> {
    const held = (owner: string): number => this.#held(owner);
    const owner = [...owners].reduce((least, other) => (held(other) < held(least) ? other : least), payer.owner);
    const slotsOfOwner = this.#slotsOfOwner.get(owner) ?? new FairSemaphore(concurrency);
    this.#slotsOfOwner.set(owner, slotsOfOwner);
    const releaseOwn = await slotsOfOwner.acquire(new URL(uri).host);
    const release = await this.#slots.acquire(owner);
    return () => {
      release();
      releaseOwn();
    };
  }

  async #attempt(uri: string): Promise<Attempt> {
    try {
      const { text, freshFor } = await this.#parts.fetchKeys(uri);
      const read = readPublicKeys(text);
      if (read.kind === 'keys') return { keys: { ...read, failure: undefined }, freshFor };
      return { keys: undefined, reason: `the answer cannot be used: ${read.reason}`, isFinal: true };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { keys: undefined, reason, isFinal: error instanceof FinalFetchError };
    }
  }

  #publish(uri: string, publication: Publication, attempt: Attempt): void {
    const { log, deliver } = this.#parts;
    const { last } = publication;
    if (attempt.keys !== undefined) {
      if (publication.isLogged) log.info('keys are fetched again', { uri });
      publication.isLogged = false;
      // Most answers are the keys of the last one: a commit of nothing would follow each.
      if (JSON.stringify(last) === JSON.stringify(attempt.keys)) return;
      publication.last = attempt.keys;
      deliver(uri, attempt.keys);
      return;
    }
    const failure = `cannot be fetched: ${attempt.reason}`;
    if (last?.failure === failure) return;
    const effect = last?.kind === 'keys' ? 'the last good keys stay in use' : 'nobody can authenticate with them';
    publication.isLogged = this.#warn(`keys cannot be fetched; ${effect}`, uri, attempt.reason) || publication.isLogged;
    publication.last = last?.kind === 'keys' ? { ...last, failure } : { kind: 'failed', failure };
    deliver(uri, publication.last);
  }

  #answered(uri: string, publication: Publication): void {
    publication.answered = true;
    if (this.#awaited?.delete(uri) === true && this.#awaited.size === 0) this.#settle();
  }

  #settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#stopWait();
    this.#parts.settled();
  }

  #warnOfAwaited(awaited: readonly string[]): void {
    if (awaited.length === 0) return;
    const uris = awaited.slice(0, mostNamed);
    const more = awaited.length - uris.length;
    this.#parts.log.warn('gateways are served without the keys of some issuers', { uris, ...(more > 0 && { more }) });
  }

  /** Returns whether the line was written. */
  #warn(message: string, uri: string, reason: string): boolean {
    if (this.#hostWarnings.tryTake(new URL(uri).host) === 0 && this.#warnings.tryTake() === 0) {
      this.#parts.log.warn(message, { uri, reason });
      return true;
    }
    this.#leftOut.failed('left out', {
      reason: 'too many lines',
      message: 'lines about keys that cannot be fetched are left out; gatehouse_jwks_failing counts their addresses',
    });
    return false;
  }

  #countFailures(publication: Publication, failures: number): void {
    this.#failing += Number(failures > 0) - Number(publication.failures > 0);
    publication.failures = failures;
    this.#parts.counters.gauge('gatehouse_jwks_failing', this.#failing);
  }
}

/** Milliseconds until the next request, with jitter: replicas that started together do not ask together. */
function untilStale({ freshFor }: Extract<Attempt, { keys: object }>, random: Random): number {
  const fresh = freshFor === undefined ? interval.usual : freshFor * 1_000;
  return Math.round(Math.min(Math.max(fresh * (0.9 + random() / 10), interval.least), interval.most));
}
