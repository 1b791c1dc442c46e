import { objectIn, parseJson, textIn } from '../../../json/json.ts';
import { watchError } from '../../../kube/api-error.ts';
import type { ApiError } from '../../../kube/model.ts';
import type { KindName } from '../../../resources/model.ts';
import { type ApiObject, identifyObject } from '../api/object.ts';

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
  const parsed = parseJson(line);
  if (parsed === undefined) return unintelligible('a line is no JSON', line);
  const event = parsed.value;
  const type = textIn(event, 'type');
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED': {
      const object = identifyObject(kind, objectIn(event, 'object'));
      if (object === undefined)
        return unintelligible('an event has no object with name, uid and resourceVersion', line);
      return { type: type === 'DELETED' ? 'deleted' : 'set', object };
    }
    case 'BOOKMARK': {
      const resourceVersion = textIn(objectIn(objectIn(event, 'object'), 'metadata'), 'resourceVersion');
      if (resourceVersion === undefined) return unintelligible('a bookmark has no resourceVersion', line);
      return { type: 'bookmark', resourceVersion };
    }
    case 'ERROR':
      return { type: 'failed', error: watchError(objectIn(event, 'object')) };
    default:
      return unintelligible('an event is of no known type', line);
  }
}

/** Names the length of the line only: its content may be secret. */
function unintelligible(what: string, line: string): WatchFailure {
  return { type: 'failed', error: { reason: 'unintelligible', message: `${what} (of ${line.length} characters)` } };
}
