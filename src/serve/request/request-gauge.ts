import { type Excess, neverTooMuch, type RequestLimits, RequestWeight } from './request-cost.ts';
import type { RequestFields } from './request-fields.ts';

/** How the requests of a variant are weighed while they arrive. */
export interface Weighing {
  /** One of no more bytes than this need not be. */
  readonly light: number;
  readonly gauge: () => RequestGauge;
}

export function weighing(fields: RequestFields, limits: RequestLimits): Weighing {
  return { light: neverTooMuch(limits), gauge: () => new RequestGauge(new RequestWeight(fields, limits)) };
}

/**
 * Weighs a request while it arrives, so that one which is too much need not arrive as a whole. Bytes that are no
 * message are left to whoever reads them in the end.
 */
export class RequestGauge {
  readonly #weight: RequestWeight;
  /** The tag whose length or value comes next; 0: the next thing is a tag. */
  #tag = 0;
  /** The number that is being read, and what the next seven bits of it count. */
  #number = 0;
  #factor = 1;
  /** Bytes to pass over. */
  #left = 0;
  #lost = false;

  constructor(weight: RequestWeight) {
    this.#weight = weight;
  }

  /** Takes the next bytes of the message, those from `at` to `end`. Answers what is too much by now, if anything. */
  take(piece: Buffer, at: number, end: number): Excess | undefined {
    let next = at;
    while (next < end && !this.#lost) {
      if (this.#left > 0) {
        const passed = Math.min(this.#left, end - next);
        this.#left -= passed;
        next += passed;
        continue;
      }
      const byte = piece[next] ?? 0;
      next += 1;
      this.#number += (byte & 0x7f) * this.#factor;
      this.#factor *= 128;
      if (byte < 0x80) {
        const excess = this.#read(this.#number);
        if (excess !== undefined) return excess;
        this.#number = 0;
        this.#factor = 1;
      } else if (this.#factor > longestNumber) this.#lost = true;
    }
    return undefined;
  }

  #read(number: number): Excess | undefined {
    const tag = this.#tag;
    if (tag === 0) {
      this.#tag = number;
      return this.#readTag(number);
    }
    this.#tag = 0;
    // Of a number nothing is left to come.
    this.#left = (tag & 7) === 0 ? 0 : number;
    return this.#weight.add(tag >>> 3, this.#left);
  }

  #readTag(tag: number): Excess | undefined {
    const length = lengths[tag & 7];
    if (length === 'read') return undefined;
    this.#lost = length === undefined;
    this.#left = length ?? 0;
    this.#tag = 0;
    return this.#weight.add(tag >>> 3, this.#left);
  }
}

/**
 * How many bytes follow a tag of each wire type, or that a number tells. What stands in a group counts as if it stood in
 * the message.
 */
const lengths: readonly (number | 'read' | undefined)[] = ['read', 8, 'read', 0, 0, 4];

/** Ten times seven bits: none is longer. */
const longestNumber = 2 ** 70;
