import { isJsonObject, type JsonObject } from '../../json/json.ts';
import type { Message } from './model.ts';

/**
 * Decodes a JSON-RPC 2.0 message with the restrictions of MCP: an id is a text or a whole number, `params` are an
 * object. Looks at these members only, so that the time does not depend on the size of the message. Returns `undefined`
 * for anything else.
 */
export function decodeMessage(json: unknown): Message | undefined {
  if (!isJsonObject(json) || json['jsonrpc'] !== '2.0') return undefined;
  const hasId = Object.hasOwn(json, 'id');
  if (hasId && !isId(json['id'])) return undefined;
  const isMessage = Object.hasOwn(json, 'method') ? isCall(json) : hasId && isResponse(json);
  return isMessage ? (json as unknown as Message) : undefined;
}

function isId(id: unknown): boolean {
  return typeof id === 'string' || Number.isSafeInteger(id);
}

/** A request or a notification. */
function isCall({ method, params }: JsonObject): boolean {
  if (typeof method !== 'string') return false;
  if (params === undefined) return true;
  if (!isJsonObject(params)) return false;
  const meta = params['_meta'];
  if (meta === undefined) return true;
  if (!isJsonObject(meta)) return false;
  const token = meta['progressToken'];
  return token === undefined || isId(token);
}

function isResponse({ result, error }: JsonObject): boolean {
  if (error === undefined) return isJsonObject(result);
  return isJsonObject(error) && Number.isSafeInteger(error['code']) && typeof error['message'] === 'string';
}
