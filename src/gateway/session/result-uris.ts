import type { Result } from '../rpc/model.ts';

/** An object of JSON whose members are unknown. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Says how clients see a URI of the target that the content came from. */
export type ShowUri = (uri: string) => string;

/** The result of `tools/call` with the URIs of its resource links and embedded resources as clients see them. */
export function showToolResult(result: Result, show: ShowUri): Result {
  const { content } = result;
  return Array.isArray(content) ? { ...result, content: content.map((block) => showBlock(block, show)) } : result;
}

/** The result of `prompts/get`, likewise. */
export function showPrompt(result: Result, show: ShowUri): Result {
  const { messages } = result;
  if (!Array.isArray(messages)) return result;
  return {
    ...result,
    messages: messages.map((message) => {
      if (!isJsonObject(message)) return message;
      const { content } = message;
      const shown = Array.isArray(content) ? content.map((block) => showBlock(block, show)) : showBlock(content, show);
      return { ...message, content: shown };
    }),
  };
}

/** The result of `resources/read` with the URI of every content as clients see it. */
export function showContents(result: Result, show: ShowUri): Result {
  const { contents } = result;
  return Array.isArray(contents) ? { ...result, contents: contents.map((part) => showUriOf(part, show)) } : result;
}

function showBlock(block: unknown, show: ShowUri): unknown {
  if (!isJsonObject(block)) return block;
  if (block['type'] === 'resource_link') return showUriOf(block, show);
  if (block['type'] === 'resource') return { ...block, resource: showUriOf(block['resource'], show) };
  return block;
}

function showUriOf(thing: unknown, show: ShowUri): unknown {
  if (!isJsonObject(thing)) return thing;
  const { uri } = thing;
  return typeof uri === 'string' ? { ...thing, uri: show(uri) } : thing;
}
