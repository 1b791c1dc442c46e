import { createHash, hash } from 'node:crypto';

/** Bytes of a SHA-256 that make a version. Shorter, or not cryptographic, and an author could hide a change behind a collision. */
const versionBytes = 16;

/** The version of one resource: a hash of its encoded message, so every replica and every restart agree on it. */
export function versionOf(message: Uint8Array): string {
  return hash('sha256', message, 'buffer').toString('hex', 0, versionBytes);
}

/** The version of several: changes when a member comes, goes or changes. The order of the parts counts. */
export function versionOfAll(parts: Iterable<string>): string {
  const whole = createHash('sha256');
  // A separator that no name and no version contains keeps ["ab", "c"] apart from ["a", "bc"].
  for (const part of parts) whole.update(part).update('\0');
  return whole.digest().toString('hex', 0, versionBytes);
}
