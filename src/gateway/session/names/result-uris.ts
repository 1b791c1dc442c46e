import { isJsonObject } from '../../../json/json.ts';
import type { JsonChange } from '../../../json/json-text.ts';
import type { Result } from '../../rpc/model.ts';
import { changed } from '../../rpc/source-text.ts';
import type { UriRewriter } from './resource-uris.ts';

/** Rewrites the URIs of resource links and embedded resources in the result of `tools/call`. */
export function rewriteToolResult(result: Result, rewrite: UriRewriter): Result {
  return changed(result, blockChanges(result['content'], ['content'], rewrite));
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
  return typeof uri === 'string' ? [{ path: [...path, 'uri'], value: rewrite(uri) }] : [];
}

function elementsIn(list: unknown): readonly unknown[] {
  return Array.isArray(list) ? list : [];
}
