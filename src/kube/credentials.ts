import type { RequestOptions } from 'node:https';
import type { Clock } from '../edges.ts';
import type { ClusterAccess } from './access.ts';
import { KubeConfigError, reasonOf } from './kubeconfig/kubeconfig-error.ts';
import { readTarget, type Target } from './kubeconfig/target.ts';

/** What proves who we are, and what the server must prove. */
export interface Credentials {
  /** Of each request, with names in lower case: secrets. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of the connection. */
  readonly tls: TlsMaterial;
}

/** In the form that Node's `tls.connect` takes. */
export type TlsMaterial = Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'>;

/** Within this time, in milliseconds, nothing is looked up again: files are read, and plugins asked, by client-node. */
const FRESH = 10_000;

/** client-node 2.0.1 takes the seconds that a refreshed ID token lives for the date of its end, so it refreshes at every look. */
const FRESH_OIDC = 300_000;

interface Held {
  readonly credentials: Credentials;
  readonly since: number;
}

/**
 * Who we are, for a short time without looking. Certificates are read from their files every 10 seconds, tokens every
 * minute; a plugin's answer and an OIDC token hold until they expire.
 */
export class CredentialCache {
  readonly #access: ClusterAccess;
  readonly #clock: Clock;
  #target: Target;
  /** Whether the kubeconfig, with all that client-node remembers for it, is to be read again. */
  #doubtful = false;
  #held: Held | undefined;
  /** One look-up at a time: a plugin may take long. */
  #pending: Promise<Credentials> | undefined;

  constructor(access: ClusterAccess, target: Target, clock: Clock) {
    this.#access = access;
    this.#target = target;
    this.#clock = clock;
  }

  /** @throws KubeConfigError when a file, a plugin or an issuer does not give them */
  get(): Promise<Credentials> {
    const held = this.#held;
    if (held !== undefined && this.#isFresh(held)) return Promise.resolve(held.credentials);
    if (this.#pending !== undefined) return this.#pending;
    const pending = this.#read().then(
      (credentials) => {
        if (this.#pending === pending) this.#held = { credentials, since: this.#clock.now() };
        this.#settled(pending);
        return credentials;
      },
      (error: unknown) => {
        this.#settled(pending);
        throw error;
      },
    );
    this.#pending = pending;
    return pending;
  }

  /**
   * Everything is read anew, the kubeconfig as well.
   *
   * @param refused those that were not accepted; when others were read since, there is nothing to do
   */
  forget(refused?: Credentials): void {
    if (refused !== undefined && this.#held?.credentials !== refused) return;
    this.#held = undefined;
    this.#pending = undefined;
    this.#doubtful = true;
  }

  #isFresh({ since }: Held): boolean {
    // A clock that was set back must not keep them for ever.
    return Math.abs(this.#clock.now() - since) < (this.#target.isOidc ? FRESH_OIDC : FRESH);
  }

  #settled(pending: Promise<Credentials>): void {
    if (this.#pending === pending) this.#pending = undefined;
  }

  async #read(): Promise<Credentials> {
    if (this.#doubtful) this.#target = this.#readAgain();
    this.#doubtful = false;
    const target = this.#target;
    try {
      const options = await target.identity.prove();
      return { headers: headersOf(options), tls: tlsOf(options) };
    } catch (error) {
      throw credentialsError(target, error);
    }
  }

  #readAgain(): Target {
    const [before, now] = [this.#target, readTarget(this.#access)];
    if (now.server.href !== before.server.href) {
      throw new KubeConfigError(
        `the kubeconfig leads to ${now.server.origin} now, no longer to ${before.server.origin}; restart to go there`,
      );
    }
    // An OIDC user's refresh token may be good for one use only: the one in the file is spent, client-node has the next.
    return now.written === before.written && now.isOidc ? before : now;
  }
}

function headersOf({ headers, auth }: RequestOptions): Readonly<Record<string, string>> {
  const named: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    // A token in a file mostly ends with its line, which is no part of it.
    if (typeof value === 'string') named[name.toLowerCase()] = value.trim();
  }
  if (typeof auth === 'string') named['authorization'] = `Basic ${Buffer.from(auth).toString('base64')}`;
  return named;
}

function tlsOf(options: RequestOptions): TlsMaterial {
  const { ca, cert, key, rejectUnauthorized, servername } = options;
  const all = { ca, cert, key, rejectUnauthorized, servername };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function credentialsError({ user, command, isOidc }: Target, error: unknown): KubeConfigError {
  if (command === undefined) {
    // client-node 2.0.1 cannot refresh where idp-certificate-authority is given.
    const remedy = isOidc ? '; log in anew, or let a plugin do it, such as kubelogin' : '';
    return new KubeConfigError(
      `the credentials of user "${user.name}" cannot be had: ${placeOf(error)}${reasonOf(error)}${remedy}`,
    );
  }
  // What a plugin wrote may hold a token, and a JSON error quotes it.
  const reason =
    error instanceof SyntaxError || error instanceof TypeError ? 'what it wrote is no ExecCredential' : reasonOf(error);
  return new KubeConfigError(
    `the credentials of user "${user.name}" cannot be had from the plugin ${command}: ${reason}; run it by hand to see more`,
  );
}

function placeOf(error: unknown): string {
  return error instanceof Error && 'path' in error && typeof error.path === 'string' ? `${error.path}: ` : '';
}
