import { objectIn, parseJson, textIn } from '../json/json.ts';

/** Why the API server did not give what was asked for. `reason` is also the label of a metric. */
export type KubeFailure =
  /** No answer at all. */
  | { readonly reason: 'unreachable'; readonly message: string }
  /** The connection broke within an answer. */
  | { readonly reason: 'broken'; readonly message: string }
  /** Not a byte for so long that the connection may be dead. */
  | { readonly reason: 'silent'; readonly message: string }
  /** 401: it does not know us; a token may just have been replaced. */
  | { readonly reason: 'unauthorized'; readonly message: string }
  /** 403: it knows us, and we may not. */
  | { readonly reason: 'forbidden'; readonly message: string }
  /** 404, which a proxy may have made up. */
  | { readonly reason: 'not-found'; readonly message: string }
  /** 410: what we hold is too old to go on from. */
  | { readonly reason: 'expired'; readonly message: string }
  /** 429 or 503; `retryAfter` in milliseconds, 0 when it does not say. */
  | { readonly reason: 'busy'; readonly message: string; readonly retryAfter: number }
  /** Any other status. */
  | { readonly reason: 'refused'; readonly message: string; readonly status: number }
  /** It is no answer of a Kubernetes API: HTML, an object without metadata, a line beyond all size. */
  | { readonly reason: 'unintelligible'; readonly message: string };

/** What was asked for, or why it was not given. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: KubeFailure };

/** Nobody waits longer than two minutes because a server says so. */
const LONGEST_RETRY_AFTER = 120_000;

/** What an HTTP status, or the code of a `v1 Status` in a stream, means for who asked. */
export function failureOfStatus(status: number, message: string, retryAfter = 0): KubeFailure {
  switch (status) {
    case 401:
      return { reason: 'unauthorized', message };
    case 403:
      return { reason: 'forbidden', message };
    case 404:
      return { reason: 'not-found', message };
    case 410:
      return { reason: 'expired', message };
    case 429:
    case 503:
      return { reason: 'busy', message, retryAfter };
    default:
      return { reason: 'refused', message, status };
  }
}

/**
 * The wait that a Retry-After header asks for, in milliseconds: seconds or a date (RFC 9110, 10.2.3), at most two
 * minutes; 0 when there is none, or none that can be read.
 */
export function retryAfter(header: string | undefined, now: number): number {
  const text = header?.trim() ?? '';
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(wait) ? 0 : Math.min(Math.max(wait, 0), LONGEST_RETRY_AFTER);
}

/** The words of an error's body: the message of a `v1 Status`, else what stands there, shortened and on one line. */
export function wordsOf(status: number, body: string): string {
  const said = textIn(parseJson(body)?.value, 'message') ?? body;
  return `${status} ${shortened(said)}`.trim();
}

/** The failure that a `v1 Status` within a stream reports; its code may stand in `details` only. */
export function failureInStream(status: unknown): KubeFailure {
  const code = numberIn(status, 'code');
  const message = `${code} ${shortened(textIn(status, 'message') ?? 'without a message')}`;
  return failureOfStatus(code, message, numberIn(objectIn(status, 'details'), 'retryAfterSeconds') * 1000);
}

function numberIn(value: unknown, field: string): number {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const number: unknown = inner.find(([name]) => name === field)?.[1];
  return typeof number === 'number' && Number.isFinite(number) ? number : 0;
}

function shortened(text: string): string {
  const line = text.slice(0, 1000).replaceAll(/\s+/g, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}
