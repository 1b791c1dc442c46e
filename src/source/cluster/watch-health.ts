import type { Counters, Logger } from '../../edges.ts';
import { apiErrorText } from '../../kube/api-error.ts';
import type { ApiError } from '../../kube/model.ts';
import { kinds } from '../../resources/resources.ts';
import { type Collection, collectionTitle } from './api/path.ts';
import type { CollectionDiagnostic, PendingChanges } from './pending-changes.ts';

/** The collection whose health is followed, and where it is reported. */
export interface WatchHealthParts {
  readonly collection: Collection;
  /** The server's origin, for messages. */
  readonly server: string;
  readonly pending: PendingChanges;
  readonly log: Logger;
  readonly counters: Counters;
  /** Called whenever the server forbids to read a kind without which there is no first batch. */
  readonly forbidden?: (() => void) | undefined;
}

/** The state of a collection's lists and watches. An outage is one state, even if its attempts fail differently. */
type Health = 'healthy' | 'lost' | 'unauthorized' | 'forbidden' | 'absent';

/** Failed attempts in a row after which changes may be missed, and it is reported: a single broken watch is normal. */
const maxFailures = 2;

const renewRemedy = 'Renew the token, or log in anew: credentials are read again by themselves. ';

/**
 * Reports the health of one collection: a diagnostic when it becomes unhealthy, which is gone once it is healthy again.
 */
export class WatchHealth {
  readonly #parts: WatchHealthParts;
  #health: Health = 'healthy';
  #failures = 0;
  #listed = false;

  constructor(parts: WatchHealthParts) {
    this.#parts = parts;
  }

  /** A list is complete. */
  listed(objects: number): void {
    const { collection, log, counters } = this.#parts;
    counters.count('gatehouse_source_lists_total', { kind: collection.kind });
    if (!this.#listed) log.info('synced: listed for the first time', { ...fields(collection), objects });
    this.#listed = true;
  }

  /** A watch works. */
  healthy(): void {
    this.#failures = 0;
    this.#become('healthy', undefined);
  }

  /** Discovery does not list the resource. */
  absent(): void {
    const { collection } = this.#parts;
    const { apiVersion, plural } = kinds[collection.kind];
    const message = `${plural} of ${apiVersion} do not exist in this cluster, so that there are none: install their CustomResourceDefinition, and they are picked up within seconds.`;
    this.#listed = true;
    this.#become('absent', { severity: 'warning', message });
  }

  /** A list or a watch failed. */
  failed(error: ApiError): void {
    const { collection, counters } = this.#parts;
    counters.count('gatehouse_source_watch_failures_total', { kind: collection.kind, reason: error.reason });
    // An expired resource version is normal: a server keeps minutes of history.
    if (error.reason === 'expired') return;
    this.#failures += 1;
    if (error.reason === 'forbidden') {
      this.#become('forbidden', this.#forbidden(error));
      // Without the labels of Namespaces there is a first batch.
      if (!this.#listed && collection.kind !== 'Namespace') this.#parts.forbidden?.();
    } else if (!this.#listed || this.#failures >= maxFailures) this.#lost(error);
  }

  /**
   * `unauthorized` outlasts other errors: the server also breaks the other requests of a connection with a bad token.
   */
  #lost(error: ApiError): void {
    if (error.reason === 'unauthorized') this.#become('unauthorized', this.#lostMessage(error, renewRemedy));
    else if (this.#health !== 'unauthorized') this.#become('lost', this.#lostMessage(error));
  }

  #become(health: Health, diagnostic: CollectionDiagnostic | undefined): void {
    if (health === this.#health) return;
    this.#health = health;
    this.#parts.pending.collectionDiagnosed(this.#parts.collection, diagnostic);
  }

  #forbidden(error: ApiError): CollectionDiagnostic {
    const { collection } = this.#parts;
    const { apiVersion, plural } = kinds[collection.kind];
    const [group, version] = apiVersion.split('/');
    const resource = version === undefined ? plural : `${plural}.${group}`;
    const everywhere = kinds[collection.kind].namespaced ? ' in all namespaces' : '';
    const where = collection.namespace === undefined ? everywhere : ` in namespace ${collection.namespace}`;
    const consequence =
      collection.kind === 'Namespace' ? 'Until then no selector of a listener matches.' : this.#consequence();
    return {
      severity: 'error',
      message: `forbidden: grant list and watch on ${resource}${where}. ${consequence} (${apiErrorText(error)})`,
    };
  }

  #lostMessage(error: ApiError, remedy = ''): CollectionDiagnostic {
    const { collection, server } = this.#parts;
    const severity = this.#listed ? 'warning' : 'error';
    const title = collectionTitle(collection);
    const message = `lost: ${server} does not tell of objects of kind ${title} (${error.reason}: ${apiErrorText(error)}). ${remedy}${this.#consequence()}`;
    // All kinds are lost together with their server, and come back with it.
    const appeared = `lost: ${server} does not tell of changes (${title}: ${error.reason}: ${apiErrorText(error)}). ${remedy}${this.#consequence()}`;
    return { severity, message, cause: { appeared, gone: `${server} tells of changes of every kind again` } };
  }

  #consequence(): string {
    return this.#listed
      ? 'What is known stays, and changes are picked up once they are told.'
      : 'Nothing is served until they can be listed; it is tried again until then.';
  }
}

function fields({ kind, namespace }: Collection): { readonly kind: string; readonly namespace?: string } {
  return namespace === undefined ? { kind } : { kind, namespace };
}
