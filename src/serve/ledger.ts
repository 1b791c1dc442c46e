import type { View } from '../snapshot/model.ts';
import type { Rejection, Step, TypeStatus } from './model.ts';

interface Mark {
  readonly view: View;
  readonly nonce: string;
  readonly at: number;
}

/** What happened between the server and a node about one type, for whoever asks. It decides nothing. */
export class Ledger {
  readonly #counts = { requests: 0, responses: 0, acks: 0, nacks: 0 };
  #sent: (Mark & { readonly last: boolean }) | undefined;
  #acked: Mark | undefined;
  #rejection: Rejection | undefined;
  /** Whether a part of the update that is being told was refused. */
  #refused = false;

  requested(): void {
    this.#counts.requests += 1;
  }

  /** @param last whether the node has everything of the View once it applied this response */
  sent(view: View, nonce: string, at: number, last: boolean): void {
    this.#counts.responses += 1;
    if (this.#sent?.last !== false) this.#refused = false;
    this.#sent = { view, nonce, at, last };
  }

  acked(at: number): void {
    this.#counts.acks += 1;
    if (this.#sent === undefined || !this.#sent.last || this.#refused) return;
    this.#acked = { view: this.#sent.view, nonce: this.#sent.nonce, at };
    this.#rejection = undefined;
  }

  refused(rejection: Rejection): void {
    this.#counts.nacks += 1;
    this.#rejection = rejection;
    this.#refused = true;
  }

  /** The world became another one that means the same to this node. */
  movedOn(view: View): void {
    if (this.#sent === undefined) return;
    if (this.#acked?.view === this.#sent.view) this.#acked = { ...this.#acked, view };
    this.#sent = { ...this.#sent, view };
  }

  /** The versions are computed here, and only here: most are never asked for. */
  status(): Pick<TypeStatus, 'sent' | 'acked' | 'rejection' | 'counts'> {
    return {
      ...(this.#sent && { sent: stepOf(this.#sent) }),
      ...(this.#acked && { acked: stepOf(this.#acked) }),
      ...(this.#rejection && { rejection: this.#rejection }),
      counts: { ...this.#counts },
    };
  }
}

function stepOf({ view, nonce, at }: Mark): Step {
  return { version: view.version(), nonce, at };
}
