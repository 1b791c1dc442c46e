import type { Params, Result } from '../rpc/model.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import type { UpstreamSession } from '../upstream/model.ts';

/** A list of a target, as far as its pages are concerned. */
export interface PagedList {
  /** The member of the result that contains the entries. */
  readonly member: string;
  /** The capability without which a target is not asked. */
  readonly capability: string;
}

/** Limits per target and list. Entries beyond them are left out. */
const maxPages = 100;
const maxEntries = 10_000;
/** Characters of JSON: enough for ten thousand tools with their schemas. */
const maxCharacters = 16 * 1024 * 1024;

/** The parameters for the targets, and the signal that ends the request. */
export interface ListQuery {
  readonly params: Params;
  readonly signal: AbortSignal;
}

/**
 * Reads all pages of a target's list, up to the limits. Returns no entries when the target lacks the capability or the
 * method.
 */
export async function readPages(
  upstream: UpstreamSession,
  method: string,
  { capability, member }: PagedList,
  { params, signal }: ListQuery,
): Promise<unknown[]> {
  if (!Object.hasOwn(await upstream.capabilities(signal), capability)) return [];
  const entries: unknown[] = [];
  let characters = 0;
  let cursor: string | undefined;
  for (let page = 0; page < maxPages && entries.length < maxEntries; page++) {
    const query = { params: cursor === undefined ? params : { ...params, cursor }, signal };
    const result = await readPage(upstream, method, query);
    const found = result?.[member];
    const next = result?.['nextCursor'];
    if (Array.isArray(found)) {
      characters += JSON.stringify(found).length;
      if (characters > maxCharacters) return entries;
      entries.push(...found.slice(0, maxEntries - entries.length));
    }
    if (typeof next !== 'string' || next === cursor) return entries;
    cursor = next;
  }
  return entries;
}

async function readPage(
  upstream: UpstreamSession,
  method: string,
  { params, signal }: ListQuery,
): Promise<Result | undefined> {
  try {
    return await upstream.request(method, params, signal);
  } catch (error) {
    if (error instanceof RpcError && error.code === errorCode.methodNotFound) return undefined;
    throw error;
  }
}
