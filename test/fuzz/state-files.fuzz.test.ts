import { createHash } from 'node:crypto';
import { describe, expect } from 'vitest';
import { decodeState, encodeState, type SavedState, type StateOwner } from '../../src/gateway/xds/state-format.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';

/** That of the corpus. */
const owner: StateOwner = { controlPlane: 'http://cp:9977', metadata: { role: 'default~gw' } };
const age = { now: 1_000_000, maxAge: 100_000 };

/** What is inside of a file, whose digest is wrong after any mutation, with the last line that fits. */
function sealed(lines: Buffer): Buffer {
  const body = lines.at(-1) === 0x0a ? lines : Buffer.concat([lines, Buffer.from('\n')]);
  const resources = body.toString('latin1').split('\n').length - 2;
  const digest = createHash('sha256').update(body).digest('hex');
  return Buffer.concat([body, Buffer.from(`${JSON.stringify(['end', resources, digest])}\n`)]);
}

function decode(file: Buffer): SavedState | undefined {
  try {
    return decodeState(file, owner, age);
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    expect(String(error).length).toBeLessThanOrEqual(700);
    return undefined;
  }
}

function encode({ savedAt, resources }: SavedState): Buffer {
  const entries = (['Target', 'Config'] as const).flatMap((kind) =>
    [...resources[kind]].map(([name, bytes]) => [kind, name, () => bytes] as const),
  );
  return Buffer.concat([...encodeState(owner, savedAt, entries)]);
}

describe('the file of the last-good state', () => {
  fuzz('is that of this gateway, whole and not too old, or refused with a short reason', {
    corpus: new URL('./corpus/state-files/', import.meta.url),
    dictionary: [
      '["Config","n.p","',
      '["Target","a/b","',
      '"savedAt":1e400',
      '"savedAt":1000001',
      '"version":2',
      '"owner":',
      '["end",0,""]',
      '\n',
      '\\u0000',
      '==',
    ],
    run(input) {
      for (const file of [input, sealed(input)]) {
        const state = decode(file);
        if (state === undefined) continue;
        expect(state.savedAt).toBeGreaterThan(age.now - age.maxAge);
        expect(state.savedAt).toBeLessThanOrEqual(age.now);
        expect(decode(encode(state))).toEqual(state);
      }
    },
  });
});
