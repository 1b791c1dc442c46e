import type { Delta, View } from '../../snapshot/model.ts';
import type { Diagnostic, Rejection, SentVersion, TypeStatus, Warnings } from '../model.ts';
import type { WatchedTypeState } from './resource-status.ts';

interface SentView {
  readonly view: View;
  readonly nonce: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/**
 * Records the requests, responses, ACKs and NACKs of one type on one stream, for the debug endpoints and CSDS. Sending
 * depends on the ACK state and the client state only, never on this record.
 */
export class ExchangeRecord {
  readonly #counts = { requests: 0, responses: 0, acks: 0, nacks: 0 };
  /** `last`: whether the response completed its View. */
  #sent: (SentView & { readonly last: boolean }) | undefined;
  #acked: SentView | undefined;
  #rejection: Rejection | undefined;
  #warnings: Warnings | undefined;
  /** The changes in the response that is not answered yet. Released with the answer. */
  #inFlight: Delta | undefined;
  /** The changes in the response that was NACKed. */
  #rejectedDelta: Delta | undefined;
  /** True if a chunk of the View that is being sent was NACKed. */
  #chunkRejected = false;
  /** The warnings about a chunk of the View that is being sent. */
  #chunkWarnings: Warnings | undefined;

  requested(): void {
    this.#counts.requests += 1;
  }

  /** Returns whether the node was sent another View before. */
  isUpdate(view: View): boolean {
    return this.#sent !== undefined && this.#sent.view !== view;
  }

  /** @param last whether the node holds all of the View after this response */
  sent(view: View, nonce: string, at: number, delta: Delta, last: boolean): void {
    this.#counts.responses += 1;
    this.#inFlight = delta;
    if (this.#sent?.last !== false) {
      this.#chunkRejected = false;
      this.#chunkWarnings = undefined;
    }
    this.#sent = { view, nonce, at, last };
  }

  /** @param warnings the diagnostics that came with the ACK */
  acked(at: number, warnings: readonly Diagnostic[]): void {
    this.#counts.acks += 1;
    this.#inFlight = undefined;
    if (this.#sent === undefined) return;
    const { view, nonce, last } = this.#sent;
    if (warnings.length > 0) this.#chunkWarnings = { nonce, diagnostics: warnings, at };
    if (!last || this.#chunkRejected) return;
    this.#acked = { view, nonce, at };
    this.#warnings = this.#chunkWarnings;
    this.#rejection = undefined;
    this.#rejectedDelta = undefined;
  }

  rejected(rejection: Rejection): void {
    this.#counts.nacks += 1;
    this.#rejectedDelta = this.#inFlight;
    this.#inFlight = undefined;
    this.#rejection = rejection;
    this.#chunkRejected = true;
    // A NACK of the response that was ACKed last: what the node held before that is not known.
    if (this.#acked?.nonce === rejection.nonce) this.#acked = undefined;
  }

  /** Moves the record to a later View without changes for this node. */
  rebased(view: View): void {
    if (this.#sent === undefined) return;
    if (this.#acked?.view === this.#sent.view) this.#acked = { ...this.#acked, view };
    this.#sent = { ...this.#sent, view };
  }

  /** Returns what the status of single resources is derived from. */
  state(): Pick<WatchedTypeState, 'inFlight' | 'acked' | 'rejection' | 'rejectedDelta' | 'lastSent'> {
    return {
      ...(this.#inFlight && { inFlight: this.#inFlight }),
      ...(this.#acked && { acked: this.#acked.view }),
      ...(this.#rejection && { rejection: this.#rejection }),
      ...(this.#rejectedDelta && { rejectedDelta: this.#rejectedDelta }),
      ...(this.#sent && { lastSent: this.#sent.at }),
    };
  }

  /** Computes the versions of Views, which is why they are not part of the record. */
  status(): Pick<TypeStatus, 'sent' | 'acked' | 'rejection' | 'remarks' | 'counts'> {
    return {
      ...(this.#sent && { sent: sentVersion(this.#sent) }),
      ...(this.#acked && { acked: sentVersion(this.#acked) }),
      ...(this.#rejection && { rejection: this.#rejection }),
      ...(this.#warnings && { remarks: this.#warnings }),
      counts: { ...this.#counts },
    };
  }
}

function sentVersion({ view, nonce, at }: SentView): SentVersion {
  return { version: view.version(), nonce, at };
}
