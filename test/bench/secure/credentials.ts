import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority } from '../../support/api-server/kube-certificates.ts';
import type { KubeApiServer } from '../../support/cluster/kube-apiserver.ts';
import { createIssuer, type Issuer } from '../../support/gateway/issuer.ts';

/** The files in the folder that servers and fleets read. */
export const files = { cert: 'tls.crt', key: 'tls.key', ca: 'ca.crt', jwks: 'jwks.json' } as const;

/** The account of all nodes, and what their tokens are for. */
export const account = { namespace: 'default', name: 'gw' } as const;
export const audience = 'gatehouse';
export const issuerUrl = 'https://issuer.test';

/** Tokens that are requested of the API server at once. */
const requestsAtOnce = 16;

/** Writes what the servers and the fleets read; returns the issuer whose keys are among it. */
export async function writeFiles(folder: string): Promise<Issuer> {
  const authority = createAuthority('bench');
  const { cert, key } = authority.issue();
  const issuer = await createIssuer('ES256', 'bench');
  writeFileSync(join(folder, files.cert), cert);
  writeFileSync(join(folder, files.key), key);
  writeFileSync(join(folder, files.ca), authority.cert);
  writeFileSync(join(folder, files.jwks), JSON.stringify({ keys: [issuer.jwk] }));
  return issuer;
}

/** A token for each node, so that each is verified by itself. */
export function signTokens(issuer: Issuer, nodes: number): Promise<readonly string[]> {
  const { namespace, name } = account;
  const now = Math.floor(Date.now() / 1_000);
  const claims = { iss: issuerUrl, aud: audience, exp: now + 3_600, sub: `system:serviceaccount:${namespace}:${name}` };
  return Promise.all(Array.from({ length: nodes }, (_, index) => issuer.sign({ ...claims, jti: `${now}-${index}` })));
}

/** The same of the API server (TokenRequest). */
export async function requestTokens(api: KubeApiServer, nodes: number): Promise<readonly string[]> {
  const { namespace, name } = account;
  // Creates the account as well.
  const tokens = new Set<string>([await api.serviceAccountToken(namespace, name)]);
  tokens.clear();
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const body = { spec: { audiences: [audience], expirationSeconds: 3_600 } };
  const request = async (): Promise<void> => {
    while (tokens.size < nodes) {
      const { json, text } = await api.request(path, { method: 'POST', body });
      const token = (json as { readonly status?: { readonly token?: string } }).status?.token;
      if (token === undefined) throw new Error(text);
      tokens.add(token);
    }
  };
  await Promise.all(Array.from({ length: requestsAtOnce }, request));
  return [...tokens].slice(0, nodes);
}
