import type { ExplainInputs, TokenSigners } from './model.ts';

/**
 * Who may sign the tokens of a Gateway, as its agentgateway nodes are sent it; undefined for a Gateway that is not served.
 * Other gateways have this in their own configuration.
 */
export function tokenSigners(
  { translation }: Pick<ExplainInputs, 'translation'>,
  gateway: string,
): TokenSigners | undefined {
  if (translation.gateways.get(gateway)?.kind !== 'served') return undefined;
  const providers = (translation.jwtProviders.get(gateway) ?? []).map(({ issuer, audiences, keys }) => ({
    issuer,
    audiences,
    keyIds: keys.map(({ kid }) => kid),
  }));
  return { providers, problem: providers.length > 0 ? undefined : problemOf(translation, gateway) };
}

/** Why nobody may sign: what the status of the Gateway says, with the remedy. */
function problemOf({ gatewayStatuses }: ExplainInputs['translation'], gateway: string): string {
  const conditions = gatewayStatuses.get(gateway)?.conditions ?? [];
  const found = conditions.find(({ type }) => type === 'kgateway.dev/JWTProvided');
  const remedy = 'Write spec.jwt, with its issuers and their keys, in one policy of the Gateway.';
  switch (found?.reason) {
    case undefined:
      return `No policy names the Gateway, so agentgateway nodes of the Gateway authenticate nobody. ${remedy}`;
    case 'NotProvided':
      return `${found.message} ${remedy}`;
    case 'NoUsableKey':
      return `${found.message} The status of the policy says what is wrong with them.`;
    case 'Pending':
      // Without a running control plane nothing is fetched, so this is no statement about one.
      return `${found.message} explain fetches no keys: ask a control plane, which does, with --server.`;
    default:
      return found?.message ?? '';
  }
}
