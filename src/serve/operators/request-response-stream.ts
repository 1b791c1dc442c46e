import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { Logger } from '../../edges.ts';
import { RequestError } from './request-error.ts';

/** Answers one request. It may stop early once the answer is `wanted` no more. */
export type Answer<Request, Response> = (request: Request, wanted: () => boolean) => Response | Promise<Response>;

/**
 * Answers each request of a stream with one response, in their order. The next request is read when the answer to the
 * one before has left, so that who asks without reading keeps one answer in memory and no more.
 */
export function answerEach<Request, Response>(
  call: ServerDuplexStream<Request, Response>,
  answer: Answer<Request, Response>,
  log: Logger,
): void {
  const one = async (request: Request): Promise<void> => {
    try {
      const response = await answer(request, () => !call.cancelled);
      if (call.cancelled) return;
      call.write(response, () => call.resume());
    } catch (error) {
      // This is how grpc-js is told a status; as the stream stays paused, it reads no further request.
      call.emit('error', asStatus(error, log));
    }
  };
  call.on('data', (request: Request) => {
    call.pause();
    void one(request);
  });
  call.on('end', () => call.end());
}

/** What to end a call with: a mistake of the asker as it is, one of ours in the log. */
export function asStatus(
  error: unknown,
  log: Logger,
): RequestError | { readonly code: status; readonly details: string } {
  if (error instanceof RequestError) return error;
  log.error('an operator could not be answered', { error });
  return Object.assign(new Error(failed), { code: status.INTERNAL, details: failed });
}

const failed = 'the control plane failed; see its log';
