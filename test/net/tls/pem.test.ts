import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readCertificates, readPrivateKey } from '../../../src/net/tls/pem.ts';
import { createAuthority } from '../../support/api-server/kube-certificates.ts';

const authority = createAuthority('ca');
const { cert, key } = authority.issue();
const certificates = (text: string): number => readCertificates({ path: 'ca.crt', text }).length;
const privateKey = (text: string): string => readPrivateKey({ path: 'tls.key', text }).type;

describe('a file of certificates', () => {
  it('has them one after another, with comments and blank lines between', () => {
    expect(certificates(`# the first\n${cert}\r\n\n# the second\n${authority.cert}`)).toBe(2);
  });

  it.each([
    ['', 'ca.crt has no certificate; it holds one or more of them, in PEM'],
    ['\n', 'ca.crt has no certificate'],
    [`${cert}garbage\n${cert}`, 'ca.crt:10: this line is neither part of a block nor blank nor a comment (#)'],
    [`${cert}${key}`, 'ca.crt:10: PRIVATE KEY stands where a certificate belongs; remove it'],
    [
      cert.replace('-----END CERTIFICATE-----\n', ''),
      'ca.crt:1: the block that begins here does not end; the file may be cut',
    ],
    [cert.replace('END CERTIFICATE', 'END PRIVATE KEY'), 'ca.crt:9: this line is neither'],
    [
      `${cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
      'ca.crt:10: this certificate cannot be read',
    ],
    [cert.repeat(129), 'more than 128 blocks; remove those that are not used'],
  ])('is refused with its line when it holds something else: case %#', (text, message) => {
    expect(() => certificates(text)).toThrow(message);
  });
});

describe('a file with a private key', () => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const secret = { cipher: 'aes-256-cbc', passphrase: 'x' } as const;

  it('has one, in any of the usual forms', () => {
    expect(privateKey(key)).toBe('private');
    expect(privateKey(pair.privateKey.export({ type: 'sec1', format: 'pem' }).toString())).toBe('private');
    expect(privateKey(`-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${key}`)).toBe(
      'private',
    );
  });

  it.each([
    ['', 'tls.key has no private key; it holds one, in PEM'],
    [cert, 'tls.key:1: CERTIFICATE stands where the private key belongs'],
    [key + key, 'a second block; the file holds one private key and no more'],
    [pair.privateKey.export({ type: 'pkcs8', format: 'pem', ...secret }).toString(), 'tls.key has a passphrase'],
    [pair.privateKey.export({ type: 'sec1', format: 'pem', ...secret }).toString(), 'tls.key has a passphrase'],
    ['-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', 'tls.key:1: this private key cannot be read'],
  ])('is refused when it holds something else: case %#', (text, message) => {
    expect(() => privateKey(text)).toThrow(message);
  });

  it('is not repeated by the message', () => {
    expect(() => privateKey(`${key}${key.split('\n')[1]}`)).toThrow(/^(?!.*[A-Za-z0-9+/]{20})/);
  });
});
