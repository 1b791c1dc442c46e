import { type JsonObject, objectIn, textIn } from '../../../json/json.ts';
import type { Answer } from '../../../kube/api-error.ts';
import { identifyObject, type KubeObject } from '../api/object.ts';
import { type Collection, collectionPath, withQuery } from '../api/path.ts';
import type { KubeReader } from '../api/reader.ts';
import { ListCutter } from './list-stream-parser.ts';

/** Objects of a page: few enough that a broken one costs little, and four times what clients mostly ask for. */
const PAGE = '2000';

/**
 * Lists a collection as it is right now, page by page, and hands over each object as its bytes arrive. The answer is the
 * version that all pages together show; undefined when `stop` was given. What was handed over counts for nothing unless
 * the answer is `ok`.
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
    const answer = await readPage(reader, collection, page, stop, take);
    if (answer === undefined || !answer.ok) return answer;
    const metadata = objectIn(answer.value, 'metadata');
    const resourceVersion = textIn(metadata, 'resourceVersion');
    if (resourceVersion === undefined) return noList;
    const next = textIn(metadata, 'continue');
    if (next === undefined) return { ok: true, value: resourceVersion };
    const following = withQuery(path, { limit: PAGE, continue: next });
    if (following === page) return noList;
    page = following;
  }
}

/** The page without its items, all of which say which object they are. */
async function readPage(
  reader: KubeReader,
  { kind }: Collection,
  path: string,
  stop: AbortSignal,
  take: (object: KubeObject) => void,
): Promise<Answer<JsonObject> | undefined> {
  const cutter = new ListCutter((item) => {
    const object = identifyObject(kind, item);
    if (object !== undefined) take(object);
    return object !== undefined;
  });
  const read = (chunk: Uint8Array): 'go on' | 'leave' => (cutter.push(chunk) ? 'go on' : 'leave');
  const end = await reader.stream(path, stop, { opened: () => undefined, read });
  if (end.end === 'stopped') return undefined;
  if (end.end === 'failed') return { ok: false, failure: end.failure };
  const list = end.end === 'complete' ? cutter.finish() : undefined;
  return list !== undefined && textIn(list, 'kind')?.endsWith('List') === true ? { ok: true, value: list } : noList;
}

const noList: Answer<never> = {
  ok: false,
  failure: {
    reason: 'unintelligible',
    message: 'the answer is no list, or goes on for ever, or an item of it has no name, uid and resourceVersion',
  },
};
