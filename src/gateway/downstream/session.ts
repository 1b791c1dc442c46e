import type { Caller } from '../model.ts';
import type { Message, RequestId, SendOptions } from '../rpc/model.ts';
import { createPeer } from '../rpc/peer.ts';
import type { Multiplexer } from '../session/multiplexer.ts';

/** One client's session, whatever the transport. */
export interface Session {
  /** @param caller who sent this very message */
  receive(message: Message, caller: Caller): void;
  protocolVersion(): string | undefined;
  /** Ends what is in flight; settles when the targets are told. */
  close(): Promise<void>;
}

export interface SessionParts {
  readonly multiplexer: Multiplexer;
  send(message: Message, options: SendOptions): Promise<void>;
  /** The client cancelled this request; nothing will be sent for it any more. */
  abandoned?(id: RequestId): void;
}

/** More than any client needs at once, and little enough to be harmless. */
const maxInFlight = 256;

/** Lets a client talk to all targets over its transport. */
export function createSession({ multiplexer, ...transport }: SessionParts): Session {
  const peer = createPeer<Caller>({
    ...transport,
    maxInFlight,
    request: (request, caller) => conversation.request({ ...request, caller }),
    // `initialized` and `roots/list_changed` change nothing here; `cancelled` is the peer's own.
    notification: () => {},
  });
  const conversation = multiplexer.open(peer);
  return {
    receive: peer.receive,
    protocolVersion: conversation.protocolVersion,
    close() {
      peer.close(new Error('the session has ended'));
      return conversation.close();
    },
  };
}
