import { isAbsolute, join } from 'node:path';
import type { User } from '@kubernetes/client-node';
import { newUsers } from '@kubernetes/client-node/dist/config_types.js';

/** One entry of `users`. */
export interface KubeconfigUser extends User {
  /** A field that asks for something which nobody here does; undefined: there is none. */
  readonly unsupported: string | undefined;
}

/**
 * The users of a kubeconfig, with paths that no longer depend on the working folder, and what client-node does not know
 * or gets wrong. Entries without a name are left out.
 */
export function usersIn(entries: unknown, folder: string): readonly KubeconfigUser[] {
  const fields = fieldsByName(entries);
  return newUsers(entries, { onInvalidEntry: 'filter' }).map((user) => {
    const own = fields.get(user.name) ?? {};
    return { ...completed(withAbsoluteFiles(user, folder), own, folder), unsupported: unsupportedIn(own) };
  });
}

/** Without the impersonation that somebody asked for, requests would be made with the rights of whoever impersonates. */
const otherImpersonation: readonly string[] = ['as-uid', 'as-groups', 'as-user-extra'];

function unsupportedIn(fields: Readonly<Record<string, unknown>>): string | undefined {
  const as = fields['as'] ?? '';
  if (typeof as !== 'string') return 'as';
  return otherImpersonation.find((field) => (fields[field] ?? '') !== '');
}

function withAbsoluteFiles(user: User, folder: string): User {
  const { certFile, keyFile } = user;
  return {
    ...user,
    ...(certFile && { certFile: absolute(folder, certFile) }),
    ...(keyFile && { keyFile: absolute(folder, keyFile) }),
  };
}

function completed(user: User, fields: Readonly<Record<string, unknown>>, folder: string): User {
  const [exec, provider] = [recordOf(user.exec), recordOf(user.authProvider)];
  if (typeof exec['command'] === 'string' && exec['command'].includes('/')) {
    return { ...user, exec: { ...exec, command: absolute(folder, exec['command']) } };
  }
  const issuer = recordOf(provider['config'])['idp-issuer-url'];
  if (typeof issuer === 'string' && URL.canParse(issuer)) {
    // client-node 2.0.1 hands it to openid-client 6 as it is, which takes nothing but a URL.
    const config = { ...recordOf(provider['config']), 'idp-issuer-url': new URL(issuer) };
    return { ...user, authProvider: { ...provider, config } };
  }
  const tokenFile = fields['tokenFile'];
  if (typeof tokenFile !== 'string' || tokenFile === '') return user;
  // client-go prefers the file when there is a token as well.
  const { token: _token, ...rest } = user;
  return { ...rest, authProvider: { name: 'tokenFile', config: { tokenFile: absolute(folder, tokenFile) } } };
}

/** The fields of each user as they are written; of two with one name those of the first. */
function fieldsByName(entries: unknown): ReadonlyMap<unknown, Readonly<Record<string, unknown>>> {
  const found = new Map<unknown, Readonly<Record<string, unknown>>>();
  const users: readonly unknown[] = Array.isArray(entries) ? entries : [];
  for (const entry of users) {
    const { name, user } = recordOf(entry);
    if (!found.has(name)) found.set(name, recordOf(user));
  }
  return found;
}

/** The fields of a decoded value; none when it has no fields. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

export function absolute(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}
