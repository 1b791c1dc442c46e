import { isJsonObject } from '../../json/json.ts';
import type { Result } from '../rpc/model.ts';
import type { UriRewriter } from './resource-uris.ts';

/** Rewrites the URIs of resource links and embedded resources in the result of `tools/call`. */
export function rewriteToolResult(result: Result, rewrite: UriRewriter): Result {
  const { content } = result;
  return Array.isArray(content) ? { ...result, content: content.map((block) => rewriteBlock(block, rewrite)) } : result;
}

/** Rewrites the URIs of resource links and embedded resources in the result of `prompts/get`. */
export function rewritePrompt(result: Result, rewrite: UriRewriter): Result {
  const { messages } = result;
  if (!Array.isArray(messages)) return result;
  return {
    ...result,
    messages: messages.map((message) => {
      if (!isJsonObject(message)) return message;
      const { content } = message;
      const rewritten = Array.isArray(content)
        ? content.map((block) => rewriteBlock(block, rewrite))
        : rewriteBlock(content, rewrite);
      return { ...message, content: rewritten };
    }),
  };
}

/** Rewrites the URI of every content in the result of `resources/read`. */
export function rewriteContents(result: Result, rewrite: UriRewriter): Result {
  const { contents } = result;
  return Array.isArray(contents)
    ? { ...result, contents: contents.map((content) => rewriteUriIn(content, rewrite)) }
    : result;
}

function rewriteBlock(block: unknown, rewrite: UriRewriter): unknown {
  if (!isJsonObject(block)) return block;
  if (block['type'] === 'resource_link') return rewriteUriIn(block, rewrite);
  if (block['type'] === 'resource') return { ...block, resource: rewriteUriIn(block['resource'], rewrite) };
  return block;
}

function rewriteUriIn(value: unknown, rewrite: UriRewriter): unknown {
  if (!isJsonObject(value)) return value;
  const { uri } = value;
  return typeof uri === 'string' ? { ...value, uri: rewrite(uri) } : value;
}
