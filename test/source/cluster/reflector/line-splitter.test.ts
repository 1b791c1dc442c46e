import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from '../../../../src/source/cluster/reflector/line-splitter.ts';

function linesOf(chunks: readonly Uint8Array[], splitter = new LineSplitter()): readonly string[] {
  return chunks.flatMap((chunk) => [...splitter.push(chunk)]);
}

describe('lines', () => {
  it('are the same however the bytes are split, within characters too', () => {
    const texts = fc.array(fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\n', ' ')));
    fc.assert(
      fc.property(texts, fc.array(fc.nat(200)), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
        const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        const whole = lines.map((text) => Buffer.from(text).toString()).filter((text) => text !== '');
        expect(linesOf(chunks)).toEqual(whole);
      }),
    );
  });

  it('that have no end yet are pending', () => {
    const splitter = new LineSplitter();
    expect(linesOf([Buffer.from('a\nbc')], splitter)).toEqual(['a']);
    expect(splitter.pending).toBe(2);
    expect(linesOf([Buffer.from('d\n')], splitter)).toEqual(['bcd']);
    expect(splitter.pending).toBe(0);
  });

  it('may be long up to the maximum', () => {
    const splitter = new LineSplitter(4);
    expect(linesOf([Buffer.from('abcd')], splitter)).toEqual([]);
    expect(splitter.overlong).toBe(false);
    expect(linesOf([Buffer.from('e')], splitter)).toEqual([]);
    expect(splitter.overlong).toBe(true);
  });

  it('are copied once, however many chunks they take', () => {
    const splitter = new LineSplitter();
    const chunk = Buffer.alloc(16, 'x');
    const concat = Buffer.concat;
    let copied = 0;
    Buffer.concat = (list, length) => {
      copied += list.reduce((sum, part) => sum + part.length, 0);
      return concat(list, length);
    };
    try {
      for (let at = 0; at < 10_000; at += 1) linesOf([chunk], splitter);
      expect(linesOf([Buffer.from('\n')], splitter)[0]).toHaveLength(160_000);
    } finally {
      Buffer.concat = concat;
    }
    expect(copied).toBe(160_000);
  });
});
