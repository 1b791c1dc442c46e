import { type JsonObject, objectIn } from '../../json/json.ts';
import { kinds } from '../../resources/resources.ts';
import type { ObservedObject, StatusKind } from '../../source/model.ts';
import type { Refusal } from '../api/api-answer.ts';
import { apiPath } from '../api/api-path.ts';
import type { TimedRequest } from '../api/object-request.ts';

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
export function statusClient(request: TimedRequest): WriteStatus {
  return ({ kind, key, resourceVersion, fields }, signal) => {
    const { apiVersion, plural, namespaced } = kinds[kind];
    const [namespace = '', name = ''] = namespaced ? key.split('/') : ['', key];
    const place = namespaced ? ['namespaces', namespace, plural] : [plural];
    const path = `${apiPath(apiVersion, ...place, name, 'status')}?fieldManager=${fieldManager}`;
    return request({ method: 'PATCH', path, body: { metadata: { resourceVersion }, status: fields } }, signal, written);
  };
}

/** @throws Error when it is no stored object */
function written(answer: JsonObject): WriteAnswer {
  const { uid, resourceVersion, generation } = objectIn(answer, 'metadata');
  if (typeof uid !== 'string' || typeof resourceVersion !== 'string') throw new Error('the answer is no stored object');
  const known = typeof generation === 'number' ? generation : undefined;
  return { kind: 'written', object: { uid, resourceVersion, generation: known, status: answer['status'] } };
}
