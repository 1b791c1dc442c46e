import type { Authenticator } from '../model.ts';

/** What the admin page may show of how tokens are verified. Public values only. */
export interface AuthnStatus {
  readonly issuers: readonly string[];
  readonly audiences: readonly string[];
  /** Where the keys come from: a path, a URL without its query, or `inline`. */
  readonly source: string;
  /** The key ids in use, `null` for a key without one; `undefined` while there are no keys. */
  readonly keys: readonly (string | null)[] | undefined;
}

/** An authenticator that can say what it goes by. */
export interface JwtAuthenticator extends Authenticator {
  status(): AuthnStatus;
}
