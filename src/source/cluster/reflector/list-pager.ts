import { type JsonObject, objectIn, textIn } from '../../../json/json.ts';
import { type ApiObject, identifyObject } from '../api/object.ts';
import { type Collection, collectionPath, withQuery } from '../api/path.ts';
import type { ApiReader, ApiResult } from '../api/reader.ts';
import { ListStreamParser } from './list-stream-parser.ts';

/** Objects per page: few enough that a broken page costs little, and four times the usual limit of clients. */
const pageSize = '2000';

/**
 * Lists the current state of a collection page by page, and passes on each object as its bytes arrive. Returns the
 * resource version of all pages; undefined when `stop` was aborted. Objects that were passed on are valid only if the
 * result is `ok`.
 *
 * Sets no `resourceVersion`: any other list may be older than what was seen before.
 */
export async function listPages(
  reader: ApiReader,
  collection: Collection,
  stop: AbortSignal,
  add: (object: ApiObject) => void,
): Promise<ApiResult<string> | undefined> {
  const path = collectionPath(collection);
  let page = withQuery(path, { limit: pageSize });
  for (;;) {
    const result = await readPage(reader, collection, page, stop, add);
    if (result === undefined || !result.ok) return result;
    const metadata = objectIn(result.value, 'metadata');
    const resourceVersion = textIn(metadata, 'resourceVersion');
    if (resourceVersion === undefined) return noList;
    const next = textIn(metadata, 'continue');
    if (next === undefined) return { ok: true, value: resourceVersion };
    const following = withQuery(path, { limit: pageSize, continue: next });
    if (following === page) return noList;
    page = following;
  }
}

/** Returns the page without its items, if each of them has an identity. */
async function readPage(
  reader: ApiReader,
  { kind }: Collection,
  path: string,
  stop: AbortSignal,
  add: (object: ApiObject) => void,
): Promise<ApiResult<JsonObject> | undefined> {
  const parser = new ListStreamParser((item) => {
    const object = identifyObject(kind, item);
    if (object !== undefined) add(object);
    return object !== undefined;
  });
  const data = (chunk: Uint8Array): 'continue' | 'leave' => (parser.push(chunk) ? 'continue' : 'leave');
  const end = await reader.stream(path, stop, { opened: () => undefined, data });
  if (end.end === 'stopped') return undefined;
  if (end.end === 'failed') return { ok: false, error: end.error };
  const list = end.end === 'complete' ? parser.finish() : undefined;
  return list !== undefined && textIn(list, 'kind')?.endsWith('List') === true ? { ok: true, value: list } : noList;
}

const noList: ApiResult<never> = {
  ok: false,
  error: {
    reason: 'unintelligible',
    message: 'the answer is no list, or goes on for ever, or an item of it has no name, uid and resourceVersion',
  },
};
