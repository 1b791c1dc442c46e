import type { StreamStatus } from './stream-status.ts';

/** Charged per field in addition to its bytes: about what a decoded name takes in memory. Bytes. */
const fieldOverhead = 64;

/**
 * The same for a reported version: 1.3 µs, for a name and a version that have to be decoded because nobody else has them.
 * Not more than this, because a node that is refused keeps what it holds: one that was away while a large world became
 * small must still be told what is gone.
 */
const versionOverhead = 128;

/** The largest `node` of a request; bytes. */
const maxNode = 256 * 1024;

/** The maximum cost of one request; bytes, with what is charged per field. */
export interface RequestLimits {
  /** The names of one list. */
  readonly maxNames: number;
  /** `initial_resource_versions`. A function, because the limit grows with the number of resources served. */
  readonly maxInitialVersions: () => number;
}

/** The numbers of the fields that have a limit of their own. */
export interface LimitedFields {
  readonly node: number;
  readonly subscribe: number;
  readonly unsubscribe?: number;
  readonly initialVersions?: number;
}

/** The status that ends the stream of a request whose cost is above a limit. */
export interface LimitExceeded extends StreamStatus {
  readonly kind: 'limit-exceeded';
}

/**
 * Adds up the cost of one request, field by field, before any field is decoded. Decoding a million names takes about a
 * second, in which the event loop serves no other node.
 */
export class RequestCost {
  readonly #fields: LimitedFields;
  readonly #limits: RequestLimits;
  #subscribe = 0;
  #unsubscribe = 0;
  #initialVersions = 0;
  #others = 0;
  #maxInitialVersions: number | undefined;

  constructor(fields: LimitedFields, limits: RequestLimits) {
    this.#fields = fields;
    this.#limits = limits;
  }

  /**
   * Adds one field. Returns the status to end the stream with once a limit is exceeded.
   *
   * @param length bytes after the tag and the length of the field
   */
  add(field: number, length: number): LimitExceeded | undefined {
    const { node, subscribe, unsubscribe, initialVersions } = this.#fields;
    const { maxNames } = this.#limits;
    switch (field) {
      case initialVersions:
        this.#initialVersions += versionOverhead + length;
        this.#maxInitialVersions ??= this.#limits.maxInitialVersions();
        return this.#initialVersions > this.#maxInitialVersions ? tooManyVersions(this.#maxInitialVersions) : undefined;
      case subscribe:
        this.#subscribe += fieldOverhead + length;
        return this.#subscribe > maxNames ? tooManyNames(maxNames) : undefined;
      case unsubscribe:
        this.#unsubscribe += fieldOverhead + length;
        return this.#unsubscribe > maxNames ? tooManyNames(maxNames) : undefined;
      default:
        this.#others += fieldOverhead;
        if (this.#others > maxNames) return limitExceeded('the request has too many fields');
        return field === node && length > maxNode
          ? limitExceeded(`a node may say ${maxNode} bytes of itself`)
          : undefined;
    }
  }
}

/** Creates the meters for the requests of one protocol variant. */
export interface RequestMetering {
  /** A request of at most this many bytes cannot exceed a limit and needs no meter: a field takes one byte or more. */
  readonly exemptSize: number;
  readonly start: () => RequestCostMeter;
}

/** Returns the metering of a protocol variant, whose fields have these numbers. */
export function requestMetering(fields: LimitedFields, limits: RequestLimits): RequestMetering {
  const { maxNames, maxInitialVersions } = limits;
  const smallest = Math.min(maxNames / (fieldOverhead + 1), maxInitialVersions() / (versionOverhead + 1));
  const exemptSize = Math.min(maxNode, Math.floor(smallest));
  return { exemptSize, start: () => new RequestCostMeter(new RequestCost(fields, limits)) };
}

/**
 * Meters the cost of a request while its bytes arrive, so that a request above a limit ends its stream before all of it
 * is received. Stops at malformed bytes, which the decoder reports once the message is complete. Fields inside a group
 * count as fields of the message.
 */
export class RequestCostMeter {
  readonly #cost: RequestCost;
  /** The tag whose length or varint is being read; 0 while a tag is being read. */
  #tag = 0;
  /** The varint being read, and the factor of its next seven bits. */
  #number = 0;
  #factor = 1;
  /** Bytes to skip. */
  #skip = 0;
  #malformed = false;

  constructor(cost: RequestCost) {
    this.#cost = cost;
  }

  /** Reads the bytes of the message between `start` and `end`. Returns the status to end the stream with, if any. */
  add(chunk: Buffer, start: number, end: number): LimitExceeded | undefined {
    let next = start;
    while (next < end && !this.#malformed) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, end - next);
        this.#skip -= skipped;
        next += skipped;
        continue;
      }
      const byte = chunk[next] ?? 0;
      next += 1;
      this.#number += (byte & 0x7f) * this.#factor;
      this.#factor *= 128;
      if (byte < 0x80) {
        const exceeded = this.#addNumber(this.#number);
        if (exceeded !== undefined) return exceeded;
        this.#number = 0;
        this.#factor = 1;
      } else if (this.#factor > varintLimit) this.#malformed = true;
    }
    return undefined;
  }

  #addNumber(number: number): LimitExceeded | undefined {
    const tag = this.#tag;
    if (tag === 0) {
      this.#tag = number;
      return this.#addTag(number);
    }
    this.#tag = 0;
    // A varint is the whole value of its field, a length announces as many bytes.
    this.#skip = (tag & 7) === 0 ? 0 : number;
    return this.#cost.add(tag >>> 3, this.#skip);
  }

  #addTag(tag: number): LimitExceeded | undefined {
    // No field number takes more than 29 bits.
    const size = tag < 2 ** 32 ? valueSizes[tag & 7] : undefined;
    if (size === 'varint') return undefined;
    this.#malformed = size === undefined;
    this.#skip = size ?? 0;
    this.#tag = 0;
    return this.#cost.add(tag >>> 3, this.#skip);
  }
}

/** Bytes after a tag by wire type; `varint`: a varint follows, which is the value or its length. */
const valueSizes: readonly (number | 'varint' | undefined)[] = ['varint', 8, 'varint', 0, 0, 4];

/** A varint has at most ten bytes of seven bits. */
const varintLimit = 2 ** 70;

/**
 * Returns the status for a subscription above its limit.
 *
 * @param limit bytes
 */
export function tooManyNames(limit: number): LimitExceeded {
  return limitExceeded(`too many names: a subscription to one type may take ${limit} bytes`);
}

/** @param limit bytes */
function tooManyVersions(limit: number): LimitExceeded {
  return limitExceeded(`the node says that it holds far more than there is: it may take ${limit} bytes`);
}

function limitExceeded(message: string): LimitExceeded {
  return { kind: 'limit-exceeded', code: 'RESOURCE_EXHAUSTED', message };
}
