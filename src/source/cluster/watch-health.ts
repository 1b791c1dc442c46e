import type { Counters, Logger } from '../../edges.ts';
import { kinds } from '../../resources/resources.ts';
import type { ClusterWorld, Trouble } from './pending-changes.ts';
import type { KubeFailure } from '../../kube/api-error.ts';
import { type Collection, collectionTitle } from './api/path.ts';

export interface CollectionReportParts {
  readonly collection: Collection;
  /** Where requests go, as messages name it. */
  readonly server: string;
  readonly world: ClusterWorld;
  readonly log: Logger;
  readonly counters: Counters;
}

/** What is wrong with the collection; one outage is one of them, whatever each attempt says. */
type Standing = 'well' | 'lost' | 'unauthorized' | 'forbidden' | 'absent';

/** So many attempts in a row fail before it is told that changes may be missed: a watch that breaks is nothing special. */
const FAILURES_IN_A_ROW = 2;

const RENEW = 'Renew the token, or log in anew: credentials are read again by themselves. ';

/** Tells people how a collection fares: once when something is wrong, and once when it is not any more. */
export class CollectionReport {
  readonly #parts: CollectionReportParts;
  #standing: Standing = 'well';
  #failures = 0;
  #listed = false;

  constructor(parts: CollectionReportParts) {
    this.#parts = parts;
  }

  /** A list was delivered to its end. */
  listed(objects: number): void {
    const { collection, log, counters } = this.#parts;
    counters.count('gatehouse_source_lists_total', { kind: collection.kind });
    if (!this.#listed) log.info('synced: listed for the first time', { ...fields(collection), objects });
    this.#listed = true;
  }

  /** A watch goes on as it should. */
  well(): void {
    this.#failures = 0;
    this.#become('well', undefined);
  }

  /** Discovery says that there is no such resource. */
  absent(): void {
    const { collection } = this.#parts;
    const { apiVersion, plural } = kinds[collection.kind];
    const message = `${plural} of ${apiVersion} do not exist in this cluster, so that there are none: install their CustomResourceDefinition, and they are picked up within seconds.`;
    this.#listed = true;
    this.#become('absent', { severity: 'warning', message });
  }

  /** A list or a watch ended otherwise than it should. */
  failed(failure: KubeFailure): void {
    const { collection, counters } = this.#parts;
    counters.count('gatehouse_source_watch_failures_total', { kind: collection.kind, reason: failure.reason });
    // It is no trouble to begin anew: the history of a server is short.
    if (failure.reason === 'expired') return;
    this.#failures += 1;
    if (failure.reason === 'forbidden') this.#become('forbidden', this.#forbidden(failure.message));
    else if (!this.#listed || this.#failures >= FAILURES_IN_A_ROW) this.#lose(failure);
  }

  /** Who is not known is told so, and stays told: the server breaks the other requests of the connection meanwhile. */
  #lose(failure: KubeFailure): void {
    if (failure.reason === 'unauthorized') this.#become('unauthorized', this.#lost(failure, RENEW));
    else if (this.#standing !== 'unauthorized') this.#become('lost', this.#lost(failure));
  }

  #become(standing: Standing, trouble: Trouble | undefined): void {
    if (standing === this.#standing) return;
    this.#standing = standing;
    this.#parts.world.trouble(this.#parts.collection, trouble);
  }

  #forbidden(words: string): Trouble {
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
      message: `forbidden: grant list and watch on ${resource}${where}. ${consequence} (${words})`,
    };
  }

  #lost({ reason, message }: KubeFailure, remedy = ''): Trouble {
    const { collection, server } = this.#parts;
    const severity = this.#listed ? 'warning' : 'error';
    const title = collectionTitle(collection);
    const text = `lost: ${server} does not tell of objects of kind ${title} (${reason}: ${message}). ${remedy}${this.#consequence()}`;
    return { severity, message: text };
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
