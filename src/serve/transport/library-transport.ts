import type { BytesCall } from './calls.ts';
import { type Frame, messageIn } from './framing.ts';
import type { Transport } from './transport.ts';

/** A call as grpc-js offers it: messages are copied on their way, and it cannot be ended but by its status. */
export class LibraryTransport implements Transport {
  readonly #call: BytesCall;

  constructor(call: BytesCall) {
    this.#call = call;
  }

  closed(): boolean {
    return true;
  }

  reset(): void {}

  onClose(then: () => void): void {
    this.#call.on('cancelled', then);
  }

  stopReading(): void {}

  onReceived(): void {}

  write(frame: Frame, left: () => void): boolean {
    return this.#call.write(messageIn(frame), left);
  }

  onDrain(then: () => void): void {
    this.#call.on('drain', then);
  }

  retire(): void {}
}
