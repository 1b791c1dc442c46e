import type { Configuration } from '@kubernetes/client-node';
import { kinds } from '../resources/resources.ts';
import type { ObservedObject, StatusKind } from '../source/model.ts';
import { objectOf, type Refusal, readRefusal } from './api-answer.ts';
import { type JsonObject, objectIn } from './stored-json.ts';
import type { TimedRequest } from './timed-request.ts';

/** The fields of one object's status that are to be others. */
export interface StatusWrite {
  readonly kind: StatusKind;
  readonly key: string;
  /** Of the object that the fields were merged into: nothing is written when it is another one by now. */
  readonly resourceVersion: string;
  readonly fields: JsonObject;
}

export type WriteAnswer = { readonly kind: 'written'; readonly object: ObservedObject } | Refusal;

/** What `managedFields` call the writer. */
const fieldManager = 'gatehouse';

/** Writes one status. Never rejects. */
export type WriteStatus = (write: StatusWrite, signal: AbortSignal) => Promise<WriteAnswer>;

/**
 * By a JSON merge patch: it leaves fields of the status that are not ours alone, whatever the CRD's version knows of
 * them, and its resource version makes a write of somebody else in between a conflict.
 */
export function statusClient(configuration: Configuration, request: TimedRequest): WriteStatus {
  return async ({ kind, key, resourceVersion, fields }, signal) => {
    try {
      const { CustomObjectsApi, PatchStrategy } = await import('@kubernetes/client-node');
      const api = new CustomObjectsApi(configuration);
      const { apiVersion, plural, namespaced } = kinds[kind];
      const [group = '', version = ''] = apiVersion.split('/');
      const [namespace = '', name = ''] = namespaced ? key.split('/') : ['', key];
      const body = { metadata: { resourceVersion }, status: fields };
      const what = { group, version, plural, name, body, fieldManager };
      const answer: unknown = await request(
        (options) =>
          namespaced
            ? api.patchNamespacedCustomObjectStatus({ ...what, namespace }, options)
            : api.patchClusterCustomObjectStatus(what, options),
        signal,
        PatchStrategy.MergePatch,
      );
      return { kind: 'written', object: readObject(answer) };
    } catch (error) {
      return readRefusal(error);
    }
  };
}

function readObject(answer: unknown): ObservedObject {
  const { metadata, status } = objectOf(answer);
  const { uid, resourceVersion, generation } = objectIn(metadata);
  if (typeof uid !== 'string' || typeof resourceVersion !== 'string') throw new Error('the answer is no stored object');
  return { uid, resourceVersion, generation: typeof generation === 'number' ? generation : undefined, status };
}
