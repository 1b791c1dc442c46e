import { asJsonObject, type JsonObject, objectIn } from '../../../json/json.ts';
import type { JsonChange } from '../../../json/json-text.ts';
import type { Result } from '../../rpc/model.ts';
import { errorCode, RpcError } from '../../rpc/rpc-error.ts';
import { changed } from '../../rpc/source-text.ts';
import { qualify } from './qualified-names.ts';

/*
 * The id of an elicitation by URL is a target's: the client only compares it with that of the notification that the
 * elicitation is complete. It gets the target's name in front, so that those of two targets differ.
 */

/** The change that replaces the id of an elicitation of a target; none when it is no text. */
export function elicitationChanges(target: string, id: unknown, path: JsonChange['path']): readonly JsonChange[] {
  return typeof id === 'string' ? [{ path, value: qualify({ target, name: id }) }] : [];
}

/** Returns the error of a target for the client: the elicitations that it asks for have ids of the client's session. */
export function exposeElicitations(target: string, error: RpcError): RpcError {
  const { code, message, received } = error;
  if (code !== errorCode.urlElicitationRequired || received === undefined) return error;
  return new RpcError(code, message, exposeElicitationsIn(target, received));
}

/** The same for the `error` member of a response, or of the state of a task. */
export function exposeElicitationsIn<T extends object>(target: string, error: T & { readonly code?: unknown }): T {
  if (error.code !== errorCode.urlElicitationRequired) return error;
  const elicitations = objectIn(error, 'data')['elicitations'];
  const changes = (Array.isArray(elicitations) ? elicitations : []).flatMap((elicitation: unknown, index) =>
    elicitationChanges(target, asJsonObject(elicitation)['elicitationId'], [
      'data',
      'elicitations',
      index,
      'elicitationId',
    ]),
  );
  return changed(error, changes);
}

/** Returns a result for the client, whose requests for input have such ids, too (MCP 2026-07-28, `input_required`). */
export function exposeInput<T extends JsonObject & Result>(target: string, result: T): T {
  const changes = Object.entries(objectIn(result, 'inputRequests')).flatMap(([name, request]) =>
    elicitationChanges(target, objectIn(request, 'params')['elicitationId'], [
      'inputRequests',
      name,
      'params',
      'elicitationId',
    ]),
  );
  return changed(result, changes);
}
