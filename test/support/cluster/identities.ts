import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';

/** The administrator: a member of `system:masters`, whom nothing is forbidden. */
export const ADMIN = 'admin';

/** Who may come to the API server, and with what. */
export interface Identities {
  /** A static token. Throws for a user who was not asked for at the start. */
  readonly token: (user: string) => string;
  /** The flags that make the API server know them. */
  readonly flags: readonly string[];
}

/** Gives the administrator and each user a token, and the API server a key for those of service accounts. */
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
