import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';

/** The administrator: a member of `system:masters`, which RBAC does not restrict. */
export const ADMIN = 'admin';

/** The users of the API server and their credentials. */
export interface Identities {
  /** The static token of a user. Throws for an unknown user. */
  readonly token: (user: string) => string;
  /** Signs the claims of a token of the API server anew, with some of them changed, as the API server would. */
  readonly signedAgain: (token: string, changes: Readonly<Record<string, unknown>>) => string;
  /** The authentication flags of the API server. */
  readonly flags: readonly string[];
}

/** Creates a token for the administrator and each user, and a signing key for service accounts. */
export function createIdentities(folder: string, users: Readonly<Record<string, readonly string[]>>): Identities {
  const everybody = Object.entries({ ...users, [ADMIN]: ['system:masters'] });
  const tokens = new Map(everybody.map(([user]) => [user, randomBytes(24).toString('hex')]));
  const token = (user: string): string => {
    const found = tokens.get(user);
    if (found === undefined) throw new Error(`The API server knows no ${user}: name it in \`users\`.`);
    return found;
  };
  const lines = everybody.map(([user, groups]) => `${token(user)},${user},${user},"${groups.join(',')}"\n`);
  const file = join(folder, 'tokens.csv');
  writeFileSync(file, lines.join(''), { mode: 0o600 });

  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = join(folder, 'service-accounts.key');
  writeFileSync(key, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  return {
    token,
    signedAgain: (own, changes) => {
      const [head = '', payload = ''] = own.split('.');
      const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), ...changes };
      const text = `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
      const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return `${text}.${signature.toString('base64url')}`;
    },
    flags: [
      `--token-auth-file=${file}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${key}`,
      `--service-account-signing-key-file=${key}`,
    ],
  };
}

/** Writes a kubeconfig file, and returns its path. */
export function writeKubeconfig(folder: string, server: string, ca: string, token: string): string {
  const cluster = { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  const file = join(folder, `kubeconfig-${randomBytes(6).toString('hex')}.yaml`);
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  };
  writeFileSync(file, stringify(content), { mode: 0o600 });
  return file;
}
