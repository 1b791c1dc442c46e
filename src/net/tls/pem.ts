import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { codeOf } from '../errors.ts';

/** The error of a certificate, a key or the file that should hold one. The message names file, line and remedy. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}

/** A text and the file that it was read from, for messages. */
export interface PemFile {
  readonly path: string;
  readonly text: string;
}

/** The most certificates of one file. A chain has two to four; a list of authorities may have a few dozen. */
const maxCertificates = 128;

/** A block of PEM: what its marks say it is, and the line on which it begins. */
interface Block {
  readonly label: string;
  readonly line: number;
  readonly text: string;
}

/**
 * Reads the certificates of a file, in their order. Between them are blank lines and comments (`#`) only: an authority
 * that was cut or mistyped must not count as one that was left out.
 *
 * @throws CertificateError
 */
export function readCertificates(file: PemFile): readonly X509Certificate[] {
  const blocks = blocksOf(file);
  const certificates = blocks.map(({ label, line, text }) => {
    if (label !== 'CERTIFICATE') {
      throw new CertificateError(`${file.path}:${line}: ${label} stands where a certificate belongs; remove it`);
    }
    try {
      return new X509Certificate(text);
    } catch (error) {
      throw new CertificateError(`${file.path}:${line}: this certificate cannot be read (${openSslReason(error)})`);
    }
  });
  if (certificates.length > 0) return certificates;
  throw new CertificateError(`${file.path} has no certificate; it holds one or more of them, in PEM`);
}

/**
 * Reads the private key of a file.
 *
 * @throws CertificateError
 */
export function readPrivateKey(file: PemFile): KeyObject {
  const keys = blocksOf(file).filter(({ label }) => label !== 'EC PARAMETERS');
  const [key, another] = keys;
  if (key === undefined) throw new CertificateError(`${file.path} has no private key; it holds one, in PEM`);
  if (another !== undefined) {
    throw new CertificateError(
      `${file.path}:${another.line}: a second block; the file holds one private key and no more`,
    );
  }
  if (!key.label.endsWith('PRIVATE KEY')) {
    throw new CertificateError(`${file.path}:${key.line}: ${key.label} stands where the private key belongs`);
  }
  if (key.label.startsWith('ENCRYPTED') || key.text.includes('Proc-Type: 4,ENCRYPTED')) {
    throw new CertificateError(
      `${file.path} has a passphrase, which nobody could type here; remove it with: openssl pkey -in <key> -out <file>`,
    );
  }
  try {
    return createPrivateKey(key.text);
  } catch (error) {
    throw new CertificateError(`${file.path}:${key.line}: this private key cannot be read (${openSslReason(error)})`);
  }
}

function blocksOf({ path, text }: PemFile): readonly Block[] {
  const blocks: Block[] = [];
  let open: { readonly label: string; readonly line: number; readonly lines: string[] } | undefined;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const number = index + 1;
    const { mark, label } = /^-----(?<mark>BEGIN|END) (?<label>[A-Z0-9 ]{1,64})-----\s*$/.exec(line)?.groups ?? {};
    if (open === undefined && mark === 'BEGIN' && label !== undefined) {
      open = { label, line: number, lines: [line.trimEnd()] };
      if (blocks.length === maxCertificates) {
        throw new CertificateError(
          `${path}:${number}: more than ${maxCertificates} blocks; remove those that are not used`,
        );
      }
    } else if (open !== undefined && mark === 'END' && label === open.label) {
      blocks.push({ label: open.label, line: open.line, text: [...open.lines, line.trimEnd(), ''].join('\n') });
      open = undefined;
    } else if (open !== undefined && mark === undefined) {
      open.lines.push(line);
    } else if (open !== undefined || (line.trim() !== '' && !line.startsWith('#'))) {
      throw new CertificateError(
        `${path}:${number}: this line is neither part of a block nor blank nor a comment (#); it begins and ends with -----BEGIN and -----END lines that fit`,
      );
    }
  }
  if (open === undefined) return blocks;
  throw new CertificateError(`${path}:${open.line}: the block that begins here does not end; the file may be cut`);
}

/** OpenSSL's reason alone: a message of Node may repeat the input. */
export function openSslReason(error: unknown): string {
  return codeOf(error) ?? 'no reason given';
}
