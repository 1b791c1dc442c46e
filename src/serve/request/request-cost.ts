import type { RequestFields } from './request-fields.ts';
import type { StreamEnd } from './stream-status.ts';

/** What a field weighs beyond its bytes: about what keeping a name takes. */
const perField = 64;

/** How much a node may say of itself, in bytes. What it says is kept up to 16 KiB. */
const maxNode = 256 * 1024;

/** About how many bytes may be taken by what a request says. */
export interface RequestLimits {
  /** By the names of one list. */
  readonly maxNames: number;
  /** By what the node says it holds from an earlier stream. */
  readonly maxReported: () => number;
}

/** How the stream ends of a request that would take more time and memory than one node may cost the others. */
export interface Excess extends StreamEnd {
  readonly kind: 'excessive';
}

/**
 * Weighs a request field by field, before anything is made of it: a million names take a second to become a million
 * texts, in which nobody else is served.
 */
export class RequestWeight {
  readonly #fields: RequestFields;
  readonly #limits: RequestLimits;
  #wanted = 0;
  #unwanted = 0;
  #reported = 0;
  #others = 0;
  #maxReported: number | undefined;

  constructor(fields: RequestFields, limits: RequestLimits) {
    this.#fields = fields;
    this.#limits = limits;
  }

  /** Adds a field, with so many bytes after its head. Answers what is too much by now, if anything. */
  add(field: number, length: number): Excess | undefined {
    const { node, wanted, unwanted, versions } = this.#fields;
    const { maxNames } = this.#limits;
    switch (field) {
      case versions:
        this.#reported += perField + length;
        this.#maxReported ??= this.#limits.maxReported();
        return this.#reported > this.#maxReported ? tooMuchReported(this.#maxReported) : undefined;
      case wanted:
        this.#wanted += perField + length;
        return this.#wanted > maxNames ? tooManyNames(maxNames) : undefined;
      case unwanted:
        this.#unwanted += perField + length;
        return this.#unwanted > maxNames ? tooManyNames(maxNames) : undefined;
      default:
        this.#others += perField;
        if (this.#others > maxNames) return excess('the request has too many fields');
        return field === node && length > maxNode ? excess(`a node may say ${maxNode} bytes of itself`) : undefined;
    }
  }
}

/** A request of no more bytes than this cannot weigh too much: every field takes one at least. */
export function neverTooMuch({ maxNames, maxReported }: RequestLimits): number {
  return Math.min(maxNode, Math.floor(Math.min(maxNames, maxReported()) / (perField + 1)));
}

/** @param limit bytes */
export function tooManyNames(limit: number): Excess {
  return excess(`too many names: a subscription to one type may take ${limit} bytes`);
}

/** @param limit bytes */
function tooMuchReported(limit: number): Excess {
  return excess(`the node says that it holds far more than there is: it may take ${limit} bytes`);
}

function excess(message: string): Excess {
  return { kind: 'excessive', code: 'RESOURCE_EXHAUSTED', message };
}
