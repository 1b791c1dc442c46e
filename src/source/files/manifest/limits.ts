import { encodedPartsOf, partsOf } from '../../../resources/resources.ts';
import type { ObjectContent } from './read-object.ts';

/** Limits of a manifest file. A file beyond them is invalid as a whole. */
export const limits: {
  readonly [what in
    | 'bytes'
    | 'aliases'
    | 'unfoldedValues'
    | 'depth'
    | 'structure'
    | 'objects'
    | 'diagnostics'
    | 'parseTime'
    | 'parseMemory']: number;
} = {
  /** Bytes of a file. */
  bytes: 5 * 1024 * 1024,
  /** Aliases (`*name`) in a file. */
  aliases: 100,
  /** Values that the aliases of a file expand to: a few aliases of aliases multiply ("billion laughs"). */
  unfoldedValues: 100_000,
  /** Nested collections, far more than any Kubernetes object has. */
  depth: 200,
  /**
   * Line breaks and characters of the structure (colon, comma, opening brackets) per document, wherever they stand. They
   * bound the nodes that parsing makes, each of which takes up to 2 KiB, before it begins. 2 MiB of Services in one List
   * have 300,000 as JSON.
   */
  structure: 400_000,
  /**
   * Objects in a file, with {@link weightOfPart} for each of their parts. They are received and compared in pieces, but
   * begin to count at once, in one turn of the event loop: 20,000 take 30 ms, and 30 ms in that of the batch.
   */
  objects: 20_000,
  /** Diagnostics of a file that are listed one by one. */
  diagnostics: 100,
  /** Milliseconds of processor time that parsing one file may take. 5 MiB of Services take 2 to 4 seconds. */
  parseTime: 5000,
  /** MiB of heap that parsing one file may take. 2 MiB of Services in one List, or 5 MiB of them in documents, fit. */
  parseMemory: 256,
};

/**
 * As how many objects a further part of one counts: an MCP port of a Service, a Gateway of a policy, a listener of a Gateway,
 * or four labels of a Namespace, after the first. Each takes 3 to 13 µs and 1 to 3 KiB: 5 MiB may have 144,000 of them.
 */
export const weightOfPart = 4;

/** As how many objects one counts. */
export function weightOf(content: ObjectContent): number {
  return 1 + weightOfPart * Math.max(0, content.type === 'resource' ? partsOf(content.resource) - 1 : 0);
}

/**
 * As how many objects of 1 KiB what a policy is encoded to counts in all files together, for each 8 KiB: with the rules that it
 * is made from it takes 28 KiB. What one file may have is a matter of time, and this one of memory.
 */
const memoryOfEncodedPart = 10;

/** As how many objects of 1 KiB one counts in all files together. */
export function memoryOf(content: ObjectContent): number {
  const encoded = content.type === 'resource' ? encodedPartsOf(content.resource) : 0;
  return weightOf(content) + (memoryOfEncodedPart - weightOfPart) * encoded;
}
