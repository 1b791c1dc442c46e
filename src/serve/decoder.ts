import type { AdsRequest, Incoming } from './variant.ts';

/** Wraps what reads a message, so that bytes which are none become a value. */
export function decoder(read: (bytes: Buffer) => AdsRequest): (bytes: Buffer) => Incoming {
  return (bytes) => {
    try {
      return { kind: 'request', request: read(bytes) };
    } catch (error) {
      return { kind: 'undecodable', problem: error instanceof Error ? error.message : String(error) };
    }
  };
}
