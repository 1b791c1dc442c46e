import { type JsonObject, objectIn, textIn } from '../../../json/json.ts';
import type { ApiError } from '../../../kube/model.ts';
import { type ApiObject, maxIdentity, readObject } from '../api/object.ts';
import { type Collection, collectionPath, withQuery } from '../api/path.ts';
import type { ApiReader, ApiResult } from '../api/reader.ts';
import { ListStreamParser } from './list-stream-parser.ts';
import type { Listing, ListingBudget } from './listing-budget.ts';

/** Objects per page: few enough that a broken page costs little, and four times the usual limit of clients. */
const pageSize = '2000';

/** The longest `continue` token, in UTF-16 code units: it is part of a URL. A server's has a few hundred. */
const maxContinue = 4096;

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
  budget: ListingBudget,
): Promise<ApiResult<string> | undefined> {
  const listing = budget.begin(collection);
  let complete = false;
  try {
    const result = await listAll(reader, collection, stop, add, listing);
    complete = result?.ok === true;
    return result;
  } finally {
    listing.end(complete);
  }
}

async function listAll(
  reader: ApiReader,
  collection: Collection,
  stop: AbortSignal,
  add: (object: ApiObject) => void,
  listing: Listing,
): Promise<ApiResult<string> | undefined> {
  const path = collectionPath(collection);
  let page = withQuery(path, { limit: pageSize });
  for (;;) {
    const result = await readPage(reader, collection, page, stop, add, listing);
    if (result === 'too much') return { ok: false, error: tooMuchToKeep };
    if (result === undefined || !result.ok) return result;
    const metadata = objectIn(result.value, 'metadata');
    const resourceVersion = textIn(metadata, 'resourceVersion');
    if (resourceVersion === undefined || resourceVersion.length > maxIdentity) return noList;
    const next = textIn(metadata, 'continue');
    if (next === undefined) return { ok: true, value: resourceVersion };
    if (next.length > maxContinue) return noList;
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
  listing: Listing,
): Promise<ApiResult<JsonObject> | 'too much' | undefined> {
  let fits = true;
  const parser = new ListStreamParser((item) => {
    fits &&= listing.take({ objects: 1, bytes: 0 });
    const object = fits ? readObject(kind, item) : undefined;
    if (object !== undefined) add(object);
    return object !== undefined;
  });
  const data = (chunk: Uint8Array): 'continue' | 'leave' => {
    fits &&= listing.take({ objects: 0, bytes: chunk.length });
    return fits && parser.push(chunk) ? 'continue' : 'leave';
  };
  const end = await reader.stream(path, stop, { opened: () => undefined, data });
  if (end.end === 'stopped') return undefined;
  if (!fits) return 'too much';
  if (end.end === 'failed') return { ok: false, error: end.error };
  const list = end.end === 'complete' ? parser.finish() : undefined;
  return list !== undefined && textIn(list, 'kind')?.endsWith('List') === true ? { ok: true, value: list } : noList;
}

/** The kind has more than its part, and all kinds together have more than is read. */
export const tooMuchToKeep: ApiError = {
  reason: 'unintelligible',
  message: 'there are more objects, or bytes of them, than are read of one API server',
};

const noList: ApiResult<never> = {
  ok: false,
  error: {
    reason: 'unintelligible',
    message: 'the answer is no list, or goes on for ever, or an item of it has no name, uid and resourceVersion',
  },
};
