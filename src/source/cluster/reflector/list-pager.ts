import { type JsonObject, objectIn, textIn } from '../../../json/json.ts';
import { type ApiObject, maxIdentity, readObject } from '../api/object.ts';
import { type Collection, collectionPath, withQuery } from '../api/path.ts';
import type { ApiReader, ApiResult } from '../api/reader.ts';
import { ListStreamParser } from './list-stream-parser.ts';

/** Objects per page: few enough that a broken page costs little, and four times the usual limit of clients. */
const pageSize = '2000';

/**
 * The size of one listing, all pages of it. Clusters are tested with 10,000 Services and as many namespaces
 * (https://kubernetes.io/docs/setup/best-practices/cluster-large/), with 1 to 5 KB each: twenty times that many, and
 * five times their bytes.
 */
const maxListing: ListingBounds = { objects: 200_000, bytes: 256 * 1024 * 1024 };

/** What all pages of a listing may have together. */
interface ListingBounds {
  readonly objects: number;
  readonly bytes: number;
}

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
  bounds: ListingBounds = maxListing,
): Promise<ApiResult<string> | undefined> {
  const path = collectionPath(collection);
  const budget = { ...bounds };
  let page = withQuery(path, { limit: pageSize });
  for (;;) {
    const result = await readPage(reader, collection, page, stop, add, budget);
    if (budget.objects < 0 || budget.bytes < 0) return tooMuch(bounds);
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

/** What is left of a listing. */
interface Budget {
  objects: number;
  bytes: number;
}

/** Returns the page without its items, if each of them has an identity. */
async function readPage(
  reader: ApiReader,
  { kind }: Collection,
  path: string,
  stop: AbortSignal,
  add: (object: ApiObject) => void,
  budget: Budget,
): Promise<ApiResult<JsonObject> | undefined> {
  const parser = new ListStreamParser((item) => {
    budget.objects -= 1;
    const object = budget.objects < 0 ? undefined : readObject(kind, item);
    if (object !== undefined) add(object);
    return object !== undefined;
  });
  const data = (chunk: Uint8Array): 'continue' | 'leave' => {
    budget.bytes -= chunk.length;
    return budget.bytes >= 0 && parser.push(chunk) ? 'continue' : 'leave';
  };
  const end = await reader.stream(path, stop, { opened: () => undefined, data });
  if (end.end === 'stopped') return undefined;
  if (end.end === 'failed') return { ok: false, error: end.error };
  const list = end.end === 'complete' ? parser.finish() : undefined;
  return list !== undefined && textIn(list, 'kind')?.endsWith('List') === true ? { ok: true, value: list } : noList;
}

function tooMuch({ objects, bytes }: ListingBounds): ApiResult<never> {
  const message = `the list has more than ${objects} objects or ${bytes} bytes`;
  return { ok: false, error: { reason: 'unintelligible', message } };
}

const noList: ApiResult<never> = {
  ok: false,
  error: {
    reason: 'unintelligible',
    message: 'the answer is no list, or goes on for ever, or an item of it has no name, uid and resourceVersion',
  },
};
