import { isAbsolute, join } from 'node:path';
import type { User } from '@kubernetes/client-node';
import { newUsers } from '@kubernetes/client-node/dist/config_types.js';
import { asJsonObject, type JsonObject } from '../../json/json.ts';

/** One entry of `users`. */
export interface KubeconfigUser extends User {
  /** A field with a meaning that is not implemented here; undefined: there is none. */
  readonly unsupported: string | undefined;
}

/**
 * Decodes the users of a kubeconfig with client-node, makes their paths absolute, and adds what client-node does not
 * know or gets wrong. Entries without a name are skipped.
 */
export function usersIn(entries: unknown, folder: string): readonly KubeconfigUser[] {
  const fieldsOf = fieldsByName(entries);
  return newUsers(entries, { onInvalidEntry: 'filter' }).map((user) => {
    const fields = fieldsOf.get(user.name) ?? {};
    return { ...completeUser(withAbsolutePaths(user, folder), fields, folder), unsupported: unsupportedIn(fields) };
  });
}

/** Fields of an unsupported impersonation; without it, requests would have the impersonating user's rights. */
const otherImpersonation: readonly string[] = ['as-uid', 'as-groups', 'as-user-extra'];

function unsupportedIn(fields: JsonObject): string | undefined {
  const as = fields['as'] ?? '';
  if (typeof as !== 'string') return 'as';
  return otherImpersonation.find((field) => (fields[field] ?? '') !== '');
}

function withAbsolutePaths(user: User, folder: string): User {
  const { certFile, keyFile } = user;
  return {
    ...user,
    ...(certFile && { certFile: absolute(folder, certFile) }),
    ...(keyFile && { keyFile: absolute(folder, keyFile) }),
  };
}

function completeUser(user: User, fields: JsonObject, folder: string): User {
  const [exec, provider] = [asJsonObject(user.exec), asJsonObject(user.authProvider)];
  if (typeof exec['command'] === 'string' && exec['command'].includes('/')) {
    return { ...user, exec: { ...exec, command: absolute(folder, exec['command']) } };
  }
  const config = asJsonObject(provider['config']);
  const issuer = config['idp-issuer-url'];
  if (typeof issuer === 'string' && URL.canParse(issuer)) {
    // client-node 2.0.1 passes it on to openid-client 6 as it is, which takes nothing but a URL.
    return { ...user, authProvider: { ...provider, config: { ...config, 'idp-issuer-url': new URL(issuer) } } };
  }
  const tokenFile = fields['tokenFile'];
  if (typeof tokenFile !== 'string' || tokenFile === '') return user;
  // As client-go, prefers the file to a token.
  const { token: _token, ...rest } = user;
  return { ...rest, authProvider: { name: 'tokenFile', config: { tokenFile: absolute(folder, tokenFile) } } };
}

/** The fields of each user as written; of two with one name those of the first. */
function fieldsByName(entries: unknown): ReadonlyMap<unknown, JsonObject> {
  const found = new Map<unknown, JsonObject>();
  const users: readonly unknown[] = Array.isArray(entries) ? entries : [];
  for (const entry of users) {
    const { name, user } = asJsonObject(entry);
    if (!found.has(name)) found.set(name, asJsonObject(user));
  }
  return found;
}

/** Resolves a path of a kubeconfig: a relative one is relative to the folder of the file. */
export function absolute(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}
