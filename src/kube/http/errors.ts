import { shortened } from '../../json/quoted.ts';
import { codeOf } from '../../net/errors.ts';

/**
 * The error of requests whose connection this program closed. The message is a predicate of the server, such as "was
 * left".
 */
export class ConnectionClosedError extends Error {
  override readonly name = 'ConnectionClosedError';
}

/**
 * The error of a request without a complete response, with a message for people.
 *
 * @param server where the request went, without credentials
 * @param error what undici, node:tls or node:zlib threw; it becomes the cause
 */
export function requestError(server: string, error: unknown): Error {
  return new Error(`${server} ${reasonOf(error)}`, { cause: error });
}

/** Returns whether the server's certificate was not accepted: its authority may have been replaced on disk. */
export function isCertificateError(error: unknown): boolean {
  const code = innermostCode(error);
  return certificatePredicates.has(code) || code === wrongName;
}

/** Predicates of the server, by the code of Node's TLS (`node:tls`, "X509 certificate error codes"). */
const certificatePredicates: ReadonlyMap<string, string> = new Map([
  ['CERT_HAS_EXPIRED', 'has a certificate that has expired; renew it, or set the clock of this machine'],
  ['CERT_NOT_YET_VALID', 'has a certificate that is not valid yet; set the clock of this machine'],
  ...[
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'CERT_SIGNATURE_FAILURE',
    'CERT_UNTRUSTED',
  ].map(
    (code) =>
      [
        code,
        'has a certificate of an unknown authority; the certificate-authority of the cluster must be its issuer',
      ] as const,
  ),
]);

const wrongName = 'ERR_TLS_CERT_ALTNAME_INVALID';

/** Predicates of the server, by the code of undici, node:http2, node:zlib or the operating system. */
const predicates: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'refuses connections: nothing listens there'],
  ['ECONNRESET', 'broke the connection'],
  ['EPIPE', 'broke the connection'],
  ['UND_ERR_SOCKET', 'broke the connection'],
  ['ERR_HTTP2_STREAM_ERROR', 'ended the request without an answer'],
  ['ERR_HTTP2_SESSION_ERROR', 'broke the connection'],
  ['ERR_HTTP2_STREAM_CANCEL', 'broke the connection'],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'ended its answer before it was complete'],
  ['Z_BUF_ERROR', 'ended its answer before it was complete'],
  ['Z_DATA_ERROR', 'sent an answer that is not the gzip it is said to be'],
  ['ENOTFOUND', 'is not known to the name server (DNS)'],
  ['EAI_AGAIN', 'cannot be looked up: the name server (DNS) does not answer'],
  ['ETIMEDOUT', 'cannot be reached: the connection timed out'],
  ['UND_ERR_CONNECT_TIMEOUT', 'cannot be reached: connecting timed out'],
  ['EHOSTUNREACH', 'cannot be reached: there is no way to this host'],
  ['ENETUNREACH', 'cannot be reached: there is no way to its network'],
  ['EPROTO', 'does not speak TLS; is the port right?'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'does not speak TLS; is the port right?'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'does not speak TLS; is the port right?'],
  ['UND_ERR_DESTROYED', 'was left: the connection was closed from here'],
  ['UND_ERR_PRX_TLS', 'cannot be reached: the certificate of the proxy is not that of its name'],
  ['UND_ERR_PRX_CONN', 'cannot be reached: the proxy broke the connection'],
]);

function reasonOf(error: unknown): string {
  if (error instanceof ConnectionClosedError) return error.message;
  const [code, message] = [innermostCode(error), messageOf(error)];
  const known = certificatePredicates.get(code) ?? predicates.get(code);
  if (known !== undefined) return known;
  if (code === wrongName) {
    return `has a certificate for another name (${message}); name it by tls-server-name, or reach it by a name in the certificate`;
  }
  if (code.startsWith('HPE_') || (error instanceof Error && error.name === 'HTTPParserError'))
    return `does not speak HTTP (${message}); is the port right?`;
  if (/ALERT/.test(code)) return `does not accept our certificate or our TLS (${message})`;
  if (code.startsWith('ERR_OSSL_'))
    return `cannot be asked: a certificate or key of ours is not readable as PEM (${message})`;
  const proxy = /^Proxy response \((?<status>\d+)\)/.exec(message)?.groups?.['status'];
  if (proxy !== undefined) return `cannot be reached: the proxy answers ${proxy}`;
  if (message.includes('GOAWAY')) return 'closed the connection before it had answered';
  return `does not answer: ${message}`;
}

/** Several addresses may have been tried, and errors wrap one another. Empty without any code. */
function innermostCode(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const inner = error instanceof AggregateError ? innermostCode(error.errors[0]) : '';
  return inner || (codeOf(error) ?? innermostCode(error.cause));
}

function messageOf(error: unknown): string {
  return shortened(error instanceof Error ? error.message : String(error));
}
