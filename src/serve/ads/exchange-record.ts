import type { Delta, View } from '../../snapshot/model.ts';
import type { Diagnostic, Rejection, Remarks, Step, TypeStatus } from '../model.ts';
import type { TypeState } from './resource-status.ts';

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
  #remarks: Remarks | undefined;
  /** What the response says that is not answered. A node that answered keeps nothing of it here. */
  #inFlight: Delta | undefined;
  /** What the response said that the rejection is about. */
  #against: Delta | undefined;
  /** Whether a part of the update that is being told was refused. */
  #refused = false;
  /** What was remarked of a part of it. */
  #remarked: Remarks | undefined;

  requested(): void {
    this.#counts.requests += 1;
  }

  /** @param last whether the node has everything of the View once it applied this response */
  sent(view: View, nonce: string, at: number, says: Delta, last: boolean): void {
    this.#counts.responses += 1;
    this.#inFlight = says;
    if (this.#sent?.last !== false) {
      this.#refused = false;
      this.#remarked = undefined;
    }
    this.#sent = { view, nonce, at, last };
  }

  /** @param diagnostics what the node remarked */
  acked(at: number, diagnostics: readonly Diagnostic[]): void {
    this.#counts.acks += 1;
    this.#inFlight = undefined;
    if (this.#sent === undefined) return;
    const { view, nonce, last } = this.#sent;
    if (diagnostics.length > 0) this.#remarked = { nonce, diagnostics, at };
    if (!last || this.#refused) return;
    this.#acked = { view, nonce, at };
    this.#remarks = this.#remarked;
    this.#rejection = undefined;
    this.#against = undefined;
  }

  refused(rejection: Rejection): void {
    this.#counts.nacks += 1;
    this.#against = this.#inFlight;
    this.#inFlight = undefined;
    this.#rejection = rejection;
    this.#refused = true;
    // What it confirmed before is unknown now that it takes the last confirmation back.
    if (this.#acked?.nonce === rejection.nonce) this.#acked = undefined;
  }

  /** The world became another one that means the same to this node. */
  movedOn(view: View): void {
    if (this.#sent === undefined) return;
    if (this.#acked?.view === this.#sent.view) this.#acked = { ...this.#acked, view };
    this.#sent = { ...this.#sent, view };
  }

  /** What the states of single resources follow from. */
  record(): Pick<TypeState, 'inFlight' | 'confirmed' | 'rejection' | 'refused' | 'lastSent'> {
    return {
      ...(this.#inFlight && { inFlight: this.#inFlight }),
      ...(this.#acked && { confirmed: this.#acked.view }),
      ...(this.#rejection && { rejection: this.#rejection }),
      ...(this.#against && { refused: this.#against }),
      ...(this.#sent && { lastSent: this.#sent.at }),
    };
  }

  /** The versions are computed here, and only here: most are never asked for. */
  status(): Pick<TypeStatus, 'sent' | 'acked' | 'rejection' | 'remarks' | 'counts'> {
    return {
      ...(this.#sent && { sent: stepOf(this.#sent) }),
      ...(this.#acked && { acked: stepOf(this.#acked) }),
      ...(this.#rejection && { rejection: this.#rejection }),
      ...(this.#remarks && { remarks: this.#remarks }),
      counts: { ...this.#counts },
    };
  }
}

function stepOf({ view, nonce, at }: Mark): Step {
  return { version: view.version(), nonce, at };
}
