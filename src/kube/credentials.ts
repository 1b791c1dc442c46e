import type { RequestOptions } from 'node:https';
import type { Clock } from '../edges.ts';
import { quoted } from '../json/quoted.ts';
import { CredentialProvider } from './credential-provider.ts';
import { type ClientConfig, readClientConfig } from './kubeconfig/client-config.ts';
import { KubeConfigError, reasonOf } from './kubeconfig/kubeconfig-error.ts';
import type { ClusterAccess } from './model.ts';

/** The credentials of a request: headers, and the TLS material of its connection. */
export interface Credentials {
  /** Headers of each request, with names in lower case: secrets. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsMaterial;
}

/** TLS options of the connection, in the form that `tls.connect` takes. */
export type TlsMaterial = Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'>;

/**
 * Maximum age of cached credentials before client-node is called, which reads files and runs plugins. In milliseconds.
 */
const maxAge = 10_000;

/** client-node 2.0.1 takes an ID token's lifetime in seconds for its expiry date, so it refreshes at every call. */
const maxAgeOidc = 300_000;

interface Cached {
  readonly credentials: Credentials;
  readonly since: number;
}

/**
 * The credentials of one user, cached for a short time. Certificate files are read every 10 seconds, token files every
 * minute; a plugin's answer and an OIDC token are kept until they expire.
 */
export class CredentialCache {
  readonly #access: ClusterAccess;
  readonly #clock: Clock;
  #config: ClientConfig;
  #provider: CredentialProvider;
  /** True if the kubeconfig has to be read again, and the caches of client-node for it dropped. */
  #stale = false;
  #cached: Cached | undefined;
  /** The one call under way: a plugin may take long. */
  #pending: Promise<Credentials> | undefined;

  constructor(access: ClusterAccess, config: ClientConfig, clock: Clock) {
    this.#access = access;
    this.#config = config;
    this.#provider = new CredentialProvider(config);
    this.#clock = clock;
  }

  /** @throws KubeConfigError when a file, a plugin or an issuer fails */
  get(): Promise<Credentials> {
    const cached = this.#cached;
    if (cached !== undefined && this.#isFresh(cached)) return Promise.resolve(cached.credentials);
    if (this.#pending !== undefined) return this.#pending;
    const pending = this.#read().then(
      (credentials) => {
        if (this.#pending === pending) this.#cached = { credentials, since: this.#clock.monotonic() };
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
   * Reads everything anew at the next call, the kubeconfig as well.
   *
   * @param rejected the credentials that the server did not accept; does nothing when others were read since
   */
  forget(rejected?: Credentials): void {
    if (rejected !== undefined && this.#cached?.credentials !== rejected) return;
    this.#cached = undefined;
    this.#pending = undefined;
    this.#stale = true;
  }

  #isFresh({ since }: Cached): boolean {
    return this.#clock.monotonic() - since < (this.#config.isOidc ? maxAgeOidc : maxAge);
  }

  #settled(pending: Promise<Credentials>): void {
    if (this.#pending === pending) this.#pending = undefined;
  }

  async #read(): Promise<Credentials> {
    if (this.#stale) this.#readClientConfig();
    this.#stale = false;
    const config = this.#config;
    try {
      const options = await this.#provider.requestOptions();
      return { headers: headersOf(options), tls: tlsOf(options) };
    } catch (error) {
      throw credentialsError(config, error);
    }
  }

  #readClientConfig(): void {
    const [before, now] = [this.#config, readClientConfig(this.#access)];
    if (now.server.href !== before.server.href) {
      throw new KubeConfigError(
        `the kubeconfig leads to ${now.server.origin} now, no longer to ${before.server.origin}; restart to go there`,
      );
    }
    // An OIDC user's refresh token may be valid for one use: the one in the file is spent, client-node has the next.
    if (now.content === before.content && now.isOidc) return;
    this.#config = now;
    this.#provider = new CredentialProvider(now);
  }
}

function headersOf({ headers, auth }: RequestOptions): Readonly<Record<string, string>> {
  const byName: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    // Trimmed: a token file usually ends with a line break.
    if (typeof value === 'string') byName[name.toLowerCase()] = value.trim();
  }
  if (typeof auth === 'string') byName['authorization'] = `Basic ${Buffer.from(auth).toString('base64')}`;
  return byName;
}

function tlsOf(options: RequestOptions): TlsMaterial {
  const { ca, cert, key, rejectUnauthorized, servername } = options;
  const all = { ca, cert, key, rejectUnauthorized, servername };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function credentialsError({ user, command, isOidc }: ClientConfig, error: unknown): KubeConfigError {
  if (command === undefined) {
    // client-node 2.0.1 cannot refresh where idp-certificate-authority is given.
    const remedy = isOidc ? '; log in anew, or let a plugin do it, such as kubelogin' : '';
    return new KubeConfigError(
      `the credentials of user ${quoted(user.name)} cannot be had: ${pathOf(error)}${reasonOf(error)}${remedy}`,
    );
  }
  // The plugin's output may hold a token, and a JSON error quotes it.
  const reason =
    error instanceof SyntaxError || error instanceof TypeError ? 'what it wrote is no ExecCredential' : reasonOf(error);
  return new KubeConfigError(
    `the credentials of user ${quoted(user.name)} cannot be had from the plugin ${command}: ${reason}; run it by hand to see more`,
  );
}

function pathOf(error: unknown): string {
  return error instanceof Error && 'path' in error && typeof error.path === 'string' ? `${error.path}: ` : '';
}
