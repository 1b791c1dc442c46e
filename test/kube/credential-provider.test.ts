import { writeFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { join } from 'node:path';
import type { Cluster, User } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { CredentialProvider } from '../../src/kube/credential-provider.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const cluster: Cluster = { name: 'c', server: 'https://a', skipTLSVerify: false };
const base64 = (text: string): string => Buffer.from(text).toString('base64');

function optionsOf(user: Omit<User, 'name'>, more: Partial<Cluster> = {}): Promise<RequestOptions> {
  return new CredentialProvider({ cluster: { ...cluster, ...more }, user: { name: 'u', ...user } }).requestOptions();
}

describe('the options of a request', () => {
  it('impersonate the user that the kubeconfig names', async () => {
    const { headers } = await optionsOf({ token: 't', impersonateUser: 'bob' });
    expect(headers).toEqual({ Authorization: 'Bearer t', 'Impersonate-User': 'bob' });
  });

  it('have name and password, with an empty one where it is missing', async () => {
    expect(await optionsOf({ username: 'a', password: 'b' })).toMatchObject({ auth: 'a:b' });
    expect(await optionsOf({ username: 'a' })).toMatchObject({ auth: 'a:' });
  });

  it('have certificates that are read from files in another iteration of the event loop', async () => {
    const folder = temporaryFolder();
    const written = (name: string): string => {
      writeFileSync(join(folder, name), `text of ${name}`);
      return join(folder, name);
    };
    const user = { certFile: written('cert'), keyFile: written('key') };
    let isRead = false;
    const options = optionsOf(user, { caFile: written('ca') }).finally(() => {
      isRead = true;
    });
    // What is done without a file is done after some of these.
    for (let step = 0; step < 100; step += 1) await Promise.resolve();
    expect(isRead).toBe(false);
    expect(await options).toEqual({
      ca: Buffer.from('text of ca'),
      cert: Buffer.from('text of cert'),
      key: Buffer.from('text of key'),
      headers: {},
    });
  });

  it('have the certificates of the connection, and skip verification only where the kubeconfig says so', async () => {
    const strict = await optionsOf({ certData: base64('cert'), keyData: base64('key') }, { caData: base64('ca') });
    expect(strict).toEqual({ ca: Buffer.from('ca'), cert: Buffer.from('cert'), key: Buffer.from('key'), headers: {} });
    const lax = await optionsOf({}, { skipTLSVerify: true, tlsServerName: 'n' });
    expect(lax).toEqual({ rejectUnauthorized: false, servername: 'n', headers: {} });
  });
});
