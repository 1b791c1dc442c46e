import type { Observation, ObservedObject } from '../../../src/source/model.ts';
import type { RequestError } from '../../../src/status/api/request-error.ts';
import type { StatusPatch, WriteStatus } from '../../../src/status/writer/status-client.ts';
import type { StatusObject } from '../../../src/status/writer/status-index.ts';

/** Objects with a status in a fake API server, with one watcher. */
export interface ObjectsInMemory {
  readonly write: WriteStatus;
  /** All requested writes, applied or not. */
  readonly asked: readonly StatusPatch[];
  /** The number of applied writes. */
  written(): number;
  /** The stored status. */
  status(object: StatusObject): unknown;
  /** Creates an object, or writes its status as another client. */
  put(object: StatusObject, status?: unknown): void;
  remove(object: StatusObject): void;
  /** The failure of the next writes; undefined: they are applied. */
  answer: ((write: StatusPatch) => RequestError | undefined) | undefined;
  /** Receives each change at once, as a watch does; while `held` is true, changes are queued. */
  watch(deliver: (observation: Observation) => void): void;
  hold(): void;
  release(): void;
}

export function createObjectsInMemory(): ObjectsInMemory {
  const stored = new Map<string, ObservedObject>();
  const asked: StatusPatch[] = [];
  let version = 0;
  let written = 0;
  let held: Observation[] | undefined;
  let deliver: (observation: Observation) => void = () => {};

  const tell = ({ kind, key }: StatusObject): void => {
    const observation = { kind, key, object: stored.get(idOf({ kind, key })) };
    if (held === undefined) deliver(observation);
    else held.push(observation);
  };
  const store = (object: StatusObject, status: unknown): ObservedObject => {
    version += 1;
    const after = { uid: `uid of ${object.key}`, resourceVersion: String(version), generation: 3, status };
    stored.set(idOf(object), after);
    return after;
  };

  const objects: ObjectsInMemory = {
    asked,
    answer: undefined,
    write: (write) => {
      asked.push(write);
      const refusal = objects.answer?.(write);
      if (refusal !== undefined) return Promise.resolve(refusal);
      const before = stored.get(idOf(write));
      if (before === undefined) return Promise.resolve({ kind: 'gone', message: '404 not found' });
      if (before.resourceVersion !== write.resourceVersion) {
        return Promise.resolve({ kind: 'conflict', message: '409 the object has been modified' });
      }
      written += 1;
      // A merge patch (RFC 7396): null removes a field.
      const merged = Object.entries({ ...Object(before.status), ...write.fields });
      const after = store(write, Object.fromEntries(merged.filter(([, value]) => value !== null)));
      tell(write);
      return Promise.resolve({ kind: 'written', object: after });
    },
    written: () => written,
    status: (object) => stored.get(idOf(object))?.status,
    put: (object, status = {}) => {
      store(object, status);
      tell(object);
    },
    remove: (object) => {
      stored.delete(idOf(object));
      tell(object);
    },
    watch: (told) => {
      deliver = told;
    },
    hold: () => {
      held = [];
    },
    release: () => {
      const waiting = held ?? [];
      held = undefined;
      for (const observation of waiting) deliver(observation);
    },
  };
  return objects;
}

function idOf({ kind, key }: StatusObject): string {
  return `${kind} ${key}`;
}
