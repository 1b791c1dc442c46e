import { describe, expect, it } from 'vitest';
import { parseBearer } from '../../../src/net/guard/bearer-token.ts';

describe('the Authorization header', () => {
  it.each([
    ['Bearer a', 'a'],
    ['  bearer \t a  ', 'a'],
    ['BEARER a.b-c_d~e+f/g==', 'a.b-c_d~e+f/g=='],
  ])('%j holds the token %s', (header, token) => {
    expect(parseBearer(header)).toEqual({ kind: 'token', token });
  });

  it.each([undefined, '', '  ', 'Bearer', ' Bearer  ', 'Basic a', 'Bearera', 'a Bearer'])('%j holds none', (header) => {
    expect(parseBearer(header)).toEqual({ kind: 'none' });
  });

  it.each([
    'Bearer a b',
    'Bearer a, Bearer b',
    'Bearer "a"',
    'Bearer =a',
    'Bearer a\u00a0b',
    'Bearer a\n',
    'Bearer\r\n a',
  ])('%j holds a malformed one', (header) => {
    expect(parseBearer(header)).toEqual({ kind: 'malformed' });
  });
});
