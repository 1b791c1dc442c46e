import { isDeepStrictEqual } from 'node:util';
import type { Dispatcher } from 'undici';
import type { TlsMaterial } from '../credentials.ts';

interface Current {
  readonly tls: TlsMaterial;
  readonly dispatcher: Dispatcher;
}

/**
 * The connections to the API server: one undici dispatcher for all requests, replaced when the TLS material changes.
 */
export class ConnectionPool {
  readonly #create: (tls: TlsMaterial) => Dispatcher;
  #current: Current | undefined;
  /** Dispatchers that get no new requests, but still have some under way. */
  readonly #retired = new Set<Dispatcher>();

  constructor(create: (tls: TlsMaterial) => Dispatcher) {
    this.#create = create;
  }

  /** The dispatcher for the next request. After a change of certificates, requests under way finish on the old one. */
  dispatcher(tls: TlsMaterial): Dispatcher {
    if (this.#current !== undefined && isDeepStrictEqual(this.#current.tls, tls)) return this.#current.dispatcher;
    if (this.#current !== undefined) this.#retire(this.#current.dispatcher);
    const dispatcher = this.#create(tls);
    this.#current = { tls, dispatcher };
    return dispatcher;
  }

  /** Closes every connection, with the requests on it. The next request opens new ones. */
  async reset(reason: Error): Promise<void> {
    const all = [...this.#retired, ...(this.#current === undefined ? [] : [this.#current.dispatcher])];
    this.#current = undefined;
    this.#retired.clear();
    await Promise.allSettled(all.map((dispatcher) => dispatcher.destroy(reason)));
  }

  #retire(dispatcher: Dispatcher): void {
    this.#retired.add(dispatcher);
    const gone = (): void => void this.#retired.delete(dispatcher);
    dispatcher.close().then(gone, gone);
  }
}
