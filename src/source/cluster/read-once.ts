import { setTimeout } from 'node:timers/promises';
import { kinds } from '../../resources/resources.ts';
import type { Batch, InputDiagnostic } from '../model.ts';
import { objectPath } from './api/path.ts';
import { type ClusterSourceOptions, clusterSource } from './cluster-source.ts';

/** The objects of a cluster, at one time. */
export interface ClusterOnce {
  /** Undefined: the time was over before everything was read. */
  readonly batch: Batch | undefined;
  readonly diagnostics: readonly InputDiagnostic[];
  /** The API path of each object, `<Kind> <key>`. */
  placesOf(fields: readonly { readonly object: string }[]): Promise<readonly (string | undefined)[]>;
}

/** Lists every kind once, and stops. @param timeout milliseconds until it gives up */
export async function readClusterOnce(options: ClusterSourceOptions, timeout: number): Promise<ClusterOnce> {
  const source = clusterSource(options);
  const { promise, resolve } = Promise.withResolvers<Batch>();
  const given = new AbortController();
  const stop = await source.start((batch) => resolve(batch));
  try {
    // A timer that keeps the process alive: the waits between retries do not.
    const over = setTimeout(timeout, undefined, { signal: given.signal }).catch(() => undefined);
    const batch = await Promise.race([promise, over]);
    return {
      batch,
      diagnostics: source.diagnostics(),
      placesOf: (fields) => Promise.resolve(fields.map(({ object }) => pathOf(object))),
    };
  } finally {
    given.abort();
    await stop();
  }
}

function pathOf(object: string): string | undefined {
  const [name, key] = object.split(' ', 2);
  const kind = Object.values(kinds).find((known) => known.kind === name)?.kind;
  return kind === undefined || key === undefined ? undefined : objectPath(kind, key);
}
