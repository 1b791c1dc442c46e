import { describe, expect } from 'vitest';
import { LineSplitter } from '../../src/source/cluster/reflector/line-splitter.ts';
import { readWatchEvent } from '../../src/source/cluster/reflector/watch-event.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';

function linesOf(bytes: Buffer, piece: number): readonly string[] {
  const splitter = new LineSplitter();
  const lines: string[] = [];
  for (let start = 0; start < bytes.length; start += piece) {
    lines.push(...splitter.push(bytes.subarray(start, start + piece)));
  }
  return lines;
}

describe('the stream of a watch', () => {
  fuzz('has the same lines however it is cut, and each is an event or a failure', {
    corpus: new URL('./corpus/watch-lines/', import.meta.url),
    dictionary: [
      '\n',
      '\r\n',
      '{"type":"ADDED","object":',
      '{"type":"BOOKMARK","object":',
      '"resourceVersion":""',
      '"uid":"1"',
      '{}',
      'null',
    ],
    run(input) {
      const lines = linesOf(input, Math.max(1, input.length));
      expect(linesOf(input, pieceOf(input))).toEqual(lines);
      for (const line of lines) {
        const event = readWatchEvent('Gateway', line);
        if (event.type === 'failed') continue;
        const { key, uid, resourceVersion } =
          event.type === 'bookmark' ? { key: 'none', uid: 'none', ...event } : event.object;
        if (key === '' || uid === '' || resourceVersion === '')
          throw new Error(`an event without an identity: ${line}`);
      }
    },
  });
});

/** Bytes of the pieces that an input is cut into: few, but no more than two hundred pieces of a long one. */
function pieceOf(input: Buffer): number {
  return 1 + ((input[0] ?? 0) % 13) + Math.floor(input.length / 200);
}
