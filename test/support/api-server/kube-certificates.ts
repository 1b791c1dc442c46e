import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** A certificate and its key, as PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateWishes {
  /** Subject alternative names: DNS names and IPv4 addresses. Default: `localhost` and 127.0.0.1. */
  readonly names?: readonly string[];
  /** Subject alternative names that are URIs, such as SPIFFE ids. Default: none. */
  readonly uris?: readonly string[];
  /** Extended key usage. Default: none, which allows all. */
  readonly usage?: 'serverAuth' | 'clientAuth';
  /** Default: valid for decades. */
  readonly from?: Date;
  readonly until?: Date;
}

/** A self-signed certificate authority (RFC 5280), without an external program. */
export interface Authority {
  readonly cert: string;
  issue(wishes?: CertificateWishes): Identity;
}

export function createAuthority(name: string): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cert = certificate({
    issuer: name,
    signer: privateKey,
    subject: name,
    subjectKey: publicKey,
    extensions: [extension(OID.basicConstraints, sequence(TRUE))],
  });
  return {
    cert,
    issue({ names = ['localhost', '127.0.0.1'], uris = [], usage, from, until } = {}) {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const own = certificate({
        issuer: name,
        signer: privateKey,
        subject: names[0] ?? 'without a name',
        subjectKey: pair.publicKey,
        extensions: [
          extension(OID.subjectAltName, sequence(...names.map(generalName), ...uris.map(uriName))),
          ...(usage === undefined ? [] : [extension(OID.extendedKeyUsage, sequence(oid(OID[usage])))]),
        ],
        ...(from === undefined ? {} : { from }),
        ...(until === undefined ? {} : { until }),
      });
      return { cert: own, key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
    },
  };
}

interface Certificate {
  readonly issuer: string;
  readonly signer: KeyObject;
  readonly subject: string;
  readonly subjectKey: KeyObject;
  readonly extensions: readonly Buffer[];
  readonly from?: Date;
  readonly until?: Date;
}

function certificate(wanted: Certificate): string {
  const { issuer, signer, subject, subjectKey, extensions } = wanted;
  const { from = new Date('2020-01-01T00:00:00Z'), until = new Date('2090-01-01T00:00:00Z') } = wanted;
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const content = sequence(
    explicit(0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    algorithm,
    distinguishedName(issuer),
    sequence(time(from), time(until)),
    distinguishedName(subject),
    subjectKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensions)),
  );
  const signature = Buffer.concat([Buffer.of(0), sign('sha256', content, signer)]);
  const base64 = sequence(content, algorithm, der(0x03, signature)).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

const OID = {
  commonName: [2, 5, 4, 3],
  subjectAltName: [2, 5, 29, 17],
  basicConstraints: [2, 5, 29, 19],
  extendedKeyUsage: [2, 5, 29, 37],
  serverAuth: [1, 3, 6, 1, 5, 5, 7, 3, 1],
  clientAuth: [1, 3, 6, 1, 5, 5, 7, 3, 2],
  ecdsaWithSha256: [1, 2, 840, 10045, 4, 3, 2],
} as const;

const TRUE = Buffer.of(0x01, 0x01, 0xff);

/** One value in DER (X.690): its tag, its length, its content. */
function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const length = body.length;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), body]);
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), body]);
}

function sequence(...content: readonly Buffer[]): Buffer {
  return der(0x30, ...content);
}

function explicit(number: number, content: Buffer): Buffer {
  return der(0xa0 + number, content);
}

function oid([first = 0, second = 0, ...rest]: readonly number[]): Buffer {
  return der(0x06, Buffer.of(first * 40 + second), ...rest.map(base128));
}

function base128(number: number): Buffer {
  const digits = [number & 0x7f];
  for (let left = number >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
  return Buffer.from(digits);
}

function distinguishedName(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid(OID.commonName), der(0x0c, Buffer.from(commonName)))));
}

/** UTCTime until 2049, GeneralizedTime after it (RFC 5280, 4.1.2.5). */
function time(at: Date): Buffer {
  const digits = `${at.toISOString().replace(/[-:T]|\..*/g, '')}Z`;
  return at.getUTCFullYear() < 2050 ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}

function generalName(name: string): Buffer {
  const octets = /^\d+(?:\.\d+){3}$/.test(name) ? name.split('.').map(Number) : undefined;
  return octets === undefined ? der(0x82, Buffer.from(name)) : der(0x87, Buffer.from(octets));
}

function uriName(uri: string): Buffer {
  return der(0x86, Buffer.from(uri));
}

function extension(id: readonly number[], value: Buffer): Buffer {
  return sequence(oid(id), der(0x04, value));
}
