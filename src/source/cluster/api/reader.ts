import type { Clock } from '../../../edges.ts';
import { parseBoundedJson } from '../../../json/bounded-json.ts';
import { responseError } from '../../../kube/api-error.ts';
import type { ApiError, ApiResponse, KubeConnection, StatusError } from '../../../kube/model.ts';
import { maxErrorBytes, maxObjectBytes, objectBounds } from '../../../kube/object-limits.ts';
import { Deadline } from '../../../net/deadline.ts';
import { FairTurns } from '../../../rate/fair-turns.ts';

/** The part of a connection that reading needs. */
export type ReadConnection = Pick<KubeConnection, 'send' | 'forgetCredentials' | 'reconnect' | 'onSuccess' | 'server'>;

/** The value of a response, or why there is none. */
export type ApiResult<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: ApiError };

/** The end of a stream: the body is complete, the handler left, the program stops, or an error. */
export type StreamEnd =
  | { readonly end: 'complete' }
  | { readonly end: 'left' }
  | { readonly end: 'stopped' }
  | { readonly end: 'failed'; readonly error: ApiError };

/** How a stream is requested. */
export interface StreamOptions {
  /** The header of that name. Default: JSON. */
  readonly accept?: string;
  /** `none`: it ends when the server, the handler or an idle timeout ends it, as a watch does. Default: five minutes. */
  readonly timeLimit?: 'none';
}

/** Takes the body of a response while it arrives. Its methods must not throw. */
export interface StreamHandler {
  /** The response is a 200 with a JSON content type. */
  opened(): void;
  /** The next bytes; `leave` aborts the request. */
  data(chunk: Uint8Array): 'continue' | 'leave';
}

/**
 * The longest time without a byte, for the response and within it, in milliseconds. A healthy API server sends a
 * bookmark every minute, but the first one up to two minutes after the start of a watch (measured on 1.36).
 */
const maxIdle = 150_000;

/**
 * Bytes of one body after which others have their turn: a chunk of a socket, which is one large object or some hundred
 * small ones. A socket is read up to 32 times in one iteration of the event loop, which may be thousands of them.
 */
const turnBytes = 32 * 1024;

const idleTimeout = new Error('no byte for too long');

/**
 * The longest time of a whole answer other than a watch, in milliseconds. An API server itself takes a minute at most for
 * one (`--request-timeout`), and a proxy that lets a byte through now and then would hold up every revocation.
 */
const maxAnswer = 300_000;

const answerTimeout = new Error('no whole answer for too long');

const jsonOnly = 'application/json';

/** The progress of a request. `read`: the body was read to its end. */
interface Progress {
  at: 'requesting' | 'reading' | 'read';
}

/** GET requests to one API server. Never rejects: every failure is a value. */
export class ApiReader {
  readonly #connection: ReadConnection;
  readonly #clock: Clock;
  readonly #turns = new FairTurns();

  constructor(connection: ReadConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  /** Reads one JSON value; undefined when `stop` was aborted meanwhile. */
  async get(path: string, stop: AbortSignal, accept: string = jsonOnly): Promise<ApiResult<unknown> | undefined> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const handler: StreamHandler = {
      opened: () => undefined,
      data: (chunk) => {
        chunks.push(chunk);
        size += chunk.length;
        return size > maxObjectBytes ? 'leave' : 'continue';
      },
    };
    const end = await this.stream(path, stop, handler, { accept });
    if (end.end === 'stopped') return undefined;
    if (end.end === 'failed') return { ok: false, error: end.error };
    if (end.end === 'left') return unintelligible(`the answer is larger than ${maxObjectBytes} bytes`);
    const parsed = parseBoundedJson(Buffer.concat(chunks).toString(), objectBounds);
    if (parsed.kind === 'json') return { ok: true, value: parsed.value };
    return unintelligible(parsed.kind === 'not-json' ? 'the answer is no JSON' : 'the answer has too many values');
  }

  /** Passes the body of a 200 response to the handler, chunk by chunk. */
  async stream(
    path: string,
    stop: AbortSignal,
    handler: StreamHandler,
    { accept = jsonOnly, timeLimit }: StreamOptions = {},
  ): Promise<StreamEnd> {
    if (stop.aborted) return { end: 'stopped' };
    // A timer, not a time: a jump of the wall clock does not change the timeout.
    const answered = new Deadline(this.#clock, stop);
    if (timeLimit !== 'none') answered.set(maxAnswer, answerTimeout);
    const deadline = new Deadline(this.#clock, answered.signal);
    deadline.set(maxIdle, idleTimeout);
    const progress: Progress = { at: 'requesting' };
    try {
      const { signal } = deadline;
      const response = await this.#connection.send({ method: 'GET', path, headers: { accept }, signal });
      progress.at = 'reading';
      deadline.set(maxIdle, idleTimeout);
      return await this.#read(response, handler, deadline, progress, path);
    } catch (error) {
      if (stop.aborted) return { end: 'stopped' };
      if (deadline.signal.reason === idleTimeout) return this.#silent(`nothing came for ${maxIdle / 1000} s`);
      if (deadline.signal.reason === answerTimeout) {
        return this.#silent(`the answer was not complete after ${maxAnswer / 1000} s`);
      }
      const message = error instanceof Error ? error.message : String(error);
      return { end: 'failed', error: { reason: progress.at === 'requesting' ? 'unreachable' : 'broken', message } };
    } finally {
      // An unread rest would occupy the connection; after a body that was read, other requests use it.
      if (progress.at !== 'read') deadline.abort();
      deadline.release();
      answered.release();
    }
  }

  async #read(
    response: ApiResponse,
    handler: StreamHandler,
    deadline: Deadline,
    progress: Progress,
    path: string,
  ): Promise<StreamEnd> {
    if (response.status !== 200) return { end: 'failed', error: await this.#statusError(response, progress) };
    const type = response.header('content-type') ?? jsonOnly;
    if (!type.includes('json')) return notJson(type);
    handler.opened();
    let bytes = 0;
    for await (const chunk of response.body) {
      deadline.set(maxIdle, idleTimeout);
      if (handler.data(chunk) === 'leave') return { end: 'left' };
      bytes += chunk.length;
      if (bytes < turnBytes) continue;
      bytes = 0;
      await this.#turns.next(path);
    }
    progress.at = 'read';
    return { end: 'complete' };
  }

  async #statusError(response: ApiResponse, progress: Progress): Promise<StatusError> {
    const { status } = response;
    if (status === 401) this.#connection.forgetCredentials();
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxErrorBytes) break;
    }
    if (size <= maxErrorBytes) progress.at = 'read';
    const body = Buffer.concat(chunks).subarray(0, maxErrorBytes).toString();
    return responseError({ status, header: (name) => response.header(name), body }, this.#clock.now());
  }

  /** A half-open connection looks like an idle one, and all requests may share it: all connections are closed. */
  #silent(what: string): StreamEnd {
    this.#connection.reconnect();
    return { end: 'failed', error: { reason: 'silent', message: `${what}, so that the connection was given up` } };
  }
}

function unintelligible(message: string): ApiResult<never> {
  return { ok: false, error: { reason: 'unintelligible', message } };
}

function notJson(type: string): StreamEnd {
  return {
    end: 'failed',
    error: { reason: 'unintelligible', message: `the answer is ${type.slice(0, 100)} and no JSON` },
  };
}
