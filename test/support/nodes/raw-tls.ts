import { createCipheriv, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';

/** The client of a TLS 1.3 connection after its handshake, which writes its own records (RFC 8446, section 5). */
export interface RawTls {
  readonly socket: Socket;
  /** Encrypts application data as one record. */
  data(content: Uint8Array): Buffer;
  /** A record of application data that has no content, and this many bytes of padding. */
  padding(bytes: number): Buffer;
  /** A KeyUpdate that asks the server for one in turn (section 4.6.3); later records have the new keys. */
  keyUpdate(): Buffer;
}

const handshakeType = 22;
const applicationData = 23;
const keyUpdateType = 24;
const updateRequested = 1;

/**
 * Connects with TLS_AES_128_GCM_SHA256, and takes the connection over when the handshake is completed.
 *
 * @param ca undefined: whatever certificate the server has
 * @param words the first bytes, which fit into one record: when they are sent, so is the end of the handshake
 */
export async function connectRawTls(port: number, ca: string | undefined, words: Uint8Array): Promise<RawTls> {
  const socket = connectTcp({ port, host: '127.0.0.1' });
  const ciphers = 'TLS_AES_128_GCM_SHA256';
  const tls = connectTls({
    socket,
    servername: 'localhost',
    ...(ca === undefined ? { rejectUnauthorized: false } : { ca }),
    ciphers,
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['h2'],
  });
  let secret: Buffer = Buffer.alloc(0);
  tls.on('keylog', (line) => {
    const [label, , hex = ''] = String(line).trim().split(' ');
    if (label === 'CLIENT_TRAFFIC_SECRET_0') secret = Buffer.from(hex, 'hex');
  });
  await once(tls, 'secureConnect');
  await new Promise((resolve) => tls.write(words, resolve));
  // What the server answers is not read: the handshake of the socket would fail by the keys that are used here.
  tls.on('error', () => {});
  let keys = keysOf(secret);
  let sequence = 1n;
  const record = (type: number, content: Uint8Array): Buffer => {
    const nonce = Buffer.from(keys.iv);
    nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ sequence, 4);
    sequence += 1n;
    const header = Buffer.from([applicationData, 3, 3, 0, 0]);
    header.writeUInt16BE(content.length + 1 + 16, 3);
    const cipher = createCipheriv('aes-128-gcm', keys.key, nonce).setAAD(header);
    return Buffer.concat([
      header,
      cipher.update(content),
      cipher.update(Buffer.from([type])),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
  };
  return {
    socket,
    data: (content) => record(applicationData, content),
    // Padding follows the type, which is the last byte that is not zero.
    padding: (bytes) => record(0, Buffer.concat([Buffer.of(applicationData), Buffer.alloc(bytes)])),
    keyUpdate() {
      const message = record(handshakeType, Buffer.from([keyUpdateType, 0, 0, 1, updateRequested]));
      secret = expandLabel(secret, 'traffic upd', 32);
      keys = keysOf(secret);
      sequence = 0n;
      return message;
    },
  };
}

/** The bytes with which a client begins TLS. */
export async function clientHello(): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const wire = new Duplex({ read: () => {}, write: (chunk: Buffer, _encoding, done) => done(void resolve(chunk)) });
  const tls = connectTls({ socket: wire, ALPNProtocols: ['h2'] }).on('error', () => {});
  const hello = await promise;
  tls.destroy();
  return hello;
}

function keysOf(secret: Buffer): { readonly key: Buffer; readonly iv: Buffer } {
  return { key: expandLabel(secret, 'key', 16), iv: expandLabel(secret, 'iv', 12) };
}

/** HKDF-Expand-Label with an empty context (section 7.1); one block of SHA-256 is enough. */
function expandLabel(secret: Buffer, label: string, length: number): Buffer {
  const full = `tls13 ${label}`;
  const info = Buffer.from([0, length, full.length, ...Buffer.from(full), 0, 1]);
  return createHmac('sha256', secret).update(info).digest().subarray(0, length);
}
