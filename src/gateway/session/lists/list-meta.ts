import { isJsonObject, type JsonObject } from '../../../json/json.ts';
import type { Result } from '../../rpc/model.ts';
import { changed, rememberMembers } from '../../rpc/source-text.ts';

/**
 * The member of `_meta` with what each target says of its own list, by target, in a list that is made of those of
 * several: what one of them says is not said of the others' entries.
 */
const targetMetaKey = 'kgateway.dev/targetMeta';

/** Members that describe the message or its server, which is the gateway for clients, and those of the gateway. */
const own = /^(?:io\.modelcontextprotocol|kgateway\.dev)\//;

/** Returns what a target says in `_meta` of one page of its list; `undefined` when it says nothing. */
export function metaOfPage(result: Result): JsonObject | undefined {
  const said = result._meta;
  if (!isJsonObject(said)) return undefined;
  const names = Object.keys(said);
  const dropped = names.filter((name) => own.test(name));
  if (dropped.length === names.length) return undefined;
  rememberMembers(result);
  return changed(
    said,
    dropped.map((name) => ({ path: [name] })),
  );
}

/** Returns what is said of a whole list: what the first page with a member says. */
export function joinPages(pages: readonly JsonObject[]): JsonObject | undefined {
  return pages.length < 2 ? pages[0] : Object.fromEntries(pages.toReversed().flatMap((page) => Object.entries(page)));
}

/** What a target says of its list. */
export interface TargetMeta {
  readonly target: string;
  readonly meta: JsonObject;
}

/**
 * Returns what is said of a merged list.
 *
 * @param isOfOne whether it has the entries of one target alone
 */
export function mergedMeta(metas: readonly TargetMeta[], isOfOne: boolean): JsonObject {
  const [first] = metas;
  if (first === undefined) return {};
  if (isOfOne) return first.meta;
  return { [targetMetaKey]: Object.fromEntries(metas.map(({ target, meta }) => [target, meta])) };
}
