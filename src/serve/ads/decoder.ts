import type { Excess } from '../request/request-cost.ts';
import type { AdsRequest, Incoming } from './protocol.ts';

/** Wraps what reads a message, so that bytes which are none become a value. */
export function decoder(read: (bytes: Buffer) => AdsRequest | Excess): (bytes: Buffer) => Incoming {
  return (bytes) => {
    try {
      const request = read(bytes);
      return 'kind' in request ? request : { kind: 'request', request, bytes: bytes.length };
    } catch (error) {
      return { kind: 'undecodable', problem: error instanceof Error ? error.message : String(error) };
    }
  };
}
