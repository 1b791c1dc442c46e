import type { Stop } from '../../edges.ts';
import type { Authenticator } from '../model.ts';

/** The verification of tokens, as the admin page shows it. Public values only. */
export interface AuthnStatus {
  readonly issuers: readonly string[];
  readonly audiences: readonly string[];
  /** The sources of the keys: paths, URLs without their queries, or `inline`. */
  readonly source: string;
  /** The key ids in use, `null` for a key without one; `undefined` while there are no keys. */
  readonly keys: readonly (string | null)[] | undefined;
}

/** An authenticator with a status for the admin page. */
export interface JwtAuthenticator extends Authenticator {
  status(): AuthnStatus;
  /** Stops fetching keys. */
  readonly stop: Stop;
}
