import { type JsonObject, objectIn, textIn } from '../../../json/json.ts';
import type { ApiError } from '../../../kube/model.ts';
import { type ApiObject, isExactVersion, readObject } from '../api/object.ts';
import { type Collection, collectionPath, isIn, withQuery } from '../api/path.ts';
import type { ApiReader, ApiResult } from '../api/reader.ts';
import { ListSelection, type ListSink } from './admission/list-selection.ts';
import type { Listing, ListingBudget } from './admission/listing-budget.ts';
import { ListStreamParser } from './list-stream-parser.ts';

/** Objects per page: few enough that a broken page costs little, and four times the usual limit of clients. */
const pageSize = '2000';

/** What a page counts besides its bytes: a server may have a further page without end, each of them empty. */
const minPageBytes = 64 * 1024;

/** The longest `continue` token, in UTF-16 code units: it is part of a URL. A server's has a few hundred. */
const maxContinue = 4096;

/**
 * Lists the current state of a collection page by page, and passes on each object as its bytes arrive, as far as there is
 * room. Returns the resource version of all pages; undefined when `stop` was aborted. What was passed on is valid only if
 * the result is `ok`.
 *
 * Sets no `resourceVersion`: any other list may be older than what was seen before.
 */
export async function listPages(
  reader: ApiReader,
  collection: Collection,
  stop: AbortSignal,
  sink: ListSink,
  budget: ListingBudget,
): Promise<ApiResult<string> | undefined> {
  const listing = budget.begin(collection);
  const selection = new ListSelection(listing, sink);
  const read = (take: (object: ApiObject) => void): Promise<ApiResult<string> | undefined> =>
    listAll(reader, collection, stop, take, listing);
  try {
    const result = await read((object) => selection.add(object));
    if (!result?.ok || !selection.isIncomplete) return result;
    // If it fails, what it has not read stays without room: the result is that of the first look.
    const again = await read((object) => selection.addAgain(object));
    return again && result;
  } finally {
    listing.end();
  }
}

async function listAll(
  reader: ApiReader,
  collection: Collection,
  stop: AbortSignal,
  take: (object: ApiObject) => void,
  listing: Listing,
): Promise<ApiResult<string> | undefined> {
  const path = collectionPath(collection);
  let page = withQuery(path, { limit: pageSize });
  for (;;) {
    if (!listing.receive(minPageBytes)) return { ok: false, error: tooMuchToRead };
    const result = await readPage(reader, collection, page, stop, take, listing);
    if (result === 'too much') return { ok: false, error: tooMuchToRead };
    if (result === undefined || !result.ok) return result;
    const metadata = objectIn(result.value, 'metadata');
    const resourceVersion = textIn(metadata, 'resourceVersion');
    if (resourceVersion === undefined || !isExactVersion(resourceVersion)) return noList;
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
  collection: Collection,
  path: string,
  stop: AbortSignal,
  take: (object: ApiObject) => void,
  listing: Listing,
): Promise<ApiResult<JsonObject> | 'too much' | undefined> {
  let isReadable = true;
  const parser = new ListStreamParser((item) => {
    const object = readObject(collection.kind, item);
    if (object === undefined || !isIn(collection, object.key)) return false;
    take(object);
    return true;
  });
  const data = (chunk: Uint8Array): 'continue' | 'leave' => {
    isReadable &&= listing.receive(chunk.length);
    return isReadable && parser.push(chunk) ? 'continue' : 'leave';
  };
  const end = await reader.stream(path, stop, { opened: () => undefined, data });
  if (end.end === 'stopped') return undefined;
  if (!isReadable) return 'too much';
  if (end.end === 'failed') return { ok: false, error: end.error };
  const list = end.end === 'complete' ? parser.finish() : undefined;
  return list !== undefined && textIn(list, 'kind')?.endsWith('List') === true ? { ok: true, value: list } : noList;
}

const tooMuchToRead: ApiError = {
  reason: 'unintelligible',
  message: 'the list has more bytes than are read of one API server: delete objects, or make them smaller',
};

const noList: ApiResult<never> = {
  ok: false,
  error: {
    reason: 'unintelligible',
    message:
      'the answer is no list, or goes on for ever, or an item of it has no name, uid and resourceVersion, or another namespace',
  },
};
