import { createHash, hash } from 'node:crypto';

/**
 * The bytes of a SHA-256 that a version keeps. With fewer bytes, or a hash that is not cryptographic, an author could
 * construct a collision and so hide a change.
 */
const versionBytes = 16;

/** Returns the version of one resource: a hash of its encoded message, equal on every replica, after every restart. */
export function versionOf(message: Uint8Array): string {
  return hash('sha256', message, 'buffer').toString('hex', 0, versionBytes);
}

/** Returns the version of several parts: changes when a part is added, removed or changed. Their order counts. */
export function versionOfAll(parts: Iterable<string>): string {
  const whole = createHash('sha256');
  // The separator occurs in no name and no version, so ["ab", "c"] and ["a", "bc"] have different versions.
  for (const part of parts) whole.update(part).update('\0');
  return whole.digest().toString('hex', 0, versionBytes);
}
