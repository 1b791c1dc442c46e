import type { Authentication } from '../model.ts';
import type { ResourceHint } from './protected-resource.ts';

/** Answers to requests whose token is missing, not valid, or cannot be verified. */
export interface Refusals {
  /** 401 for a request without a token; the challenge has no error code (RFC 6750 §3.1). */
  missing(): Authentication;
  /**
   * 401 for a token that is not valid.
   *
   * @param reason a fixed code for the log and the metrics
   * @param message is quoted in the challenge, so it must not contain quotes
   */
  invalid(reason: string, message: string): Authentication;
  /** The challenge of 401 for a token that was valid when its request began to arrive. */
  readonly expired: string;
  /**
   * The challenge of 403 for a token that lacks a scope (RFC 6750, section 3.1); `undefined` without metadata, since
   * nothing says where to get another token then.
   *
   * @param scope is quoted, so it must not contain quotes
   */
  readonly insufficientScope: ((scope: string) => string) | undefined;
  /** 503 while no keys are available: the token may well be valid. */
  keysUnavailable(): Authentication;
}

/**
 * Creates the answers, whose challenges say where the metadata of the resource is (RFC 9728 §5.1) and which scopes to
 * ask for, when these are known. Their texts contain nothing that a quoted string would have to escape.
 */
export function createRefusals(resource: ResourceHint | undefined): Refusals {
  const scope = resource === undefined || resource.scopes.length === 0 ? '' : `, scope="${resource.scopes.join(' ')}"`;
  const metadata = resource === undefined ? '' : `, resource_metadata="${resource.metadataUrl}"${scope}`;
  const challenge = 'Bearer realm="mcp-gateway"';
  const invalidToken = (message: string): string =>
    `${challenge}, error="invalid_token", error_description="${message}"${metadata}`;
  return {
    missing: () => ({
      kind: 'refused',
      status: 401,
      reason: 'no token',
      challenge: `${challenge}${metadata}`,
      message: 'A token is required: send it as Authorization: Bearer <token>',
    }),
    invalid: (reason, message) => ({
      kind: 'refused',
      status: 401,
      reason,
      challenge: invalidToken(message),
      message,
    }),
    expired: invalidToken('The token has expired'),
    insufficientScope:
      resource === undefined
        ? undefined
        : (needed) =>
            `${challenge}, error="insufficient_scope", scope="${needed}", resource_metadata="${resource.metadataUrl}"`,
    keysUnavailable: () => ({
      kind: 'refused',
      status: 503,
      reason: 'no keys',
      message: 'The keys to verify tokens with cannot be had right now; try again later',
    }),
  };
}
