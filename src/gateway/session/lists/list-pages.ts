import type { JsonObject } from '../../../json/json.ts';
import type { Arriving, MessageSize, Params, Result } from '../../rpc/model.ts';
import { errorCode, RpcError } from '../../rpc/rpc-error.ts';
import { changed, elementTexts } from '../../rpc/source-text.ts';
import { AnswerLimitError, maxListBytes, messageBounds, uncountedBytes } from '../../upstream/answer-limits.ts';
import { answerSizeOf } from '../../upstream/answer-size.ts';
import type { UpstreamSession } from '../../upstream/model.ts';
import { type Freshness, freshnessIn, joinFreshness, notKept } from '../freshness.ts';
import { joinPages, metaOfPage } from './list-meta.ts';

/** A list of a target, as far as its pages are concerned. */
interface PagedList {
  readonly method: string;
  /** The member of the result that contains the entries. */
  readonly member: string;
  /** The capability without which a target is not asked. */
  readonly capability: string;
}

/** The list methods of MCP. */
export type ListMethod = 'tools/list' | 'prompts/list' | 'resources/list' | 'resources/templates/list';

/** How each list is asked for. */
export const pagedLists: Readonly<Record<ListMethod, PagedList>> = {
  'tools/list': { method: 'tools/list', member: 'tools', capability: 'tools' },
  'prompts/list': { method: 'prompts/list', member: 'prompts', capability: 'prompts' },
  'resources/list': { method: 'resources/list', member: 'resources', capability: 'resources' },
  'resources/templates/list': {
    method: 'resources/templates/list',
    member: 'resourceTemplates',
    capability: 'resources',
  },
};

/** The methods that list what targets have. */
export const listMethods: readonly ListMethod[] = Object.keys(pagedLists).filter(isListMethod);

/** Milliseconds for all pages of one target, including the connection. A slower target is left out of the list. */
export const listTimeout = 5_000;

/** Returns whether a method is one of the lists. */
export function isListMethod(method: string): method is ListMethod {
  return Object.hasOwn(pagedLists, method);
}

/** Limits per target and list; see {@link expectWithin} for the others. */
const maxPages = 200;
const maxEntries = 10_000;

/** The parameters for the targets, and the signal that ends the request. */
export interface ListQuery {
  readonly params: Params;
  readonly signal: AbortSignal;
}

/** What a list takes while it is read. */
interface ListHold {
  /**
   * Called with the size of the list, so much in all, before the page that makes it so large is parsed, and again after
   * that. What it throws ends the list.
   */
  grow(size: MessageSize): void;
}

/** All pages of a target's list. */
export interface Listing {
  readonly entries: readonly unknown[];
  /** Each entry as it was written, as far as that is known. */
  readonly texts: readonly (string | undefined)[];
  readonly size: MessageSize;
  /** How long it may be kept: what holds for all of its pages. */
  readonly freshness: Freshness;
  /** What the target says of it in its `_meta`. */
  readonly meta: JsonObject | undefined;
}

/** The list of a target that has none. */
export const emptyListing: Listing = {
  entries: [],
  texts: [],
  size: { bytes: 0, values: 0 },
  freshness: notKept,
  meta: undefined,
};

/**
 * Reads all pages of a target's list. Returns no entries when the target lacks the capability or the method.
 *
 * @param hold what the pages take; the caller releases it
 * @throws AnswerLimitError when the list is not within the limits: a part of it would look like all of it
 */
export async function readPages(
  upstream: UpstreamSession,
  list: PagedList,
  { params, signal }: ListQuery,
  hold: ListHold,
): Promise<Listing> {
  if (!Object.hasOwn(await upstream.capabilities(signal), list.capability)) return emptyListing;
  const entries: unknown[] = [];
  const texts: (string | undefined)[] = [];
  const pages: Freshness[] = [];
  const said: JsonObject[] = [];
  let bytes = 0;
  let values = 0;
  let cursor: string | undefined;
  for (let page = 1; ; page += 1) {
    const query = {
      params: cursor === undefined ? params : changed(params, [{ path: ['cursor'], value: cursor }]),
      signal,
    };
    const before: MessageSize = { bytes, values };
    const result = await readPage(upstream, list.method, query, (size) => hold.grow(sum(before, size)));
    // What was held may have been given back.
    signal.throwIfAborted();
    if (result === undefined) break;
    pages.push(freshnessIn(result));
    const meta = metaOfPage(result);
    if (meta !== undefined) said.push(meta);
    const size = answerSizeOf(result);
    bytes += size.bytes;
    values += size.values;
    hold.grow({ bytes, values });
    const found = result[list.member];
    const count = entries.length + (Array.isArray(found) ? found.length : 0);
    const next = result['nextCursor'];
    const isLast = typeof next !== 'string' || next === cursor;
    expectWithin({ page: isLast ? page : page + 1, count, bytes, values });
    if (Array.isArray(found)) {
      const written = elementTexts(result, list.member);
      for (const [index, entry] of found.entries()) {
        entries.push(entry);
        texts.push(written[index]);
      }
    }
    if (isLast) break;
    cursor = next;
  }
  return { entries, texts, size: { bytes, values }, freshness: joinFreshness(pages), meta: joinPages(said) };
}

/** @throws AnswerLimitError */
function expectWithin(found: { page: number; count: number; bytes: number; values: number }): void {
  if (found.page > maxPages) throw new AnswerLimitError(`a list has more than ${maxPages} pages`);
  if (found.count > maxEntries) throw new AnswerLimitError(`a list has more than ${maxEntries} entries`);
  if (found.bytes > maxListBytes) throw new AnswerLimitError(`a list is larger than ${maxListBytes} bytes`);
  if (found.values > messageBounds.maxValues) {
    throw new AnswerLimitError(`a list has more than ${messageBounds.maxValues} values`);
  }
}

async function readPage(
  upstream: UpstreamSession,
  method: string,
  { params, signal }: ListQuery,
  arriving: Arriving,
): Promise<Result | undefined> {
  // Other messages may follow on the stream of the response, when what it holds was given back.
  let isComplete = false;
  let arrived = 0;
  const growing: Arriving = (size) => {
    if (isComplete) return;
    arrived = size.bytes;
    arriving(size);
  };
  try {
    return await upstream.request(method, params, signal, { about: undefined, arriving: growing });
  } catch (error) {
    // To read it costs as much as a list, each time, and gives nothing.
    if (error instanceof RpcError && arrived > uncountedBytes) {
      throw new AnswerLimitError(`a list is refused with more than ${uncountedBytes} bytes`);
    }
    if (error instanceof RpcError && error.code === errorCode.methodNotFound) return undefined;
    throw error;
  } finally {
    isComplete = true;
  }
}

function sum(one: MessageSize, other: MessageSize): MessageSize {
  return { bytes: one.bytes + other.bytes, values: one.values + other.values };
}
