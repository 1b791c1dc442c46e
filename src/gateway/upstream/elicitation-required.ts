import { asJsonObject, objectIn, objectsOf, textIn } from '../../json/json.ts';
import type { Params, Result } from '../rpc/model.ts';
import { inputRequired } from '../rpc/protocol.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import { changed } from '../rpc/source-text.ts';
import { maxInputRequests, mayAskForInput, opensPages } from './input-required.ts';
import type { Capabilities } from './model.ts';

/*
 * A server of MCP 2025-11-25 says by an error that the user has to open a page first (URLElicitationRequiredError). MCP
 * 2026-07-28 forbids that error: there a result asks for it, and the client repeats its request once the user has
 * agreed. Such a result of the gateway has no state: what is repeated is the request itself, which the target answers
 * by what it knows of the user by then. So any replica serves it.
 */

/**
 * Returns the result that asks a client of MCP 2026-07-28 for what an error of an earlier target asks for.
 *
 * @throws RpcError the error itself when it asks for nothing, or that of a client that opens no pages
 */
export function askedByError(error: unknown, method: string, capabilities: Capabilities): Result {
  if (!(error instanceof RpcError) || error.code !== errorCode.urlElicitationRequired) throw error;
  const elicitations = objectsOf(objectIn(error.received, 'data')['elicitations']).filter(
    (elicitation) => elicitation['mode'] === 'url' && textIn(elicitation, 'url') !== undefined,
  );
  if (!mayAskForInput(method) || elicitations.length === 0 || elicitations.length > maxInputRequests) throw error;
  if (!opensPages(capabilities)) throw missingCapability();
  const requests = elicitations.map((elicitation, index) => {
    // Of the earlier revision: a later client has no use for them.
    const params = changed(elicitation, [{ path: ['elicitationId'] }, { path: ['task'] }]);
    return [`elicitation ${index + 1}`, { method: 'elicitation/create', params }] as const;
  });
  return { resultType: inputRequired, inputRequests: Object.fromEntries(requests) };
}

/**
 * Returns the parameters of a repeated request for a target that knows nothing of answers.
 *
 * @throws RpcError when the user has not agreed
 */
export function withoutAnswers(params: Params | undefined): Params | undefined {
  const answers = params?.['inputResponses'];
  if (params === undefined || answers === undefined) return params;
  if (Object.values(asJsonObject(answers)).some((answer) => asJsonObject(answer)['action'] !== 'accept')) {
    const message = 'The request was not repeated: the user has not agreed to what its target needs first';
    throw new RpcError(errorCode.invalidRequest, message);
  }
  return changed(params, [{ path: ['inputResponses'] }]);
}

function missingCapability(): RpcError {
  const code = errorCode.missingClientCapability;
  const message = 'The user has to open a page first, for which the client must declare elicitation.url';
  return new RpcError(code, message, {
    code,
    message,
    data: { requiredCapabilities: { elicitation: { url: {} } } },
  });
}
