import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import type { Cluster, User } from '@kubernetes/client-node';

/** Puts a user's token or certificate on a request; client-node's interface. */
interface Authenticator {
  applyAuthentication(user: User, options: RequestOptions): Promise<void>;
}

/**
 * Asks client-node for what a request carries, by the rules of `KubeConfig.applyToHTTPSOptions`; that class itself
 * loads a client for every API of Kubernetes (`docs/decisions/0010-client-node.md`).
 */
export class CredentialProvider {
  readonly #cluster: Cluster;
  readonly #user: User;
  /** Kept for good: it remembers tokens. */
  #authenticator: Promise<Authenticator | undefined> | undefined;

  constructor({ cluster, user }: { readonly cluster: Cluster; readonly user: User }) {
    this.#cluster = cluster;
    this.#user = user;
  }

  /** @throws the error of a file, a plugin or an issuer */
  async requestOptions(): Promise<RequestOptions> {
    const user = this.#user;
    const headers: Record<string, string> = {};
    const options: RequestOptions = { ...(await this.#tls()), headers };
    if (user.impersonateUser) headers['Impersonate-User'] = user.impersonateUser;
    this.#authenticator ??= loadAuthenticator(user);
    await (await this.#authenticator)?.applyAuthentication(user, options);
    if (user.token) headers['Authorization'] = `Bearer ${user.token}`;
    if (user.username) options.auth = `${user.username}:${user.password ?? ''}`;
    return options;
  }

  async #tls(): Promise<RequestOptions> {
    const { skipTLSVerify, tlsServerName, caFile, caData } = this.#cluster;
    const { certFile, certData, keyFile, keyData } = this.#user;
    // At one time, as far as that goes: certificate and key are replaced together.
    const files = [read(caFile, caData), read(certFile, certData), read(keyFile, keyData)] as const;
    const [ca, cert, key] = await Promise.all(files);
    return {
      ...(skipTLSVerify && { rejectUnauthorized: false }),
      ...(tlsServerName && { servername: tlsServerName }),
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
    };
  }
}

async function read(file: string | undefined, base64: string | undefined): Promise<Buffer | undefined> {
  if (file) return readFile(file);
  return base64 ? Buffer.from(base64, 'base64') : undefined;
}

/**
 * Loads client-node's authenticator for this user, and no other; undefined when the kubeconfig holds the credentials.
 */
async function loadAuthenticator({ exec, authProvider }: User): Promise<Authenticator | undefined> {
  const provider: unknown = authProvider?.name;
  if (provider === 'azure') {
    const { AzureAuth } = await import('@kubernetes/client-node/dist/azure_auth.js');
    return new AzureAuth();
  }
  if (provider === 'gcp') {
    const { GoogleCloudPlatformAuth } = await import('@kubernetes/client-node/dist/gcp_auth.js');
    return new GoogleCloudPlatformAuth();
  }
  if (exec || provider === 'exec' || authProvider?.config?.exec) {
    const { ExecAuth } = await import('@kubernetes/client-node/dist/exec_auth.js');
    return new ExecAuth();
  }
  if (authProvider?.config?.tokenFile) {
    const { FileAuth } = await import('@kubernetes/client-node/dist/file_auth.js');
    return new FileAuth();
  }
  if (provider === 'oidc') {
    // The only one that loads most of client-node.
    const { OpenIDConnectAuth } = await import('@kubernetes/client-node/dist/oidc_auth.js');
    return new OpenIDConnectAuth();
  }
  return undefined;
}
