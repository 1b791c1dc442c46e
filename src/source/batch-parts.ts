import type { ResourceChange } from './model.ts';
import { workOf } from './resource-change.ts';

/**
 * What is applied at once: as many objects, and bytes of JSON, as take some ten milliseconds. The largest policy has
 * 1.5 MiB, and is a part of its own.
 */
export const largestPart: { readonly objects: number; readonly bytes: number } = { objects: 250, bytes: 512 * 1024 };

/** Some of the items that belong together. */
export interface Part<T> {
  readonly items: readonly T[];
  /** False: it is the last one. */
  readonly more: boolean;
}

/**
 * Divides what belongs together into parts of {@link largestPart}, in its order. Of nothing there is one part. Each is made
 * when it is asked for, since to look at a hundred thousand items takes longer than a turn may; the items must stay as they
 * are until then.
 */
export function* divide<T>(items: Iterable<T>, bytesOf: (item: T) => number): Generator<Part<T>, void> {
  let part: T[] = [];
  let sum = 0;
  for (const item of items) {
    const bytes = bytesOf(item);
    sum += bytes;
    if (part.length > 0 && (part.length === largestPart.objects || sum > largestPart.bytes)) {
      yield { items: part, more: true };
      part = [];
      sum = bytes;
    }
    part.push(item);
  }
  yield { items: part, more: false };
}

/** The bytes of JSON of a match of a policy with a short value, and of a rule around its matches. */
const bytesOfMatch = 80;

/** Estimates the bytes of JSON of an object of which they are not known. Only policies may have many. */
export function estimatedBytes(change: ResourceChange): number {
  const { resource } = change;
  if (resource?.kind !== 'MCPAuthPolicy' || !resource.rules.ok) return bytesOfParts(change);
  const matches = resource.rules.value.map((rule) => (rule.ok ? rule.value.matches.length + 1 : 1));
  return bytesOfParts(change) + bytesOfMatch * matches.reduce((sum, count) => sum + count, 0);
}

/** As many bytes as take the time of an attachment, or of a target: 13 µs. */
const bytesOfPart = 256;

/** Bytes beside those of an object's JSON for what it multiplies to, or did: the first part costs what an object costs. */
export function bytesOfParts({ resource, replaces = 0 }: ResourceChange): number {
  const parts = resource === undefined ? 0 : workOf(resource);
  return bytesOfPart * Math.max(0, Math.max(parts, replaces) - 1);
}
