import type { AdsRequest, Incoming } from './variant.ts';

/** Wraps what reads a message, so that bytes which are none, or (`undefined`) name too much, become a value. */
export function decoder(read: (bytes: Buffer) => AdsRequest | undefined): (bytes: Buffer) => Incoming {
  return (bytes) => {
    try {
      const request = read(bytes);
      return request === undefined ? { kind: 'excessive' } : { kind: 'request', request, bytes: bytes.length };
    } catch (error) {
      return { kind: 'undecodable', problem: error instanceof Error ? error.message : String(error) };
    }
  };
}
