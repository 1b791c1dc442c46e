import type { Logger } from '../../../edges.ts';
import type { KubeFailure } from '../../../kube/api-error.ts';

/**
 * How to ask for lists. `paged`: 2000 objects at a time, compressed on their way. `streamed`: as the beginning of a watch,
 * which spares the API server the memory of a list (KEP-3157, on by default from Kubernetes 1.34).
 */
export type ListingWay = 'paged' | 'streamed';

/** The way that works with one server, which every reflector shares. */
export class ListingWays {
  readonly #log: Logger;
  #way: ListingWay;

  constructor(way: ListingWay, log: Logger) {
    this.#way = way;
    this.#log = log;
  }

  get way(): ListingWay {
    return this.#way;
  }

  /** The server did not stream a list, for this reason, and gave pages. */
  onlyPages({ reason, message }: KubeFailure): void {
    // Rights are another thing: they may differ from kind to kind, and be granted.
    if (reason === 'forbidden' || reason === 'not-found' || this.#way === 'paged') return;
    this.#way = 'paged';
    this.#log.info('the API server gives no streaming lists: pages are read instead', { because: message });
  }
}

/** Whether pages may be had where a streaming list was not. */
export function worthPages({ reason }: KubeFailure): boolean {
  return reason === 'refused' || reason === 'unintelligible' || reason === 'forbidden' || reason === 'not-found';
}
