import type { Clock, Stop } from '../../../edges.ts';
import { parseJson } from '../../../json/json.ts';
import type { ApiResponse, KubeConnection } from '../../../kube/model.ts';
import { type Answer, failureOfStatus, type KubeFailure, retryAfter, wordsOf } from '../../../kube/api-error.ts';

/** What reading needs of a connection. */
export type ReadConnection = Pick<KubeConnection, 'send' | 'forgetCredentials' | 'reconnect' | 'server'>;

/** Why a stream ended: all of it was read, its reader had enough, the program stops, or something went wrong. */
export type StreamEnd =
  | { readonly end: 'complete' }
  | { readonly end: 'left' }
  | { readonly end: 'stopped' }
  | { readonly end: 'failed'; readonly failure: KubeFailure };

/** Who reads a stream. Neither may throw. */
export interface StreamReader {
  /** The answer has begun, and is JSON. */
  opened(): void;
  /** The next bytes; `leave` ends the request. */
  read(chunk: Uint8Array): 'go on' | 'leave';
}

/**
 * A watch that sends nothing for so long is ended. A healthy API server sends a bookmark every minute, but the first one
 * up to two minutes after the beginning (measured on 1.36). In milliseconds; it bounds the waiting for an answer too.
 */
const LONGEST_SILENCE = 150_000;

/** The most bytes of one answer that is read as a whole: discovery, or a single object. */
const LARGEST_ANSWER = 16 * 1024 * 1024;

const JSON_ONLY = 'application/json';

/** So much of an error's body is read for its words. */
const ERROR_WORDS = 64 * 1024;

/** How far a request has come. */
interface Progress {
  at: 'asking' | 'reading' | 'read';
}

/** GET requests to one API server, whatever it does: neither method ever rejects. */
export class KubeReader {
  readonly #connection: ReadConnection;
  readonly #clock: Clock;

  constructor(connection: ReadConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  /** One JSON value. Undefined when `stop` was given meanwhile. */
  async get(path: string, stop: AbortSignal, accept: string = JSON_ONLY): Promise<Answer<unknown> | undefined> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const reader: StreamReader = {
      opened: () => undefined,
      read: (chunk) => {
        chunks.push(chunk);
        size += chunk.length;
        return size > LARGEST_ANSWER ? 'leave' : 'go on';
      },
    };
    const end = await this.stream(path, stop, reader, accept);
    if (end.end === 'stopped') return undefined;
    if (end.end === 'failed') return { ok: false, failure: end.failure };
    if (end.end === 'left') return unintelligible(`the answer is larger than ${LARGEST_ANSWER} bytes`);
    const parsed = parseJson(Buffer.concat(chunks).toString());
    return parsed === undefined ? unintelligible('the answer is no JSON') : { ok: true, value: parsed.value };
  }

  /** The body of a 200 answer, chunk by chunk. */
  async stream(path: string, stop: AbortSignal, reader: StreamReader, accept: string = JSON_ONLY): Promise<StreamEnd> {
    if (stop.aborted) return { end: 'stopped' };
    const request = new AbortController();
    const abort = (): void => request.abort();
    stop.addEventListener('abort', abort);
    const silence = new Silence(this.#clock, abort);
    const progress: Progress = { at: 'asking' };
    try {
      const response = await this.#connection.send({
        method: 'GET',
        path,
        headers: { accept },
        signal: request.signal,
      });
      progress.at = 'reading';
      silence.heard();
      return await this.#read(response, reader, silence, progress);
    } catch (error) {
      if (stop.aborted) return { end: 'stopped' };
      if (silence.tooLong) return this.#silent();
      const message = error instanceof Error ? error.message : String(error);
      return { end: 'failed', failure: { reason: progress.at === 'asking' ? 'unreachable' : 'broken', message } };
    } finally {
      silence.end();
      stop.removeEventListener('abort', abort);
      // What is not read to its end occupies the connection; what is leaves it to others.
      if (progress.at !== 'read') request.abort();
    }
  }

  async #read(response: ApiResponse, reader: StreamReader, silence: Silence, progress: Progress): Promise<StreamEnd> {
    if (response.status !== 200) return { end: 'failed', failure: await this.#refusal(response, progress) };
    const type = response.header('content-type') ?? 'application/json';
    if (!type.includes('json')) return notJson(type);
    reader.opened();
    for await (const chunk of response.body) {
      silence.heard();
      if (reader.read(chunk) === 'leave') return { end: 'left' };
    }
    progress.at = 'read';
    return { end: 'complete' };
  }

  async #refusal(response: ApiResponse, progress: Progress): Promise<KubeFailure> {
    const { status } = response;
    if (status === 401) this.#connection.forgetCredentials();
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > ERROR_WORDS) break;
    }
    if (size <= ERROR_WORDS) progress.at = 'read';
    const words = wordsOf(status, Buffer.concat(chunks).toString());
    return failureOfStatus(status, words, retryAfter(response.header('retry-after'), this.#clock.now()));
  }

  /** Half-open connections are told apart from quiet ones by nothing else, and each may be one of them. */
  #silent(): StreamEnd {
    this.#connection.reconnect();
    const message = `nothing came for ${LONGEST_SILENCE / 1000} s, so that the connection was given up`;
    return { end: 'failed', failure: { reason: 'silent', message } };
  }
}

/** Watches over a silence by timers alone: no jump of the wall clock makes it longer or shorter. */
class Silence {
  readonly #clock: Clock;
  readonly #tooLong: () => void;
  #timer: Stop;
  tooLong = false;

  constructor(clock: Clock, tooLong: () => void) {
    this.#clock = clock;
    this.#tooLong = tooLong;
    this.#timer = this.#begin();
  }

  heard(): void {
    this.#timer();
    this.#timer = this.#begin();
  }

  end(): void {
    this.#timer();
  }

  #begin(): Stop {
    return this.#clock.after(LONGEST_SILENCE, () => {
      this.tooLong = true;
      this.#tooLong();
    });
  }
}

function unintelligible(message: string): Answer<never> {
  return { ok: false, failure: { reason: 'unintelligible', message } };
}

function notJson(type: string): StreamEnd {
  return { end: 'failed', failure: { reason: 'unintelligible', message: `the answer is ${type} and no JSON` } };
}
