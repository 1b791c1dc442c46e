import { isJsonObject, parseJson } from '../../../json/json.ts';
import { parseWithoutLongStrings } from '../../../json/long-strings.ts';
import { quoted } from '../../../json/quoted.ts';
import { decodeMessage } from '../../rpc/decode-message.ts';
import type { Message, RequestId } from '../../rpc/model.ts';
import { rememberText } from '../../rpc/source-text.ts';
import { maxHandshakeBytes, maxListBytes, maxMessageBytes } from '../answer-limits.ts';
import type { TakenMessage } from './message-buffer.ts';

/** The most messages of a batch. The gateway sends none, so that a target has no reason to. */
const maxBatch = 100;

/**
 * Members of results whose long strings nobody here reads: texts and files (MCP, ContentBlock and ResourceContents).
 * They are passed on as they were written.
 */
const unread: ReadonlySet<string> = new Set(['text', 'data', 'blob']);
/** Characters of such a string that is parsed like all else. */
const longestRead = 64 * 1024;

/** The messages of a text; none, with the reason, when they were refused. Without reason it had no message. */
export interface ParsedMessages {
  readonly messages: readonly Message[];
  readonly refused?: string;
}

/**
 * Parses the messages in a JSON text whose structure was counted before: one, or a batch. Refuses a batch that is too
 * large, and a message in which a member that the gateway reads occurs twice.
 */
export function parseMessages({ text, longestString }: Omit<TakenMessage, 'size'>): ParsedMessages {
  const isPlain = longestString <= longestRead;
  const value = (isPlain ? parseJson(text) : parseWithoutLongStrings(text, unread, longestRead))?.value;
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (values.length > maxBatch) return { messages: [], refused: `a batch has more than ${maxBatch} messages` };
  const duplicate = rememberText(value, text);
  if (duplicate !== undefined) return { messages: [], refused: `a message has the member ${quoted(duplicate)} twice` };
  return { messages: values.flatMap((json) => decodeMessage(json) ?? decodeErrorWithoutId(json)) };
}

/** Decodes an error with `"id": null`, as for a session that the target does not know. JSON-RPC 2.0, section 5. */
function decodeErrorWithoutId(json: unknown): readonly Message[] {
  if (!isJsonObject(json) || (json['id'] ?? null) !== null) return [];
  const message = decodeMessage({ ...json, id: 0 });
  return message !== undefined && 'error' in message ? [{ jsonrpc: '2.0', error: message.error }] : [];
}

/** Returns the id of the request that a message responds to; undefined for requests and notifications. */
export function answeredId(message: Message): RequestId | undefined {
  return 'method' in message ? undefined : message.id;
}

/** Returns the id of a request; undefined for responses and notifications. */
export function requestIdOf(message: Message): RequestId | undefined {
  return 'method' in message && 'id' in message ? message.id : undefined;
}

/** The requests that begin a connection. */
const handshakes: readonly string[] = ['initialize', 'server/discover'];

/** The bytes of the largest answer to a request: lists and handshakes may be less large, so that nothing larger is parsed. */
export function maxBytesOf(request: Message): number {
  if (!('method' in request)) return maxMessageBytes;
  if (handshakes.includes(request.method)) return maxHandshakeBytes;
  return request.method.endsWith('/list') ? maxListBytes : maxMessageBytes;
}

/** Returns the id of the request that a message cancels. */
export function cancelledId(message: Message): RequestId | undefined {
  if (!('method' in message) || message.method !== 'notifications/cancelled') return undefined;
  const id = message.params?.['requestId'];
  return typeof id === 'number' || typeof id === 'string' ? id : undefined;
}
