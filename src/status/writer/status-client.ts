import { type JsonObject, objectIn } from '../../json/json.ts';
import { kinds } from '../../resources/resources.ts';
import type { ObservedObject, StatusKind } from '../../source/model.ts';
import { apiPath, type SendObjectRequest } from '../api/object-request.ts';
import type { RequestError } from '../api/request-error.ts';

/** A change of the status of one object. */
export interface StatusPatch {
  readonly kind: StatusKind;
  /** `<namespace>/<name>`, or the name of a cluster-scoped object. */
  readonly key: string;
  /** Precondition: the resource version into which the fields were merged. */
  readonly resourceVersion: string;
  /** Top-level fields of the status to replace. */
  readonly fields: JsonObject;
}

/** The object as it is stored after the write, or why nothing was written. */
export type WriteResult = { readonly kind: 'written'; readonly object: ObservedObject } | RequestError;

/** The manager in `managedFields`. */
const fieldManager = 'gatehouse';

/** Writes a status. Never rejects. */
export type WriteStatus = (patch: StatusPatch, signal: AbortSignal) => Promise<WriteResult>;

/**
 * Writes statuses by JSON merge patches of the status subresource. A merge patch keeps the fields that it does not
 * name, also those that only another version of the CRD knows; its resource version turns a concurrent write into a
 * conflict.
 */
export function statusClient(send: SendObjectRequest): WriteStatus {
  return ({ kind, key, resourceVersion, fields }, signal) => {
    const { apiVersion, plural, namespaced } = kinds[kind];
    const [namespace = '', name = ''] = namespaced ? key.split('/') : ['', key];
    const collection = namespaced ? ['namespaces', namespace, plural] : [plural];
    const path = `${apiPath(apiVersion, ...collection, name, 'status')}?fieldManager=${fieldManager}`;
    const body = { metadata: { resourceVersion }, status: fields };
    return send({ method: 'PATCH', path, body }, signal, decodeWritten);
  };
}

/** @throws Error when the object has no UID or no resource version */
function decodeWritten(object: JsonObject): WriteResult {
  const { uid, resourceVersion, generation } = objectIn(object, 'metadata');
  if (typeof uid !== 'string' || typeof resourceVersion !== 'string') throw new Error('the answer is no stored object');
  const known = typeof generation === 'number' ? generation : undefined;
  return { kind: 'written', object: { uid, resourceVersion, generation: known, status: object['status'] } };
}
