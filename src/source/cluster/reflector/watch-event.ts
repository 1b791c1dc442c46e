import { parseBoundedJson } from '../../../json/bounded-json.ts';
import { findStrings } from '../../../json/find-strings.ts';
import { objectIn, textIn } from '../../../json/json.ts';
import { watchError } from '../../../kube/api-error.ts';
import type { ApiError } from '../../../kube/model.ts';
import { objectBounds } from '../../../kube/object-limits.ts';
import type { KindName } from '../../../resources/model.ts';
import { type ApiObject, excessiveObject, identifyObject, isExactVersion } from '../api/object.ts';

/** An event of a watch. */
export type WatchEvent =
  /** ADDED or MODIFIED. */
  | { readonly type: 'set'; readonly object: ApiObject }
  | { readonly type: 'deleted'; readonly object: ApiObject }
  /** Every event up to this version was sent. */
  | { readonly type: 'bookmark'; readonly resourceVersion: string };

/** The end of a watch by an error within its stream. */
export interface WatchFailure {
  readonly type: 'failed';
  readonly error: ApiError;
}

/** Decodes one line of a watch. A line that is no event is a failure: to skip it might be to lose an object. */
export function readWatchEvent(kind: KindName, line: string): WatchEvent | WatchFailure {
  const parsed = parseBoundedJson(line, eventBounds);
  if (parsed.kind === 'not-json') return unintelligible('a line is no JSON', line);
  if (parsed.kind !== 'json') return readExcessiveEvent(kind, line);
  const event = parsed.value;
  const type = textIn(event, 'type');
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED': {
      const object = identifyObject(kind, objectIn(event, 'object'), Buffer.byteLength(line));
      if (object === undefined)
        return unintelligible('an event has no object with name, uid and resourceVersion', line);
      return { type: type === 'DELETED' ? 'deleted' : 'set', object };
    }
    case 'BOOKMARK': {
      const resourceVersion = textIn(objectIn(objectIn(event, 'object'), 'metadata'), 'resourceVersion');
      if (resourceVersion === undefined || !isExactVersion(resourceVersion)) {
        return unintelligible('a bookmark has no resourceVersion', line);
      }
      return { type: 'bookmark', resourceVersion };
    }
    case 'ERROR':
      return { type: 'failed', error: watchError(objectIn(event, 'object')) };
    default:
      return unintelligible('an event is of no known type', line);
  }
}

/** Those of an object, and of the event around it: two keys, a string and the event itself. */
const eventBounds = { maxValues: objectBounds.maxValues + 4, maxDepth: objectBounds.maxDepth + 1 };

/** Reads what an event beyond the bounds is about. */
function readExcessiveEvent(kind: KindName, line: string): WatchEvent | WatchFailure {
  const type = findStrings(line, new Set(['type'])).get('type');
  const { maxValues, maxDepth } = objectBounds;
  const what = `has more than ${maxValues} values, or is nested more than ${maxDepth} deep`;
  const object = excessiveObject(kind, line, what, 'object.');
  if (object === undefined) return unintelligible('an event beyond the bounds has no identity', line);
  if (type === 'DELETED') return { type: 'deleted', object };
  if (type === 'ADDED' || type === 'MODIFIED') return { type: 'set', object };
  return unintelligible('an event beyond the bounds is of no known type', line);
}

/** Names the length of the line only: its content may be secret. */
function unintelligible(what: string, line: string): WatchFailure {
  return { type: 'failed', error: { reason: 'unintelligible', message: `${what} (of ${line.length} characters)` } };
}
