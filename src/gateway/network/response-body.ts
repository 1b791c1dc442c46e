import type { Dispatcher } from 'undici';
import type { TargetBody } from '../model.ts';

/** Bytes that wait for their reader, beyond which the connection is not read: as many as one read of a socket has. */
const maxWaiting = 64 * 1024;

/** Where a response is: the end comes after what waits has been read. */
type State = { readonly kind: 'arriving' | 'ended' } | { readonly kind: 'failed'; readonly error: Error };

/**
 * The body of a response as undici hands it over, without the stream that its `request` makes of it: that takes as much
 * time for a small answer as sending the request. What arrives between two reads is read as one piece, so that a target
 * that sends single bytes does not cause a step for each.
 */
export class ResponseBody implements TargetBody {
  readonly #controller: Dispatcher.DispatchController;
  #chunks: Buffer[] = [];
  #waiting = 0;
  #state: State = { kind: 'arriving' };
  #isDropped = false;
  /** Called when there is something for the reader. */
  #wake: (() => void) | undefined;

  constructor(controller: Dispatcher.DispatchController) {
    this.#controller = controller;
  }

  push(chunk: Buffer): void {
    if (this.#isDropped) return;
    this.#chunks.push(chunk);
    this.#waiting += chunk.length;
    if (this.#waiting >= maxWaiting) this.#controller.pause();
    this.#wake?.();
  }

  end(): void {
    this.#state = { kind: 'ended' };
    this.#wake?.();
  }

  /** What waits is lost, as it is part of something that will not be whole. */
  fail(error: Error): void {
    this.#state = { kind: 'failed', error };
    this.#drop();
    this.#wake?.();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: () => this.#next(),
      return: () => {
        this.#abort();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  async cancel(): Promise<void> {
    this.#drop();
    this.#controller.resume();
    // What has arrived whole leaves its connection to the next request.
    await new Promise((resolve) => setImmediate(resolve));
    this.#abort();
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (this.#chunks.length === 0 && this.#state.kind === 'arriving') {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    if (this.#state.kind === 'failed') throw this.#state.error;
    const value = this.#take();
    return value === undefined ? { done: true, value } : { done: false, value };
  }

  #take(): Uint8Array | undefined {
    const [first, ...others] = this.#chunks;
    if (first === undefined) return undefined;
    const taken = others.length === 0 ? first : Buffer.concat(this.#chunks, this.#waiting);
    this.#chunks = [];
    this.#waiting = 0;
    this.#controller.resume();
    return taken;
  }

  #drop(): void {
    this.#isDropped = true;
    this.#chunks = [];
    this.#waiting = 0;
  }

  #abort(): void {
    this.#drop();
    if (this.#state.kind === 'arriving') this.#controller.abort(new Error('the response is not needed'));
  }
}
