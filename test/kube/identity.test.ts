import { expect, it } from 'vitest';
import { Identity } from '../../src/kube/identity.ts';

const cluster = { name: 'c', server: 'https://a', skipTLSVerify: false };
const base64 = (text: string): string => Buffer.from(text).toString('base64');

it('asks as whom the user impersonates', async () => {
  const { headers } = await new Identity(cluster, { name: 'u', token: 't', impersonateUser: 'bob' }).prove();
  expect(headers).toEqual({ Authorization: 'Bearer t', 'Impersonate-User': 'bob' });
});

it('has name and password, a missing one being empty', async () => {
  expect(await new Identity(cluster, { name: 'u', username: 'a', password: 'b' }).prove()).toMatchObject({
    auth: 'a:b',
  });
  expect(await new Identity(cluster, { name: 'u', username: 'a' }).prove()).toMatchObject({ auth: 'a:' });
});

it('has the certificates of the connection, and looks away only when told to', async () => {
  const user = { name: 'u', certData: base64('cert'), keyData: base64('key') };
  const strict = await new Identity({ ...cluster, caData: base64('ca') }, user).prove();
  expect(strict).toEqual({ ca: Buffer.from('ca'), cert: Buffer.from('cert'), key: Buffer.from('key'), headers: {} });
  const lax = await new Identity({ ...cluster, skipTLSVerify: true, tlsServerName: 'n' }, { name: 'u' }).prove();
  expect(lax).toEqual({ rejectUnauthorized: false, servername: 'n', headers: {} });
});
