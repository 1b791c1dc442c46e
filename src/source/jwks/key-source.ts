import { Subject } from 'rxjs';
import type { Clock, Counters, Logger, Random, Stop, StopAsync } from '../../edges.ts';
import { type DebounceOptions, debounce } from '../../rate/debounce.ts';
import type { FetchedKeys } from '../../resources/model.ts';
import { BatchDelivery, retryDelay } from '../batch-delivery.ts';
import type { Batch } from '../model.ts';
import { createKeyClient, type FetchKeys, type KeyClientOptions } from './key-client.ts';
import { KeyFetcher } from './key-fetcher.ts';

/** Dependencies of the source of keys. */
export interface KeySourceParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: Counters;
}

/** Keys that issuers publish: one more source beside files and the cluster. */
export interface KeySource {
  /**
   * Sets where the answers go.
   *
   * @param deliver receives batches, never within `need` or `begin`
   * @param ready called once, when the first answers are delivered or have taken too long
   */
  start(deliver: (batch: Batch) => void, ready: () => void): void;
  /** Starts or ends to fetch a URI for somebody, such as a namespace; several may need it. */
  need(uri: string, needed: boolean, owner?: string): void;
  /** Waits from now on for the first answers of the URIs that are needed now. */
  begin(): void;
  /** Returns whether nodes may be served as far as keys are concerned; stays true. */
  readonly settled: boolean;
  readonly stop: StopAsync;
}

/** Issuers that answer at the same time, as after a start, cause one commit. */
const burst: DebounceOptions = { idle: 25, ceiling: 500 };

/**
 * Fetches needed keys, and makes one batch of each burst of answers.
 *
 * @param client replaces the requests
 */
export function keySource(
  options: KeyClientOptions,
  parts: KeySourceParts,
  client: { readonly fetchKeys: FetchKeys; readonly stop: StopAsync } = createKeyClient(options, parts.clock),
): KeySource {
  const { clock, log } = parts;
  const answers = new Map<string, FetchedKeys | undefined>();
  /** The time of the first answer that no batch contains yet. */
  let since = 0;
  let settled = false;
  let stopSettling: Stop = () => {};
  let stopRetry: Stop = () => {};
  let deliver: (batch: Batch) => void = () => {};
  let ready: () => void = () => {};
  const answered = new Subject<void>();
  const delivery = new BatchDelivery({ deliver: (batch) => deliver(batch), log });
  const flush = (): void => {
    if (answers.size === 0) return;
    const batch = { since, changes: [], fetchedKeys: [...answers], synced: false };
    answers.clear();
    stopRetry();
    const failed = delivery.deliver(batch);
    if (failed === undefined) {
      delivery.succeeded();
      return;
    }
    for (const [uri, keys] of failed.flatMap(({ fetchedKeys = [] }) => fetchedKeys))
      if (!answers.has(uri)) answers.set(uri, keys);
    stopRetry = clock.after(retryDelay, flush);
  };
  const bursts = debounce(answered, burst, clock).subscribe(flush);
  const settle = (): void => {
    settled = true;
    ready();
  };
  const fetcher = new KeyFetcher({
    ...parts,
    fetchKeys: client.fetchKeys,
    deliver: (uri, keys) => {
      if (answers.size === 0) since = clock.now();
      answers.set(uri, keys);
      answered.next();
    },
    settled: () => {
      if (answers.size === 0) return settle();
      // What a node is served first contains the answers. The fetcher may be within a delivery.
      stopSettling = clock.after(0, () => {
        flush();
        settle();
      });
    },
  });
  return {
    start(to, whenReady) {
      deliver = to;
      ready = whenReady;
    },
    need: (uri, needed, owner) => fetcher.need(uri, needed, owner),
    begin: () => fetcher.begin(),
    get settled() {
      return settled;
    },
    async stop() {
      stopSettling();
      stopRetry();
      bursts.unsubscribe();
      fetcher.stop();
      await client.stop();
    },
  };
}
