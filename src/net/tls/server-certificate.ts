import { constants } from 'node:crypto';
import { createSecureContext, type SecureContextOptions, type SecureVersion } from 'node:tls';
import type { Clock, Counters, Logger, Stop } from '../../edges.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { every } from '../timers.ts';
import { type FileTexts, readTexts, watchFiles } from '../watched-files.ts';
import { CertificateError, openSslReason, type PemFile, readCertificates, readPrivateKey } from './pem.ts';

/** Files with what a TLS server shows, and whom it believes. */
export interface TlsFiles {
  /** The certificate of the server, followed by its intermediates; PEM. */
  readonly cert: string;
  /** Its private key; PEM, without a passphrase. */
  readonly key: string;
  /** The authorities of client certificates; without it, clients are not asked for one. */
  readonly clientCa?: string;
}

/** Settings and dependencies of a server certificate. */
export interface ServerCertificateParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: Counters;
  readonly minVersion: SecureVersion;
}

/** What new connections use. A handshake that has begun, and a connection that is open, keep what they began with. */
export interface TlsMaterial {
  readonly context: SecureContextOptions;
  /** The fingerprints of the authorities of client certificates; empty when clients are not asked for one. */
  readonly clientCas: ReadonlySet<string>;
}

/** Milliseconds before the end of a certificate from which each day begins with a warning. */
const warnBefore = 7 * 86_400_000;
const day = 86_400_000;
const checkInterval = 3_600_000;

/** The certificate of this server from files, which are read again when they change. */
export class ServerCertificate {
  readonly #files: TlsFiles;
  readonly #parts: ServerCertificateParts;
  readonly #throttle: LogThrottle;
  readonly #listeners = new Set<() => void>();
  readonly #stops: readonly Stop[];
  #material: TlsMaterial;
  #expires = 0;

  private constructor(files: TlsFiles, texts: FileTexts, parts: ServerCertificateParts) {
    this.#files = files;
    this.#parts = parts;
    this.#throttle = new LogThrottle(parts.clock, parts.log, { sameReason: day });
    this.#material = this.#take(texts);
    this.#stops = [
      watchFiles(pathsOf(files), texts, parts.clock, {
        changed: (changed) => this.#replace(changed),
        failed: (error) => this.#keepOld(error),
      }),
      every(parts.clock, checkInterval, () => this.#checkExpiry()),
    ];
    this.#checkExpiry();
  }

  /** @throws CertificateError when a file cannot be read, or certificate and key do not belong together */
  static async open(files: TlsFiles, parts: ServerCertificateParts): Promise<ServerCertificate> {
    const texts = await readTexts(pathsOf(files)).catch((error: unknown) => {
      throw new CertificateError(error instanceof Error ? error.message : String(error));
    });
    return new ServerCertificate(files, texts, parts);
  }

  get current(): TlsMaterial {
    return this.#material;
  }

  /** Calls `listener` after each replacement. */
  onReplaced(listener: () => void): Stop {
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  #take(texts: FileTexts): TlsMaterial {
    const { minVersion, counters } = this.#parts;
    const { cert, key, clientCa } = this.#files;
    const chain = readCertificates(pem(cert, texts));
    const privateKey = readPrivateKey(pem(key, texts));
    const [own] = chain;
    if (own === undefined || !own.checkPrivateKey(privateKey)) {
      throw new CertificateError(
        `${key} is not the key of the first certificate in ${cert}; the certificate of the server comes first, its intermediates after it`,
      );
    }
    const clientCas = clientCa === undefined ? [] : readCertificates(pem(clientCa, texts));
    const context: SecureContextOptions = {
      cert: chain.map((certificate) => certificate.toString()).join(''),
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      // Without one, the authorities of the operating system would count.
      ca: clientCas.map((authority) => authority.toString()),
      // An authority that another one has signed counts as well: whoever writes the file means what is in it.
      allowPartialTrustChain: true,
      minVersion,
      // A second handshake on a connection costs as much as the first and would escape its limits; a resumed session
      // would skip the check of the client certificate.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
    };
    requireUsable(context, cert);
    this.#expires = Math.min(...chain.map(({ validToDate }) => validToDate.getTime()));
    counters.gauge('gatehouse_tls_certificate_expiry_seconds', this.#expires / 1_000);
    return { clientCas: new Set(clientCas.map(({ fingerprint256 }) => fingerprint256)), context };
  }

  #replace(texts: FileTexts): void {
    const { log } = this.#parts;
    try {
      this.#material = this.#take(texts);
    } catch (error) {
      this.#keepOld(error);
      return;
    }
    this.#throttle.forget('files');
    log.info('the TLS certificate was read again', { cert: this.#files.cert, expires: new Date(this.#expires) });
    this.#checkExpiry();
    for (const listener of [...this.#listeners]) listener();
  }

  #keepOld(error: unknown): void {
    this.#throttle.failed('files', {
      reason: error instanceof Error ? error.message : String(error),
      message: 'the new TLS certificate is refused, and the old one stays in use',
    });
  }

  #checkExpiry(): void {
    const left = this.#expires - this.#parts.clock.now();
    if (left > warnBefore) {
      this.#throttle.forget('expiry');
      return;
    }
    const reason = left > 0 ? 'it ends within a week' : 'it has expired';
    this.#throttle.failed('expiry', {
      reason,
      message: 'the TLS certificate has to be replaced: clients refuse it after its end',
      fields: { cert: this.#files.cert, expires: new Date(this.#expires) },
    });
  }
}

/** A pair may fit together and still be refused by OpenSSL: a key that is too short, a signature that is too weak. */
function requireUsable(context: SecureContextOptions, cert: string): void {
  try {
    createSecureContext(context);
  } catch (error) {
    throw new CertificateError(
      `${cert} and its key cannot be used for TLS (${openSslReason(error)}); issue them with a P-256 or RSA-2048 key and SHA-256`,
    );
  }
}

function pathsOf({ cert, key, clientCa }: TlsFiles): readonly string[] {
  return clientCa === undefined ? [cert, key] : [cert, key, clientCa];
}

function pem(path: string, texts: FileTexts): PemFile {
  return { path, text: texts.get(path) ?? '' };
}
