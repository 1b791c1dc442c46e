import { describe, expect, it } from 'vitest';
import { readToken } from '../../../src/serve/auth/token-claims.ts';

const jwt = (payload: string): string => `e30.${Buffer.from(payload).toString('base64url')}.c2ln`;
const good = jwt('{"exp":5,"aud":["a",7,"b"]}');

describe('the token of a stream', () => {
  it('is read with its end and its audiences, in any case of the scheme', () => {
    const token = { kind: 'token', token: good, expires: 5_000, audiences: ['a', 'b'] };
    expect(readToken([`Bearer ${good}`])).toEqual(token);
    expect(readToken([`bearer  ${good}`])).toEqual(token);
    expect(readToken([])).toEqual({ kind: 'absent' });
  });

  it.each([
    [[`Bearer ${good}`, `Bearer ${good}`], 'there are several authorization headers; send one'],
    [[`Bearer ${good}\n`], 'is not "Bearer <token>" on one line'],
    [[`Bearer ${good}, Bearer ${good}`], 'is not "Bearer <token>" on one line'],
    [[good], 'is not "Bearer <token>" on one line'],
    [[''], 'is not "Bearer <token>" on one line'],
    [['Bearer a.b'], 'is no JSON Web Token'],
    [['Bearer a.b.c.d'], 'is no JSON Web Token'],
    [[`Bearer ${jwt('[]')}`], 'is no JSON Web Token'],
    [[`Bearer ${jwt('{}'.repeat(2_000))}`], 'is no JSON Web Token'],
    [[`Bearer ${jwt('['.repeat(100))}`], 'is no JSON Web Token'],
    [[`Bearer ${jwt('{"aud":"a"}')}`], 'the token does not expire (exp)'],
    [[`Bearer ${jwt('{"exp":"5"}')}`], 'the token does not expire (exp)'],
    [[`Bearer ${jwt('{"exp":1e999}')}`], 'the token does not expire (exp)'],
    [[`Bearer ${jwt('{"exp":1e300}')}`], 'the token does not expire (exp)'],
    [[`Bearer ${jwt('{"exp":253402300800}')}`], 'the token does not expire (exp)'],
    [[`Bearer ${jwt('{"exp":-1}')}`], 'the token does not expire (exp)'],
    [[`Bearer ${'a'.repeat(8_193)}`], 'the token has more than 8192 characters'],
  ])('is refused in words when it is something else: case %#', (headers, problem) => {
    expect(readToken(headers)).toEqual({ kind: 'unusable', problem: expect.stringContaining(problem) });
  });
});
