import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AmbiguousScalar } from '../../../../src/resources/resources.ts';
import { readPlain } from '../../../../src/source/files/manifest/plain-scalar.ts';

describe('a plain scalar', () => {
  const words = ['y', 'Y', 'n', 'N', 'yes', 'Yes', 'YES', 'no', 'No', 'NO', 'on', 'On', 'ON', 'off', 'Off', 'OFF'];
  const numbers = ['010', '-010', '08', '00', '0o10', '0b1', '1_000', '0x_1', '1:30', '190:20:30', '190:20:30.15'];
  const floats = ['1e3', '1e+3', '1234e5678', '1.5e3', '.5e1', '1_0.5', '.'];
  const dates = ['2001-12-14', '2001-12-14T21:59:43.10-05:00', '2001-12-14 21:59:43'];
  it.each([...words, ...numbers, ...floats, ...dates, '=', '<<'])('is ambiguous: %s', (text) => {
    expect(readPlain(text)).toEqual(new AmbiguousScalar(text));
  });

  it.each<[string, string | number | boolean | null]>([
    ['', null],
    ['~', null],
    ['Null', null],
    ['true', true],
    ['False', false],
    ['0', 0],
    ['8080', 8080],
    ['-7', -7],
    ['+7', 7],
    ['0x1F', 31],
    ['1.0', 1],
    ['1.5', 1.5],
    ['1.5e+3', 1500],
    ['.inf', Number.POSITIVE_INFINITY],
    ['.NaN', Number.NaN],
    ['v1', 'v1'],
    ['yEs', 'yEs'],
    ['nope', 'nope'],
    ['o', 'o'],
    ['10.0.0.1', '10.0.0.1'],
    ['kgateway.dev/mcp', 'kgateway.dev/mcp'],
    ['default/mcp-tool:convert', 'default/mcp-tool:convert'],
    ['2001-12', '2001-12'],
    ['8080:80', '8080:80'],
    ['-', '-'],
    ['<', '<'],
  ])('has one value: %s', (text, value) => {
    expect(readPlain(text)).toEqual(value);
  });

  it('is never a string that another YAML reader reads as another type', () => {
    const tricky = fc.string({ unit: fc.constantFrom(...'0123456789_-+.:eEoxbTZ nyNYf'), maxLength: 8 });
    const looksLikeNumber = /^[-+]?\.?[0-9]/;
    fc.assert(
      fc.property(tricky, (text) => {
        const value = readPlain(text);
        if (typeof value === 'number') expect(looksLikeNumber.test(text)).toBe(true);
        if (typeof value === 'number' && !/e|\.|x/i.test(text)) expect(text).toMatch(/^[-+]?(0|[1-9][0-9]*)$/);
      }),
    );
  });
});
