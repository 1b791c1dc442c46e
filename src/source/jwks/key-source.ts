import type { Clock, Counters, Logger, Random, StopAsync } from '../edges.ts';
import type { Collection, Commit } from '../graph/model.ts';
import type { Batch } from '../source/model.ts';
import { createKeyClient, type KeyClientOptions, KeyFetcher } from '../source/source.ts';

export interface PublishedKeysParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: Counters;
}

/** Fetches the keys that commits need, and makes a batch of each answer: one more source beside files and the cluster. */
export class PublishedKeys {
  readonly #uris: Collection<string>;
  readonly #fetcher: KeyFetcher;
  readonly stop: StopAsync;
  #deliver: (batch: Batch) => void = () => {};
  #ready: () => void = () => {};

  /** @param uris the needed URIs; see {@link Translation.jwksUris} */
  constructor(options: KeyClientOptions, uris: Collection<string>, parts: PublishedKeysParts) {
    const client = createKeyClient(options, parts.clock);
    this.#uris = uris;
    this.#fetcher = new KeyFetcher({
      ...parts,
      fetchKeys: client.fetchKeys,
      deliver: (uri, keys) => this.#deliver({ changes: [], fetchedKeys: [[uri, keys]], synced: false }),
      settled: () => this.#ready(),
    });
    this.stop = async () => {
      this.#fetcher.stop();
      await client.stop();
    };
  }

  /**
   * Sets where the answers go.
   *
   * @param ready called once, when the first answers are there or have taken too long
   */
  start(deliver: (batch: Batch) => void, ready: () => void): void {
    this.#deliver = deliver;
    this.#ready = ready;
  }

  /** Follows what a commit needs: call it after each. Waits for the first answers once everything else was read. */
  applied(commit: Commit, { synced }: Batch): void {
    for (const { key, after } of commit.changes(this.#uris)) this.#fetcher.need(key, after !== undefined);
    if (synced) this.#fetcher.begin();
  }

  /** Returns whether nodes may be served as far as keys are concerned; stays true. */
  get settled(): boolean {
    return this.#fetcher.settled;
  }
}
