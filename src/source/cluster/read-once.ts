import { setTimeout } from 'node:timers/promises';
import type { Batch, InputDiagnostic } from '../model.ts';
import { type ClusterSourceOptions, clusterSource } from './cluster-source.ts';

/** The objects of a cluster, at one time. */
export interface ClusterOnce {
  /** Undefined: it may not be read, or the time was over before everything was. */
  readonly batch: Batch | undefined;
  readonly diagnostics: readonly InputDiagnostic[];
  /** The API path of each object, `<Kind> <key>`. */
  placesOf(fields: readonly { readonly object: string }[]): Promise<readonly (string | undefined)[]>;
}

/** Milliseconds in which the other kinds are refused, too: one message names what is to be granted for several. */
const refusals = 500;

/** Lists every kind once, and stops. @param timeout milliseconds until it gives up; at once when it may not read one */
export async function readClusterOnce(
  options: Omit<ClusterSourceOptions, 'forbidden'>,
  timeout: number,
): Promise<ClusterOnce> {
  const refused = Promise.withResolvers<void>();
  const source = clusterSource({ ...options, forbidden: refused.resolve });
  const { promise, resolve } = Promise.withResolvers<Batch>();
  const given = new AbortController();
  let read: Batch = { changes: [], synced: false };
  const stop = await source.start((part) => {
    read = joined(read, part);
    if (read.synced) resolve(read);
  });
  try {
    // A timer that keeps the process alive: the waits between retries do not.
    const over = setTimeout(timeout, undefined, { signal: given.signal }).catch(() => undefined);
    const forbidden = refused.promise.then(() => setTimeout(refusals, undefined));
    const batch = await Promise.race([promise, over, forbidden]);
    return {
      batch,
      diagnostics: source.diagnostics(),
      placesOf: async (fields) => source.placesOf(fields),
    };
  } finally {
    given.abort();
    await stop();
  }
}

/** Joins the parts of the initial state. */
function joined(before: Batch, part: Batch): Batch {
  return {
    ...before,
    ...part,
    changes: [...before.changes, ...part.changes],
    observations: [...(before.observations ?? []), ...(part.observations ?? [])],
  };
}
