import { connect } from 'node:net';
import { setImmediate as iteration } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { fuzz } from '../../support/fuzz/fuzz.ts';
import type { AdsStream } from '../../support/nodes/ads-client.ts';
import { startTlsWorld, type TlsWorld } from '../../support/worlds/tls-world.ts';

let served: TlsWorld | undefined;
let neighbour: AdsStream | undefined;
let cases = 0;

/** Sends the bytes on a connection of its own, lets the server read them, and resets it. */
async function converse(port: number, input: Buffer): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.2' });
  socket.on('error', () => {}).resume();
  await new Promise((resolve) => {
    socket.on('close', resolve);
    socket.write(input, resolve);
  });
  for (let left = 6; left > 0; left -= 1) await iteration();
  socket.resetAndDestroy();
}

describe('any bytes on a connection to a port that speaks TLS and plaintext', () => {
  fuzz('end that connection at most, and the next change reaches the other nodes', {
    corpus: new URL('./corpus-tls/', import.meta.url),
    run: async (input) => {
      served ??= await startTlsWorld({
        plaintext: true,
        minVersion: 'TLSv1.2',
        furtherStreamRate: 1_000_000,
        furtherStreamBurst: 1_000_000,
      });
      neighbour ??= await served.world.following({}, served.channel);
      await converse(served.port, input);
      cases += 1;
      if (cases % 500 !== 0) return;
      served.world.put(`a/${cases}`);
      expect((await neighbour.accept()).names).toEqual([`a/${cases}`]);
    },
  });
});
