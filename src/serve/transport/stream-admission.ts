import type { Counters } from '../../edges.ts';
import type { Admission } from '../limits/admission.ts';
import type { Places } from '../limits/quota.ts';
import type { StreamEnd } from '../request/stream-status.ts';
import { type AdsCall, addressOf, endCall } from './calls.ts';
import { type LingerParts, linger } from './transport.ts';
import { transportOf } from './transport-of.ts';

/** Where streams come in. Of one that is turned away nothing was read and nothing is kept. */
export class Door {
  readonly #admission: Admission;
  readonly #places: Places;
  readonly #parts: LingerParts;
  readonly #counters: Counters;
  /** Whoever waits for its turn, and what turns it away. */
  readonly #waiting = new Map<AdsCall, (end: StreamEnd) => void>();
  #shut: StreamEnd | undefined;

  constructor(admission: Admission, places: Places, parts: LingerParts, counters: Counters) {
    this.#admission = admission;
    this.#places = places;
    this.#parts = parts;
    this.#counters = counters;
  }

  /** Calls `admit` when the turn of the call has come, unless it is gone by then. */
  enter(call: AdsCall, admit: () => void): void {
    if (this.#shut !== undefined) {
      this.#turnAway(call, this.#shut);
      return;
    }
    const address = addressOf(call);
    const turn = this.#admission.enter(address);
    if (turn.kind === 'refused') this.#refuse(call, 'too many new streams; come back later');
    else if (!this.#places.take(address)) this.#refuse(call, 'too many streams are open; come back later');
    else {
      transportOf(call).onClose(() => this.#places.giveBack(address));
      if (turn.wait === 0) admit();
      else this.#wait(call, turn.wait, admit);
    }
  }

  /** Turns everybody away from now on, those who wait included. */
  shut(end: StreamEnd): void {
    this.#shut = end;
    for (const refuse of [...this.#waiting.values()]) refuse(end);
  }

  #wait(call: AdsCall, milliseconds: number, admit: () => void): void {
    const leave = (): void => {
      stopTimer();
      this.#waiting.delete(call);
      call.off('cancelled', giveUp);
    };
    // A deadline of its own may have ended it, and its node may leave it at that.
    const giveUp = (): void => {
      leave();
      linger(transportOf(call), this.#parts, nothing);
    };
    const stopTimer = this.#parts.clock.after(milliseconds, () => {
      leave();
      admit();
    });
    this.#waiting.set(call, (end) => {
      leave();
      this.#turnAway(call, end);
    });
    call.on('cancelled', giveUp);
  }

  #refuse(call: AdsCall, message: string): void {
    this.#counters.count('gatehouse_xds_streams_refused_total');
    this.#turnAway(call, { code: 'RESOURCE_EXHAUSTED', message });
  }

  #turnAway(call: AdsCall, end: StreamEnd): void {
    endCall(call, end);
    linger(transportOf(call), this.#parts, nothing);
  }
}

const nothing = (): void => {};
