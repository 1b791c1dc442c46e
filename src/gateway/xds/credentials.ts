import { type ChannelCredentials, credentials, Metadata } from '@grpc/grpc-js';
import { maxToken } from '../../net/guard/bearer-token.ts';
import { readCertificates, readPrivateKey } from '../../net/tls/pem.ts';
import { systemAuthorities } from '../../net/tls/system-authorities.ts';
import { type FileTexts, readTexts } from '../../net/watched-files.ts';
import type { XdsSecurity } from '../config/model.ts';

/** What one stream is opened with. */
export interface StreamCredentials {
  readonly channel: ChannelCredentials;
  /** The token, if there is one: a secret. */
  readonly metadata: Metadata;
}

/** A token as it stands in a header (RFC 6750, section 2.1). */
const tokenForm = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * Reads the files of the connection to the control plane, anew for each stream: the kubelet renews tokens, and Secrets
 * are swapped.
 *
 * @throws Error that names the file, without its content
 */
export async function readCredentials(security: XdsSecurity): Promise<StreamCredentials> {
  const { token, tls } = security;
  const paths = [token, tls?.ca, tls?.cert, tls?.key].filter((path) => path !== undefined);
  const texts = await readTexts(paths);
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${tokenIn(token, texts)}`);
  return { channel: tls === undefined ? credentials.createInsecure() : channelOf(tls, texts), metadata };
}

function tokenIn(path: string, texts: FileTexts): string {
  const token = (texts.get(path) ?? '').trim();
  if (token === '') throw new Error(`xds_token_file: ${path} is empty`);
  if (token.length > maxToken) {
    throw new Error(`xds_token_file: ${path} has ${token.length} characters, and a token has at most ${maxToken}`);
  }
  if (!tokenForm.test(token)) throw new Error(`xds_token_file: ${path} has something else than one token on one line`);
  return token;
}

function channelOf({ ca, cert, key }: NonNullable<XdsSecurity['tls']>, texts: FileTexts): ChannelCredentials {
  const file = (path: string): { readonly path: string; readonly text: string } => ({
    path,
    text: texts.get(path) ?? '',
  });
  const named = ca === undefined ? systemAuthorities() : readCertificates(file(ca));
  const authorities = Buffer.from(named.join('\n'));
  if (cert === undefined || key === undefined) return credentials.createSsl(authorities);
  const [chain, privateKey] = [readCertificates(file(cert)), readPrivateKey(file(key))];
  if (chain[0]?.checkPrivateKey(privateKey) !== true) {
    throw new Error(`xds_tls.key: ${key} is not the key of the first certificate in ${cert}`);
  }
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  return credentials.createSsl(authorities, Buffer.from(pem), Buffer.from(chain.join('')));
}
