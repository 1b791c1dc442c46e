import { parseBoundedJson } from '../json/bounded-json.ts';
import { isJsonObject, type JsonObject, objectIn, textIn } from '../json/json.ts';
import { shortened } from '../json/quoted.ts';
import { apiErrorText, responseError } from './api-error.ts';
import type { KubeConnection } from './model.ts';
import { objectBounds } from './object-limits.ts';

/** Who a token belongs to, as the API server says. */
export interface ReviewedUser {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  /** What the authenticator says besides. Authorizers may narrow by it, such as by the scopes of a token. */
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** `unavailable`: the API server did not answer, or with something that is no review; nothing is known then. */
type TokenReview =
  | { readonly kind: 'authenticated'; readonly user: ReviewedUser }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'unavailable'; readonly message: string };

type AccessReview =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'denied' }
  | { readonly kind: 'unavailable'; readonly message: string };

type Asked = Pick<KubeConnection, 'ask'>;

/**
 * Asks whether a token is valid (TokenReview, `authentication.k8s.io/v1`). Never rejects.
 *
 * @param audience undefined: that of the API server itself
 */
export async function reviewToken(
  connection: Asked,
  {
    token,
    audience,
    signal,
  }: { readonly token: string; readonly audience: string | undefined; readonly signal: AbortSignal },
): Promise<TokenReview> {
  const spec = { token, ...(audience !== undefined && { audiences: [audience] }) };
  const answer = await review(connection, 'authentication.k8s.io/v1', 'TokenReview', spec, signal);
  if (answer.kind === 'unavailable') return answer;
  const { status } = answer;
  const { authenticated, audiences } = status;
  // A server that does not know audiences names none: then the token may be for somebody else.
  const meant = audience === undefined || (Array.isArray(audiences) && audiences.includes(audience));
  // The API server leaves out what is false.
  if (authenticated !== undefined && typeof authenticated !== 'boolean') {
    return { kind: 'unavailable', message: 'the API server answers with a TokenReview that cannot be read' };
  }
  if (authenticated !== true) {
    return { kind: 'refused', message: shortened(textIn(status, 'error') ?? 'the API server does not accept it') };
  }
  if (!meant) return { kind: 'refused', message: `it is not for the audience ${audience}` };
  const user = objectIn(status, 'user');
  const { groups } = user;
  const extra = extraOf(objectIn(user, 'extra'));
  if (extra === undefined) {
    return { kind: 'unavailable', message: 'the API server answers with a user whose extra values cannot be read' };
  }
  return {
    kind: 'authenticated',
    user: {
      username: textIn(user, 'username') ?? '',
      uid: textIn(user, 'uid') ?? '',
      groups: Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [],
      extra,
    },
  };
}

/** Returns undefined when a value cannot be read: to leave it out may widen what the user is allowed. */
function extraOf(extra: JsonObject): ReviewedUser['extra'] | undefined {
  const entries = Object.entries(extra);
  if (!entries.every(([, values]) => Array.isArray(values) && values.every((value) => typeof value === 'string'))) {
    return undefined;
  }
  return Object.fromEntries(entries.map(([name, values]) => [name, Array.isArray(values) ? values.map(String) : []]));
}

/** Asks whether a user may use a URL of this server (SubjectAccessReview, `authorization.k8s.io/v1`). Never rejects. */
export async function reviewAccess(
  connection: Asked,
  { username, uid, groups, extra }: ReviewedUser,
  nonResourceAttributes: { readonly path: string; readonly verb: string },
  signal: AbortSignal,
): Promise<AccessReview> {
  const spec = { user: username, uid, groups, extra, nonResourceAttributes };
  const answer = await review(connection, 'authorization.k8s.io/v1', 'SubjectAccessReview', spec, signal);
  if (answer.kind === 'unavailable') return answer;
  const { allowed, denied } = answer.status;
  return { kind: allowed === true && denied !== true ? 'allowed' : 'denied' };
}

async function review(
  connection: Asked,
  apiVersion: string,
  kind: 'TokenReview' | 'SubjectAccessReview',
  spec: JsonObject,
  signal: AbortSignal,
): Promise<
  | { readonly kind: 'answered'; readonly status: JsonObject }
  | { readonly kind: 'unavailable'; readonly message: string }
> {
  try {
    const response = await connection.ask({
      method: 'POST',
      path: `/apis/${apiVersion}/${kind.toLowerCase()}s`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ apiVersion, kind, spec }),
      signal,
    });
    // Without a time: the wait that the server may ask for is not used.
    if (response.status < 200 || response.status >= 300) {
      return { kind: 'unavailable', message: apiErrorText(responseError(response, 0)) };
    }
    const parsed = parseBoundedJson(response.body, objectBounds);
    if (parsed.kind === 'json' && isJsonObject(parsed.value) && parsed.value['kind'] === kind) {
      return { kind: 'answered', status: objectIn(parsed.value, 'status') };
    }
    return { kind: 'unavailable', message: `the API server answers with something that is no ${kind}` };
  } catch (error) {
    return { kind: 'unavailable', message: error instanceof Error ? error.message : 'no answer' };
  }
}
