import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Clock, Counters } from '../../edges.ts';
import { Deadline, untilAborted } from '../../net/deadline.ts';
import type { CredentialCache, Credentials } from '../credentials.ts';
import type { ApiAnswer, ApiRequest, ApiResponse } from '../model.ts';
import { maxErrorBytes, maxObjectBytes } from '../object-limits.ts';
import type { ConnectionPool } from './connection-pool.ts';
import { isCertificateError, requestError } from './errors.ts';
import { readAtMost, readBody } from './response-body.ts';

/** The part of a response that the time limit covers: `head`, because a watch has no end, or `whole`. */
type Limited = 'head' | 'whole';

/** The server, how requests are authenticated, and the connections that they use. */
export interface RequestSenderParts {
  /** Its path, if any, is put before that of every request. */
  readonly server: URL;
  readonly userAgent: string;
  readonly credentials: CredentialCache;
  readonly pool: ConnectionPool;
  /**
   * For requests with a body, by HTTP/1.1 alone: undici closes an HTTP/2 stream without an error when its request is
   * aborted in the turn of the event loop that opened it, and Node (24.21) then writes empty DATA frames for the unsent
   * body until memory is exhausted (docs/decisions/0012).
   */
  readonly bodyPool: ConnectionPool;
  readonly clock: Clock;
  readonly counters: Counters;
  /** Called after each 2xx response. */
  readonly succeeded: () => void;
}

/** Milliseconds for credentials, connection and the head of the response; for all of it where `whole` is limited. */
const timeLimit = 30_000;

/** Sends requests to one API server: credentials, headers, time limit, and errors with messages for people. */
export class RequestSender {
  readonly #parts: RequestSenderParts;
  readonly #prefix: string;
  #stopped = false;

  constructor(parts: RequestSenderParts) {
    this.#parts = parts;
    this.#prefix = parts.server.pathname.replace(/\/$/, '');
  }

  /** @throws Error with a message for people; the reason of the request's signal when that aborted it */
  async send(request: ApiRequest, limited: Limited): Promise<ApiResponse> {
    const { clock, counters, server } = this.#parts;
    const deadline = new Deadline(clock, request.signal);
    deadline.set(timeLimit, new Error(`${server.origin} did not answer within ${timeLimit / 1000} seconds`));
    try {
      deadline.signal.throwIfAborted();
      const credentials = await untilAborted(deadline.signal, this.#parts.credentials.get());
      const response = await this.#respond(request, credentials, deadline);
      counters.count('gatehouse_kube_requests_total', { status: String(response.status) });
      if (response.status === 401) this.#parts.credentials.forget(credentials);
      if (response.status >= 200 && response.status < 300) this.#parts.succeeded();
      if (limited === 'head') deadline.clear();
      return response;
    } catch (error) {
      deadline.release();
      counters.count('gatehouse_kube_requests_total', { status: 'none' });
      throw error;
    }
  }

  /**
   * Sends a request and reads the whole response, of an error only what its message needs.
   *
   * @throws as `send`, and when the response is larger than any object
   */
  async ask(request: ApiRequest): Promise<ApiAnswer> {
    const { status, header, body } = await this.send(request, 'whole');
    const isError = status < 200 || status >= 300;
    const { text, complete } = await readAtMost(body, isError ? maxErrorBytes : maxObjectBytes);
    if (complete || isError) return { status, header, body: text };
    throw new Error(`${this.#parts.server.origin} answered with more than ${maxObjectBytes} bytes`);
  }

  /** Fails every later request. */
  stop(): void {
    this.#stopped = true;
  }

  async #respond(request: ApiRequest, credentials: Credentials, deadline: Deadline): Promise<ApiResponse> {
    const { pool, bodyPool, server } = this.#parts;
    if (this.#stopped) throw new Error(`the connection to ${server.origin} is closed`);
    try {
      const suitable = request.body === undefined ? pool : bodyPool;
      const sent = suitable.dispatcher(credentials.tls).request({
        origin: server.origin,
        path: `${this.#prefix}${request.path}`,
        method: request.method,
        headers: this.#headers(request, credentials),
        body: request.body ?? null,
        signal: deadline.signal,
        bodyTimeout: 0,
        headersTimeout: 0,
      });
      // undici itself does not look at the signal before there is a connection.
      const { statusCode, headers, body } = await untilAborted(deadline.signal, sent);
      const byName = flatten(headers);
      return {
        status: statusCode,
        header: (name) => byName[name],
        body: this.#body(body, byName['content-encoding'], credentials, deadline),
      };
    } catch (error) {
      throw this.#describe(error, credentials, deadline);
    }
  }

  #headers(request: ApiRequest, credentials: Credentials): Readonly<Record<string, string>> {
    return {
      accept: 'application/json',
      'user-agent': this.#parts.userAgent,
      // The server's compressor would hold the events of a watch back until its buffer is full.
      ...(/[?&]watch=(?:true|1)(?:&|$)/.test(request.path) ? {} : { 'accept-encoding': 'gzip' }),
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...Object.fromEntries(Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])),
      ...credentials.headers,
    };
  }

  #body(
    raw: Readable,
    encoding: string | undefined,
    credentials: Credentials,
    deadline: Deadline,
  ): ApiResponse['body'] {
    // An error before the body is iterated over must not end the process; the iteration throws it.
    raw.on('error', () => {});
    raw.once('close', () => deadline.release());
    return readBody(raw, encoding, (error) => this.#describe(error, credentials, deadline));
  }

  #describe(error: unknown, credentials: Credentials, { signal }: Deadline): unknown {
    if (signal.aborted) return signal.reason;
    if (isCertificateError(error)) this.#parts.credentials.forget(credentials);
    return requestError(this.#parts.server.origin, error);
  }
}

function flatten(headers: Dispatcher.ResponseData['headers']): Readonly<Record<string, string>> {
  const byName: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) byName[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return byName;
}
