import { within } from '../../../net/deadline.ts';
import type { TargetFetch, TargetRequest, TargetResponse } from '../../model.ts';
import { maxUnacceptedOfTarget } from '../answer-limits.ts';
import type { TransportParts } from '../model.ts';

/** A target answered with a status, or a kind of content, that carries no messages. */
export class HttpStatusError extends Error {
  override readonly name = 'HttpStatusError';

  readonly status: number;
  /** Whether the request named a session. */
  readonly inSession: boolean;

  constructor(message: string, status: number, inSession: boolean) {
    super(message);
    this.status = status;
    this.inSession = inSession;
  }
}

/** A target answered with a kind of content that carries no messages, such as a page for people. */
export class MediaTypeError extends Error {
  override readonly name = 'MediaTypeError';
}

/** Milliseconds that a target has to accept a message that has no response: each takes a connection until then. */
const acceptTime = 30_000;

/**
 * Sends a message that has no response. Rejects when the target does not accept it in time, or has too many others to
 * accept.
 */
export async function sendUnanswered(
  { clock, budget, target }: Pick<TransportParts, 'clock' | 'budget' | 'target'>,
  signal: AbortSignal,
  send: (until: AbortSignal) => Promise<void>,
): Promise<void> {
  if (!budget.unaccepted.acquire(target)) {
    throw new Error(`the target accepts too few of the messages that it gets: at most ${maxUnacceptedOfTarget} wait`);
  }
  try {
    await within({ clock, milliseconds: acceptTime, signal }, send);
  } finally {
    budget.unaccepted.release(target);
  }
}

/** Milliseconds that an exchange may stay open after the response that it was opened for. */
export const lingerTime = 1_000;

/** The most that is read of the body of a refusal, for the log: 1 KiB. */
const maxReasonBytes = 1_024;

/** The most redirects that are followed. */
const maxRedirects = 5;

/**
 * Sends a request and follows redirects within the origin of the URL that keep the method: any redirect of a GET, and
 * 307 and 308 of other requests. Returns any other redirect as it is, which is no success.
 */
export async function fetchWithinOrigin(fetch: TargetFetch, url: URL, request: TargetRequest): Promise<TargetResponse> {
  let current = url;
  for (let followed = 0; ; followed += 1) {
    const response = await fetch(current, request);
    const next = redirectOf(response, current, request.method);
    if (next === undefined || followed === maxRedirects) return response;
    await discard(response);
    current = next;
  }
}

function redirectOf({ status, headers }: TargetResponse, from: URL, method: string): URL | undefined {
  const keepsMethod = [307, 308].includes(status) || (method === 'GET' && [301, 302, 303].includes(status));
  const location = keepsMethod ? headers.get('location') : null;
  const to = location === null ? null : URL.parse(location, from.href);
  return to !== null && to.origin === from.origin ? to : undefined;
}

/** Describes a response that is no success, with the beginning of its body, and ends the response. */
export async function statusError(response: TargetResponse, inSession: boolean): Promise<HttpStatusError> {
  const reason = response.headers.get('location') === null ? await beginningOf(response) : redirectReason(response);
  await discard(response);
  return new HttpStatusError(`answered with status ${response.status}: ${reason}`, response.status, inSession);
}

/** A location may repeat headers of its request as a page does, but not in its origin. */
function redirectReason({ headers, mayRepeatSecrets }: TargetResponse): string {
  const location = headers.get('location') ?? '';
  const shown = mayRepeatSecrets ? (URL.parse(location)?.origin ?? 'another place') : location;
  return `redirects to ${shown}, which is not followed`;
}

/** Pages of errors show the headers of their request, for whoever develops the server; the log must not. */
async function beginningOf({ body, mayRepeatSecrets }: TargetResponse): Promise<string> {
  if (mayRepeatSecrets) return 'its text is not shown, since it may repeat headers that are secret';
  try {
    for await (const chunk of body ?? []) return new TextDecoder().decode(chunk.subarray(0, maxReasonBytes));
  } catch {
    // The status is reason enough.
  }
  return '';
}

/** Ends a response whose body is not needed. */
export async function discard({ body }: TargetResponse): Promise<void> {
  await body?.cancel().catch(() => {});
}

/** Returns the media type of a response in lower case, without parameters; empty when there is none. */
export function mediaTypeOf({ headers }: TargetResponse): string {
  const type = headers.get('content-type') ?? '';
  const semicolon = type.indexOf(';');
  return (semicolon === -1 ? type : type.slice(0, semicolon)).trim().toLowerCase();
}
