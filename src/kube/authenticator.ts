import type { RequestOptions } from 'node:https';
import type { User } from '@kubernetes/client-node';

/** What puts a user's token, or certificate, on a request. */
export interface Authenticator {
  applyAuthentication(user: User, options: RequestOptions): Promise<void>;
}

/**
 * client-node's way for this user; undefined when all that proves it stands in the kubeconfig. Of client-node's
 * ways only this one is loaded (`docs/decisions/0010-client-node.md`).
 */
export async function authenticatorOf({ exec, authProvider }: User): Promise<Authenticator | undefined> {
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
    // It alone needs most of client-node.
    const { OpenIDConnectAuth } = await import('@kubernetes/client-node/dist/oidc_auth.js');
    return new OpenIDConnectAuth();
  }
  return undefined;
}
