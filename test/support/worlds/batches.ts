import type { Resource, UnlistedNamespaces } from '../../../src/resources/model.ts';
import type { Batch } from '../../../src/source/model.ts';

/** Records the batches of a source, and the objects that result from them. */
export interface Batches {
  /** The consumer to pass to the source. */
  readonly deliver: (batch: Batch) => void;
  readonly all: readonly Batch[];
  /** By kind and key, as `Service default/a`. */
  readonly resources: ReadonlyMap<string, Resource>;
  readonly unlisted: UnlistedNamespaces;
  readonly synced: boolean;
  /** Settles with the next batch that no earlier call returned. */
  next(): Promise<Batch>;
  /** Settles once the condition holds for the delivered objects. */
  until(condition: (batches: Batches) => boolean): Promise<void>;
}

export function createBatches(): Batches {
  const all: Batch[] = [];
  const resources = new Map<string, Resource>();
  let unlisted: UnlistedNamespaces = 'unknown';
  let synced = false;
  let answered = 0;
  let waiting: readonly { readonly condition: () => boolean; readonly resolve: () => void }[] = [];

  const until = (condition: () => boolean): Promise<void> => {
    if (condition()) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting = [...waiting, { condition, resolve }];
    return promise;
  };

  const batches: Batches = {
    all,
    resources,
    get unlisted() {
      return unlisted;
    },
    get synced() {
      return synced;
    },
    deliver(batch) {
      all.push(batch);
      for (const { kind, key, resource } of batch.changes) {
        if (resource === undefined) resources.delete(`${kind} ${key}`);
        else resources.set(`${kind} ${key}`, resource);
      }
      unlisted = batch.unlistedNamespaces ?? unlisted;
      synced = batch.synced;
      const settled = waiting.filter(({ condition }) => condition());
      waiting = waiting.filter((one) => !settled.includes(one));
      for (const { resolve } of settled) resolve();
    },
    async next() {
      const position = answered;
      answered += 1;
      await until(() => all.length > position);
      const batch = all[position];
      if (batch === undefined) throw new Error('no batch was delivered');
      return batch;
    },
    until: (condition) => until(() => condition(batches)),
  };
  return batches;
}
