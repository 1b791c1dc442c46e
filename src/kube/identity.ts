import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import type { Cluster, User } from '@kubernetes/client-node';
import { type Authenticator, authenticatorOf } from './authenticator.ts';

/**
 * One user at one cluster. Its parts are those of client-node, its rules those of `KubeConfig.applyToHTTPSOptions`; that
 * class itself comes with a client for every API of Kubernetes.
 */
export class Identity {
  readonly #cluster: Cluster;
  readonly #user: User;
  /** One for good: it remembers tokens. */
  #authenticator: Promise<Authenticator | undefined> | undefined;

  constructor(cluster: Cluster, user: User) {
    this.#cluster = cluster;
    this.#user = user;
  }

  /** What a request has to carry right now. Throws what a file, a plugin or an issuer fails with. */
  async prove(): Promise<RequestOptions> {
    const user = this.#user;
    const headers: Record<string, string> = {};
    const options: RequestOptions = { ...this.#tls(), headers };
    if (user.impersonateUser) headers['Impersonate-User'] = user.impersonateUser;
    this.#authenticator ??= authenticatorOf(user);
    await (await this.#authenticator)?.applyAuthentication(user, options);
    if (user.token) headers['Authorization'] = `Bearer ${user.token}`;
    if (user.username) options.auth = `${user.username}:${user.password ?? ''}`;
    return options;
  }

  #tls(): RequestOptions {
    const { skipTLSVerify, tlsServerName, caFile, caData } = this.#cluster;
    const { certFile, certData, keyFile, keyData } = this.#user;
    const [ca, cert, key] = [read(caFile, caData), read(certFile, certData), read(keyFile, keyData)];
    return {
      ...(skipTLSVerify && { rejectUnauthorized: false }),
      ...(tlsServerName && { servername: tlsServerName }),
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
    };
  }
}

function read(file: string | undefined, base64: string | undefined): Buffer | undefined {
  if (file) return readFileSync(file);
  return base64 ? Buffer.from(base64, 'base64') : undefined;
}
