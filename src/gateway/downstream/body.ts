import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Clock, Logger, Stop } from '../../edges.ts';
import { measureJson } from '../../json/bounded-json.ts';
import { isJsonObject, parseJson } from '../../json/json.ts';
import { quoted } from '../../json/quoted.ts';
import type { FairTurns } from '../../rate/fair-turns.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { Quota } from '../../rate/quota.ts';
import { TimedQueue } from '../../rate/timed-queue.ts';
import type { Caller, GatewayCounters } from '../model.ts';
import { maxDepth } from '../rpc/protocol.ts';
import { errorCode } from '../rpc/rpc-error.ts';
import { rememberText } from '../rpc/source-text.ts';
import type { ErrorResponse } from './error-response.ts';

/** The JSON in a request, or the error response. */
type Body =
  | {
      readonly kind: 'json';
      readonly value: unknown;
      /** Call when the value is needed no more: it counts as held until then. Idempotent. */
      readonly release: Stop;
    }
  | ({ readonly kind: 'error' } & ErrorResponse);

/** Reads the bodies of all HTTP transports, whose sum it limits. */
export interface BodyReader {
  /**
   * Reads and parses the body of a request. What is refused is not parsed. Rejects when the client disconnects.
   *
   * Resolves in the turn of the caller in which the request is handled: hundreds may arrive in one iteration of the event
   * loop, and a millisecond of each would be a long one.
   *
   * @param caller whose share of the limit the body takes
   */
  read(request: IncomingMessage, caller: Caller): Promise<Body>;
}

/** Settings and dependencies of a {@link BodyReader}. */
export interface BodyReaderParts {
  /** Of bodies with more than 64 KiB, which are read and parsed piece by piece. */
  readonly turns: FairTurns;
  /** The most bytes of one body. Default 1 MiB: MCP sends texts and small files, and models write most of them. */
  readonly maxBodyBytes?: number | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: GatewayCounters;
}

/** Bytes. */
const defaultMaxBodyBytes = 1024 * 1024;

/**
 * JSON values and keys of a body. One takes a microsecond, so a body stops all others for 50 milliseconds at most. A
 * larger body has to have longer texts, not more values.
 */
const maxValues = 50_000;

/** Bytes of memory of a JSON value beside its text: an empty object in a list takes 64, a key of a large object 90. */
const bytesPerValue = 100;

/**
 * Bodies of the largest size that are held at once, from their first byte to the response, in all and per caller. That
 * is 92 MiB of memory by default, and a body of 2 KiB with 50 values takes 7 KiB of it.
 */
const maxBodies = 16;
const maxBodiesPerCaller = 4;
/** So that callers who hold bodies at a tool that hangs leave room for those of others, however many they are. */
const shareOfRest = 1 / 2;

/** Counts the memory of bodies while they arrive and until their requests are answered. */
export function createBodyReader(parts: BodyReaderParts): BodyReader {
  const { maxBodyBytes = defaultMaxBodyBytes, clock, log, counters, turns } = parts;
  const bytes = maxBodies * (maxBodyBytes + maxValues * bytesPerValue);
  const quota = new Quota(bytes, maxBodiesPerCaller / maxBodies, shareOfRest);
  const full = tooMany(bytes);
  const throttle = new LogThrottle(clock, log);
  const requests = new TimedQueue<Waiting>(clock, ({ resolve }) => resolve());

  /** Logs all but text that is no JSON, which is a mistake and costs nothing. */
  const refused = (error: ErrorResponse): Body => {
    const message = 'a request body was refused; --max-body-bytes is the limit of its size';
    if (error !== notJson) {
      counters.count('gatehouse_gateway_requests_refused_total', { reason: 'body' });
      throttle.failed('bodies', { reason: error.message, message });
    }
    return { kind: 'error', ...error };
  };

  return {
    async read(request, caller) {
      const key = shareOf(caller, request);
      const share = openShare(quota, key, full);
      const turn = (): Promise<void> => turns.next(key);
      try {
        const text = await readText(request, { maxBytes: maxBodyBytes, share, turn });
        if (text.kind === 'error') return refused(text.error);
        if (text.text.length > sizeOfStep) await turn();
        else if (requests.isWaiting || !requests.hasTime()) await waitIn(requests, key);
        const json = parse(text.text, share);
        if (json.kind === 'error') return refused(json.error);
        return { kind: 'json', value: withoutNullParams(json.value), release: share.keep() };
      } finally {
        share.release();
      }
    },
  };
}

interface Waiting {
  readonly resolve: () => void;
}

function waitIn(requests: TimedQueue<Waiting>, key: string): Promise<void> {
  return new Promise((resolve) => requests.add(key, { resolve }));
}

/** What one body holds of a quota. */
interface Share {
  /** Takes more, or nothing and returns false. */
  acquire(amount: number): boolean;
  /** The error response then. */
  readonly full: ErrorResponse;
  /** Hands over all of it to the returned function, which gives it back; {@link release} no longer does. */
  keep(): Stop;
  /** Gives all of it back. */
  release(): void;
}

function openShare(quota: Quota, key: string, full: ErrorResponse): Share {
  let held = 0;
  return {
    full,
    acquire(amount) {
      const acquired = quota.acquire(key, amount);
      if (acquired) held += amount;
      return acquired;
    },
    keep() {
      let kept = held;
      held = 0;
      return () => {
        quota.release(key, kept);
        kept = 0;
      };
    },
    release() {
      quota.release(key, held);
      held = 0;
    },
  };
}

/** Callers without a token share by address. The prefixes keep the two apart. */
function shareOf(caller: Caller, { socket }: IncomingMessage): string {
  return caller.kind === 'principal' ? `principal ${caller.identity}` : `address ${socket.remoteAddress ?? ''}`;
}

type Failed = { readonly kind: 'error'; readonly error: ErrorResponse };

/** Bytes that are read and parsed at once. More of them take a turn for each read of the socket, and one to be parsed. */
const sizeOfStep = 64 * 1024;

interface Reading {
  readonly maxBytes: number;
  readonly share: Share;
  /** Resolves when more may be read. */
  readonly turn: () => Promise<void>;
}

type Read = Failed | { readonly kind: 'text'; readonly text: string };

/** By events: an async iterator takes twice as long for a small body. Leaves the connection open for the response. */
function readText(request: IncomingMessage, { maxBytes, share, turn }: Reading): Promise<Read> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.resolve(failed(tooLarge(maxBytes)));
  if (request.destroyed) return Promise.reject(new Error('the client has disconnected'));
  return new Promise((resolve, reject) => {
    const body = new BodyBuffer();
    const settle = (outcome: Read | Error): void => {
      request.pause().off('data', onData).off('end', onEnd).off('close', onClose);
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    };
    const onData = (chunk: Buffer): void => {
      if (body.size + chunk.length > maxBytes) settle(failed(tooLarge(maxBytes)));
      else if (!share.acquire(chunk.length)) settle(failed(share.full));
      else {
        body.add(chunk);
        if (body.size <= sizeOfStep) return;
        request.pause();
        void turn().then(() => request.resume());
      }
    };
    const onEnd = (): void => {
      const bytes = body.bytes();
      // Decoding would replace what is no UTF-8, and another text would be passed on.
      settle(isUtf8(bytes) ? { kind: 'text', text: bytes.toString('utf8') } : failed(notJson));
    };
    const onClose = (): void => settle(new Error('the client has disconnected'));
    request
      .on('data', onData)
      .once('end', onEnd)
      .once('close', onClose)
      .on('error', () => {});
  });
}

/** The bytes of a body. Those of a small one are not copied. */
class BodyBuffer {
  #buffer: Buffer = empty;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Copies what follows into one buffer: a client that sends single bytes would otherwise make each of them an object. */
  add(chunk: Buffer): void {
    if (this.#size === 0) this.#buffer = chunk;
    else {
      this.#grow(this.#size + chunk.length);
      chunk.copy(this.#buffer, this.#size);
    }
    this.#size += chunk.length;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#size);
  }

  /** Doubles the buffer, so that adding is linear. */
  #grow(needed: number): void {
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
    this.#buffer.copy(larger, 0, 0, this.#size);
    this.#buffer = larger;
  }
}

const empty = Buffer.alloc(0);

/** Parses a text after its structure was measured and its memory acquired. */
function parse(text: string, share: Share): Failed | { readonly kind: 'parsed'; readonly value: unknown } {
  const measured = measureJson(text, { maxValues, maxDepth });
  if (measured.kind !== 'within') return failed(measured.kind === 'too-deep' ? tooDeep : tooManyValues);
  if (!share.acquire(measured.values * bytesPerValue)) return failed(share.full);
  const json = parseJson(text);
  if (json === undefined) return failed(notJson);
  const duplicate = rememberText(json.value, text);
  return duplicate === undefined ? { kind: 'parsed', value: json.value } : failed(duplicateMember(duplicate));
}

function failed(error: ErrorResponse): Failed {
  return { kind: 'error', error };
}

function tooLarge(maxBytes: number): ErrorResponse {
  return { status: 413, message: `The body is larger than ${maxBytes} bytes (--max-body-bytes)` };
}

const tooManyValues: ErrorResponse = { status: 413, message: `The body has more than ${maxValues} JSON values` };

/** @param bytes that all bodies may hold */
function tooMany(bytes: number): ErrorResponse {
  const all = `${Math.floor(bytes / 2 ** 20)} MiB of memory until they are answered`;
  const most = `${all}, those of one caller a quarter of it`;
  return {
    status: 503,
    message: `Request bodies take at most ${most} (--max-body-bytes): try again later`,
    headers: { 'retry-after': '1' },
  };
}

const notJson: ErrorResponse = { status: 400, code: errorCode.parseError, message: 'The body is not JSON' };

/** Two readers of such an object may use different ones, so none of them is authorized. */
function duplicateMember(name: string): ErrorResponse {
  return { status: 400, code: errorCode.invalidRequest, message: `The body has the member ${quoted(name)} twice` };
}

const tooDeep: ErrorResponse = {
  status: 400,
  code: errorCode.invalidRequest,
  message: `The body is nested deeper than ${maxDepth} levels`,
};

/**
 * Removes `"params": null`, which JSON-RPC forbids but some clients send, among them early versions of the Rust SDK.
 */
function withoutNullParams(value: unknown): unknown {
  if (!isJsonObject(value) || value['params'] !== null) return value;
  const { params: _, ...message } = value;
  return message;
}
