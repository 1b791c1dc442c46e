import { asJsonObject, isJsonObject, type JsonObject, objectIn } from '../../json/json.ts';
import type { JsonChange } from '../../json/json-text.ts';
import type { IncomingRequest, Params, Result } from '../rpc/model.ts';
import { inputRequired } from '../rpc/protocol.ts';
import { RpcError } from '../rpc/rpc-error.ts';
import { changed, rememberMembers } from '../rpc/source-text.ts';
import { AnswerLimitError } from './answer-limits.ts';
import type { Capabilities } from './model.ts';

/** Requests for input in one result. */
export const maxInputRequests = 16;

/** The methods of requests for input, each with the capability of clients that have it. */
const capabilityOf: Readonly<Record<string, string>> = {
  'sampling/createMessage': 'sampling',
  'elicitation/create': 'elicitation',
  'roots/list': 'roots',
};

/** Returns whether a client can be asked for something: a target is told what it can. */
export function canBeAsked(method: unknown, capabilities: Capabilities): method is string {
  const capability =
    typeof method === 'string' && Object.hasOwn(capabilityOf, method) ? capabilityOf[method] : undefined;
  return capability !== undefined && Object.hasOwn(capabilities, capability);
}

/** Returns whether a request asks for a page to be opened by a client that opens none. */
export function asksForUnknownMode(params: unknown, capabilities: Capabilities): boolean {
  return isOfPage(params) && !opensPages(capabilities);
}

/** The methods whose result may ask for input (MCP 2026-07-28, Multi Round-Trip Requests). */
const asking: readonly string[] = ['tools/call', 'prompts/get', 'resources/read'];

/** Returns whether a result asks for input. */
export function asksForInput(result: Result): boolean {
  return result['resultType'] === inputRequired;
}

/** Returns whether the result of a method may ask for input. */
export function mayAskForInput(method: string): boolean {
  return asking.includes(method);
}

/** Returns whether a client opens pages for its user: elicitation by URL. */
export function opensPages(capabilities: Capabilities): boolean {
  return Object.hasOwn(objectIn(capabilities, 'elicitation'), 'url');
}

/** A request for input, under the name that its answer has. */
interface InputRequest extends Pick<IncomingRequest, 'method' | 'params'> {
  readonly name: string;
}

/**
 * Decodes what a result asks for.
 *
 * @throws Error when it asks too much, or for what the client cannot do: a target is told what it can
 */
export function inputRequestsOf(method: string, result: Result, capabilities: Capabilities): readonly InputRequest[] {
  if (!mayAskForInput(method)) throw new Error(`asks for input in answer to ${method}`);
  rememberMembers(result);
  const inputRequests = asJsonObject(result['inputRequests']);
  rememberMembers(inputRequests);
  const requests = Object.entries(inputRequests);
  if (requests.length > maxInputRequests) {
    throw new AnswerLimitError(`it asks for more than ${maxInputRequests} inputs at once`);
  }
  return requests.map(([name, json]) => {
    const request = asJsonObject(json);
    rememberMembers(request);
    const { method: asked, params } = request;
    if (!canBeAsked(asked, capabilities)) throw new Error('asks for input that the client cannot give');
    if (asksForUnknownMode(params, capabilities)) throw new Error('asks for a page that the client cannot open');
    return { name, method: asked, params: isJsonObject(params) ? params : undefined };
  });
}

/**
 * Asks for all inputs at once. Rejects with the first refusal, and cancels the other requests then.
 *
 * @param ask sends one request to the client
 */
export async function answersTo(
  requests: readonly InputRequest[],
  ask: (request: IncomingRequest) => Promise<Result>,
  signal: AbortSignal,
): Promise<JsonObject> {
  const refused = new AbortController();
  const either = AbortSignal.any([signal, refused.signal]);
  try {
    const answers = requests.map(async ({ name, method, params }) => {
      return [name, await ask({ id: name, method, params, signal: either })] as const;
    });
    return Object.fromEntries(await Promise.all(answers));
  } catch (error) {
    refused.abort(error);
    // Not the error of a target, which would be passed on as it is.
    throw error instanceof RpcError ? new RpcError(error.code, error.message) : error;
  }
}

/**
 * Returns a request for an earlier client, which knows an elicitation by URL by its id (MCP 2025-11-25): this revision
 * has none.
 */
export function withElicitationId(request: IncomingRequest, id: () => string): IncomingRequest {
  const { params } = request;
  if (!isOfPage(params) || typeof params['elicitationId'] === 'string') return request;
  return { ...request, params: changed(params, [{ path: ['elicitationId'], value: id() }]) };
}

function isOfPage(params: unknown): params is Params {
  return isJsonObject(params) && params['mode'] === 'url';
}

/** The parameters of the request that is repeated with the answers, and with the state that the result has. */
export function withAnswers(params: Params | undefined, answers: JsonObject, result: Result): Params {
  const state = result['requestState'];
  const changes: JsonChange[] = [{ path: ['inputResponses'], value: answers }];
  changes.push(typeof state === 'string' ? { path: ['requestState'], value: state } : { path: ['requestState'] });
  return changed(params ?? {}, changes);
}
