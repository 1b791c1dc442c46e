/**
 * Copies a text out of the one that it is a part of. Use it for what is kept: V8 makes a part of a text a reference to
 * the whole, so that a name of 20 characters would keep the message of 32 MiB that it came with. Lone surrogates are
 * replaced.
 */
export function detached(text: string): string {
  return Buffer.from(text).toString();
}
