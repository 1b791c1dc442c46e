import { isJSONRPCErrorResponse, isJSONRPCResultResponse, parseJSONRPCMessage } from '@modelcontextprotocol/client';
import { parseJson } from '../../../json/json.ts';
import type { Message, RequestId } from '../../rpc/model.ts';

/** The most messages of a batch. The gateway sends none, so that a target has no reason to. */
const maxBatch = 100;

/**
 * Parses the messages in a JSON text whose structure was counted before: one, or a batch. Drops what is none, and a
 * batch that is too large.
 */
export function parseMessages(text: string): readonly Message[] {
  const value = parseJson(text)?.value;
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.length > maxBatch ? [] : values.flatMap(parseMessage);
}

function parseMessage(value: unknown): Message[] {
  try {
    return [parseJSONRPCMessage(value)];
  } catch {
    return [];
  }
}

/** Returns the id of the request that a message responds to; undefined for requests and notifications. */
export function answeredId(message: Message): RequestId | undefined {
  return isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message) ? message.id : undefined;
}

/** Returns the id of a request; undefined for responses and notifications. */
export function requestIdOf(message: Message): RequestId | undefined {
  return 'method' in message && 'id' in message ? message.id : undefined;
}
