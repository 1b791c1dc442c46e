import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { quoted } from '../../json/quoted.ts';
import { type Authentication, refused, type ServiceAccount, serviceAccount } from './identity.ts';

/** Certificates of one chain that are looked at; TLS itself refuses chains of more than a hundred. */
const maxChain = 16;

/**
 * Authenticates the client certificate of a connection; undefined without one. OpenSSL has verified the chain, its dates
 * and its usage (RFC 5280) during the handshake.
 *
 * Node shows the chain up to an authority only when no intermediate stands between. Else the proof depends on all
 * authorities of the handshake: when one of them is taken out, the client has to prove anew.
 *
 * @param authorities fingerprints of those that the handshake was made with
 */
export function authenticateCertificate(
  socket: TLSSocket,
  authorities: ReadonlySet<string>,
  trustDomain: string,
): Authentication | undefined {
  const chain = chainOf(socket.getPeerCertificate(true));
  const [own] = chain;
  if (own === undefined) return undefined;
  if (!socket.authorized) {
    return refused(`the client certificate is not accepted: ${String(socket.authorizationError)}`);
  }
  const end = chain.findIndex(({ fingerprint256 }) => authorities.has(fingerprint256));
  const authority = chain[end]?.fingerprint256;
  const account = accountOf(own.subjectAltName ?? '', trustDomain);
  if (typeof account === 'string') return refused(`the client certificate names no ServiceAccount: ${account}`);
  const ends = (end === -1 ? chain : chain.slice(0, end + 1)).map(({ validToDate }) => validToDate.getTime());
  return {
    kind: 'authenticated',
    identity: {
      kind: 'service-account',
      account,
      proof: { by: 'certificate', authorities: authority === undefined ? authorities : new Set([authority]) },
      expires: Math.min(...ends),
    },
  };
}

/** Node links each certificate to that of its issuer, and the last one to itself. */
function chainOf(peer: DetailedPeerCertificate): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next: DetailedPeerCertificate | undefined = peer;
  // Without a client certificate, the object is empty.
  while (next?.raw !== undefined && chain.length < maxChain) {
    chain.push(new X509Certificate(next.raw));
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return chain;
}

/**
 * Reads the ServiceAccount of subject alternative names: that of a SPIFFE id, `spiffe://<trust domain>/ns/<namespace>/sa/
 * <name>`, or without any URI that of a DNS name, `<name>.<namespace>`. A certificate has one such name and no second.
 *
 * @param names as Node formats them: `URI:…, DNS:…`, where a name with a comma or a quotation mark is quoted
 * @returns the problem, if there is none
 */
export function accountOf(names: string, trustDomain: string): ServiceAccount | string {
  const entries = names === '' ? [] : names.split(', ');
  if (names.includes('"')) return 'a subject alternative name has a character that has to be quoted';
  const [uri, secondUri] = entries.filter((entry) => entry.startsWith('URI:'));
  const [dns, secondDns] = entries.filter((entry) => entry.startsWith('DNS:'));
  if (uri !== undefined) {
    if (secondUri !== undefined) return 'it has two URIs, and a SPIFFE id is the only one';
    return spiffeAccount(uri.slice('URI:'.length), trustDomain);
  }
  if (dns === undefined) return 'it has neither a SPIFFE id nor a DNS name';
  if (secondDns !== undefined) return 'it has two DNS names, and one <service account>.<namespace> is expected';
  return dnsAccount(dns.slice('DNS:'.length));
}

function spiffeAccount(uri: string, trustDomain: string): ServiceAccount | string {
  const {
    domain,
    namespace = '',
    name = '',
  } = /^spiffe:\/\/(?<domain>[^/]*)\/ns\/(?<namespace>[^/]*)\/sa\/(?<name>[^/]*)$/.exec(uri)?.groups ?? {};
  const account = serviceAccount(namespace, name);
  if (domain === undefined || account === undefined) {
    return `${quoted(uri)} is not of the form spiffe://${trustDomain}/ns/<namespace>/sa/<service account>`;
  }
  return domain === trustDomain ? account : `its trust domain is ${quoted(domain)}, not ${trustDomain}`;
}

function dnsAccount(host: string): ServiceAccount | string {
  const dot = host.lastIndexOf('.');
  const account = serviceAccount(host.slice(dot + 1), host.slice(0, Math.max(dot, 0)));
  return account ?? `${quoted(host)} is not of the form <service account>.<namespace>`;
}
