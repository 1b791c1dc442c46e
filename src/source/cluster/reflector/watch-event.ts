import { objectIn, parseJson, textIn } from '../../../json/json.ts';
import type { KindName } from '../../../resources/model.ts';
import { failureInStream, type KubeFailure } from '../../../kube/api-error.ts';
import { identifyObject, type KubeObject } from '../api/object.ts';

/** One line of a watch. */
export type WatchEvent =
  | { readonly type: 'present'; readonly object: KubeObject }
  | { readonly type: 'deleted'; readonly object: KubeObject }
  /** Everything up to this version was told; `listed`: and with it the objects that there were at the start. */
  | { readonly type: 'bookmark'; readonly resourceVersion: string; readonly listed: boolean }
  /** The watch is over. */
  | { readonly type: 'failed'; readonly failure: KubeFailure };

/** Reads one line; whatever is no event is a failure: to go on would be to lose an object. */
export function readWatchEvent(kind: KindName, line: string): WatchEvent {
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
      return { type: type === 'DELETED' ? 'deleted' : 'present', object };
    }
    case 'BOOKMARK': {
      const metadata = objectIn(objectIn(event, 'object'), 'metadata');
      const resourceVersion = textIn(metadata, 'resourceVersion');
      if (resourceVersion === undefined) return unintelligible('a bookmark has no resourceVersion', line);
      const listed = objectIn(metadata, 'annotations')['k8s.io/initial-events-end'] === 'true';
      return { type: 'bookmark', resourceVersion, listed };
    }
    case 'ERROR':
      return { type: 'failed', failure: failureInStream(objectIn(event, 'object')) };
    default:
      return unintelligible('an event is of no known type', line);
  }
}

/** Without the line itself: it may hold what does not belong into a log. */
function unintelligible(what: string, line: string): WatchEvent {
  return { type: 'failed', failure: { reason: 'unintelligible', message: `${what} (of ${line.length} characters)` } };
}
