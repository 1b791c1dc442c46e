import type { Answer } from './kube-failure.ts';
import { identifyObject, type KubeObject } from './kube-object.ts';
import { type Collection, collectionPath, withQuery } from './kube-path.ts';
import type { KubeReader } from './kube-reader.ts';
import { isJsonObject, objectIn, textIn } from './plain-json.ts';

/** Objects of a page: what the API server recommends, and few enough to be dropped one page after another. */
const PAGE = '2000';

/**
 * Lists a collection as it is right now, page by page, and hands over each object as its page arrives. The answer is the
 * version that all pages together show; undefined when `stop` was given.
 *
 * No `resourceVersion` is asked for: any other list may be older than what was seen before.
 */
export async function listPages(
  reader: KubeReader,
  collection: Collection,
  stop: AbortSignal,
  take: (object: KubeObject) => void,
): Promise<Answer<string> | undefined> {
  const path = collectionPath(collection);
  let page = withQuery(path, { limit: PAGE });
  for (;;) {
    const answer = await reader.get(page, stop);
    if (answer === undefined || !answer.ok) return answer;
    const metadata = objectIn(answer.value, 'metadata');
    const resourceVersion = textIn(metadata, 'resourceVersion');
    if (!takeItems(collection, answer.value, take) || resourceVersion === undefined) return noList;
    const next = textIn(metadata, 'continue');
    if (next === undefined) return { ok: true, value: resourceVersion };
    const following = withQuery(path, { limit: PAGE, continue: next });
    if (following === page) return noList;
    page = following;
  }
}

/** Whether it is a list, all of whose items say which object they are. */
function takeItems({ kind }: Collection, list: unknown, take: (object: KubeObject) => void): boolean {
  if (!isJsonObject(list) || textIn(list, 'kind')?.endsWith('List') !== true) return false;
  // Go writes an empty list as null where its author forgot to make one.
  const items = list['items'] ?? [];
  if (!Array.isArray(items)) return false;
  return items.every((item) => {
    const object = identifyObject(kind, item);
    if (object !== undefined) take(object);
    return object !== undefined;
  });
}

const noList: Answer<never> = {
  ok: false,
  failure: {
    reason: 'unintelligible',
    message: 'the answer is no list, or goes on for ever, or an item of it has no name, uid and resourceVersion',
  },
};
