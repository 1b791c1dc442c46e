import { isJsonObject } from '../../../json/json.ts';
import type { JsonChange } from '../../../json/json-text.ts';
import type { Result } from '../../rpc/model.ts';
import { changed } from '../../rpc/source-text.ts';
import type { UriRewriter } from './resource-uris.ts';

/**
 * Rewrites the URIs of resource links and embedded resources in the result of `tools/call`. In `structuredContent`,
 * whose shape is the tool's own, these are blocks of the same shapes, and texts that are such a URI as a whole.
 */
export function rewriteToolResult(result: Result, rewrite: UriRewriter): Result {
  const changes = blockChanges(result['content'], ['content'], rewrite);
  const structured = result['structuredContent'];
  if (!isJsonObject(structured)) return changed(result, changes);
  const known = new Map(changes.flatMap(({ path, value }) => [[textAt(result, path), value] as const]));
  return changed(result, [...changes, ...structuredChanges(structured, ['structuredContent'], { known, rewrite })]);
}

/** Rewrites the URIs of resource links and embedded resources in the result of `prompts/get`. */
export function rewritePrompt(result: Result, rewrite: UriRewriter): Result {
  const changes = elementsIn(result['messages']).flatMap((message, index) => {
    if (!isJsonObject(message)) return [];
    return blockChanges(message['content'], ['messages', index, 'content'], rewrite);
  });
  return changed(result, changes);
}

/** Rewrites the URI of every content in the result of `resources/read`. */
export function rewriteContents(result: Result, rewrite: UriRewriter): Result {
  const changes = elementsIn(result['contents']).flatMap((content, index) =>
    uriChanges(content, ['contents', index], rewrite),
  );
  return changed(result, changes);
}

type Path = JsonChange['path'];

/** @param content one block, or a list of them */
function blockChanges(content: unknown, path: Path, rewrite: UriRewriter): readonly JsonChange[] {
  if (!Array.isArray(content)) return changesOfBlock(content, path, rewrite);
  return content.flatMap((block, index) => changesOfBlock(block, [...path, index], rewrite));
}

function changesOfBlock(block: unknown, path: Path, rewrite: UriRewriter): readonly JsonChange[] {
  if (!isJsonObject(block)) return [];
  if (block['type'] === 'resource_link') return uriChanges(block, path, rewrite);
  return block['type'] === 'resource' ? uriChanges(block['resource'], [...path, 'resource'], rewrite) : [];
}

function uriChanges(value: unknown, path: Path, rewrite: UriRewriter): readonly JsonChange[] {
  const uri = isJsonObject(value) ? value['uri'] : undefined;
  const renamed = typeof uri === 'string' ? rewrite(uri) : uri;
  return typeof renamed === 'string' && renamed !== uri ? [{ path: [...path, 'uri'], value: renamed }] : [];
}

/** How URIs in structured content are found and replaced. */
interface Structured {
  /** What replaces the URIs that content blocks have. */
  readonly known: ReadonlyMap<unknown, JsonChange['value']>;
  readonly rewrite: UriRewriter;
}

/** Levels of structured content in which URIs are rewritten: the path of a URI in deeper ones takes long to follow. */
const maxLevels = 16;

function structuredChanges(value: unknown, path: Path, how: Structured): readonly JsonChange[] {
  if (path.length > maxLevels) return [];
  if (typeof value === 'string') {
    const replacement = how.known.get(value);
    return replacement === undefined ? [] : [{ path, value: replacement }];
  }
  if (Array.isArray(value)) return value.flatMap((each, index) => structuredChanges(each, [...path, index], how));
  if (!isJsonObject(value)) return [];
  const block = changesOfBlock(value, path, how.rewrite);
  if (block.length > 0) return block;
  return Object.entries(value).flatMap(([name, member]) => structuredChanges(member, [...path, name], how));
}

function textAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, step) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, step) : undefined),
    value,
  );
}

function elementsIn(list: unknown): readonly unknown[] {
  return Array.isArray(list) ? list : [];
}
