import type { AccessRequest, PrimitiveKind } from '../../../authz/model.ts';
import { isJsonObject } from '../../../json/json.ts';
import type { Caller } from '../../model.ts';
import type { Message, Params } from '../../rpc/model.ts';
import type { SessionParts } from '../model.ts';
import type { Names } from '../names/names.ts';
import { qualify } from '../names/qualified-names.ts';
import { isUiUri } from '../names/resource-uris.ts';
import { createAuthorization } from './authorization.ts';
import type { DecisionLog } from './decision-log.ts';

/**
 * Returns the scope that a caller lacks for a request that is denied, and logs the denial: a token with exactly that
 * claim would be allowed (MCP 2025-11-25, Authorization, Scope Challenge Handling). `undefined`: the request takes its
 * way, which decides about it.
 */
export type MissingScope = (message: Message, caller: Caller) => string | undefined;

/** Creates the check of requests that name one thing, before anything is done for them. */
export function createMissingScope(
  parts: SessionParts & { readonly decisions: DecisionLog },
  names: Names,
): MissingScope {
  const authorization = createAuthorization(parts);
  // Which names have a target depends on what there is then, and whoever sees nothing must not find that out.
  const isOpen = parts.names !== 'bare' || parts.list === 'all';
  return (message, caller) => {
    if (!isOpen || !('method' in message) || !('id' in message)) return undefined;
    const use = useOf(names, message.method, message.params);
    return use === undefined ? undefined : authorization.missingScope(use, caller);
  };
}

/** `undefined` where only lists of targets say what is meant. */
function useOf(names: Names, method: string, params: Params | undefined): AccessRequest | undefined {
  switch (method) {
    case 'tools/call':
      return named(names, 'tool', params?.['name']);
    case 'prompts/get':
      return named(names, 'prompt', params?.['name']);
    case 'resources/read':
    case 'resources/subscribe':
      return resource(names, params?.['uri']);
    case 'completion/complete': {
      const ref = params?.['ref'];
      if (!isJsonObject(ref)) return undefined;
      return ref['type'] === 'ref/prompt' ? named(names, 'prompt', ref['name']) : resource(names, ref['uri']);
    }
    default:
      return undefined;
  }
}

function named(names: Names, kind: PrimitiveKind, exposed: unknown): AccessRequest | undefined {
  const parsed = typeof exposed === 'string' ? names.parseName(exposed) : undefined;
  return parsed?.kind === 'name' && parsed.name !== undefined ? { kind, name: qualify(parsed.name) } : undefined;
}

function resource(names: Names, uri: unknown): AccessRequest | undefined {
  const parsed = typeof uri === 'string' && !isUiUri(uri) ? names.parseUri(uri) : undefined;
  return parsed === undefined ? undefined : { kind: 'resource', name: qualify(parsed) };
}
