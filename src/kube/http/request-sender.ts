import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Clock, Counters } from '../../edges.ts';
import type { Connections } from './connection-pool.ts';
import type { CredentialCache, Credentials } from '../credentials.ts';
import { Ending } from '../ending.ts';
import { failure, isCertificateFailure } from './errors.ts';
import type { ApiAnswer, ApiRequest, ApiResponse } from '../model.ts';
import { readBody } from './response-body.ts';

/** What has to be there within the limit: the head, or the whole answer. Of a watch only the head. */
type Limited = 'head' | 'whole';

export interface ExchangeParts {
  /** A path in it stands before every request's. */
  readonly server: URL;
  readonly userAgent: string;
  readonly credentials: CredentialCache;
  readonly connections: Connections;
  /**
   * Those for requests with a body, which never speak HTTP/2: a stream that undici gives up in the turn of the event loop
   * in which it was opened is closed without an error and destroyed, and with a body that is not on its way yet Node
   * (24.21) then writes empty DATA frames into its memory until there is none (docs/decisions/0012).
   */
  readonly forBodies: Connections;
  readonly clock: Clock;
  readonly counters: Counters;
}

/** Milliseconds for credentials, connection and the head of the answer; for the whole of it where that is asked for. */
const LIMIT = 30_000;

/** Sends requests to one API server, one by one. */
export class Exchange {
  readonly #parts: ExchangeParts;
  readonly #prefix: string;
  #stopped = false;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    this.#prefix = parts.server.pathname.replace(/\/$/, '');
  }

  /** @throws an Error in words; the reason of the caller's signal when that ended the request */
  async send(request: ApiRequest, limited: Limited): Promise<ApiResponse> {
    const { clock, counters, server } = this.#parts;
    const ending = new Ending(request.signal);
    ending.limit(clock, LIMIT, new Error(`${server.origin} did not answer within ${LIMIT / 1000} seconds`));
    try {
      ending.signal.throwIfAborted();
      const credentials = await ending.race(this.#parts.credentials.get());
      const answer = await this.#answer(request, credentials, ending);
      counters.count('gatehouse_kube_requests_total', { status: String(answer.status) });
      if (answer.status === 401) this.#parts.credentials.forget(credentials);
      if (limited === 'head') ending.lift();
      return answer;
    } catch (error) {
      ending.release();
      counters.count('gatehouse_kube_requests_total', { status: 'none' });
      throw error;
    }
  }

  /** @throws as `send` */
  async ask(request: ApiRequest): Promise<ApiAnswer> {
    const { status, header, body } = await this.send(request, 'whole');
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    return { status, header, body: Buffer.concat(chunks).toString() };
  }

  /** From now on there are no more answers. */
  stop(): void {
    this.#stopped = true;
  }

  async #answer(request: ApiRequest, credentials: Credentials, ending: Ending): Promise<ApiResponse> {
    const { connections, forBodies, server } = this.#parts;
    if (this.#stopped) throw new Error(`the connection to ${server.origin} is closed`);
    try {
      const suitable = request.body === undefined ? connections : forBodies;
      const asking = suitable.dispatcher(credentials.tls).request({
        origin: server.origin,
        path: `${this.#prefix}${request.path}`,
        method: request.method,
        headers: this.#headers(request, credentials),
        body: request.body ?? null,
        signal: ending.signal,
        bodyTimeout: 0,
        headersTimeout: 0,
      });
      // undici itself does not look at the signal before there is a connection.
      const { statusCode, headers, body } = await ending.race(asking);
      const named = flat(headers);
      return {
        status: statusCode,
        header: (name) => named[name],
        body: this.#body(body, named['content-encoding'], credentials, ending),
      };
    } catch (error) {
      throw this.#inWords(error, credentials, ending);
    }
  }

  #headers(request: ApiRequest, credentials: Credentials): Readonly<Record<string, string>> {
    return {
      accept: 'application/json',
      'user-agent': this.#parts.userAgent,
      // The events of a watch would wait in the server's compressor until there are enough of them.
      ...(/[?&]watch=(?:true|1)(?:&|$)/.test(request.path) ? {} : { 'accept-encoding': 'gzip' }),
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...Object.fromEntries(Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])),
      ...credentials.headers,
    };
  }

  #body(raw: Readable, encoding: string | undefined, credentials: Credentials, ending: Ending): ApiResponse['body'] {
    // A body that breaks before anybody reads it must not end the process; who reads it later is told.
    raw.on('error', () => {});
    raw.once('close', () => ending.release());
    return readBody(raw, encoding, (error) => this.#inWords(error, credentials, ending));
  }

  #inWords(error: unknown, credentials: Credentials, { signal }: Ending): unknown {
    if (signal.aborted) return signal.reason;
    if (isCertificateFailure(error)) this.#parts.credentials.forget(credentials);
    return failure(this.#parts.server.origin, error);
  }
}

function flat(headers: Dispatcher.ResponseData['headers']): Readonly<Record<string, string>> {
  const named: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) named[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return named;
}
