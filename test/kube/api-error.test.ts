import { describe, expect, it } from 'vitest';
import { apiErrorText, responseError, watchError } from '../../src/kube/api-error.ts';
import type { StatusError } from '../../src/kube/model.ts';

const now = Date.UTC(2026, 0, 1);
const body = JSON.stringify({ kind: 'Status', message: 'on purpose', code: 500 });

function errorOf(status: number, text = body, retryAfter?: string): StatusError {
  const header = (name: string): string | undefined => (name === 'retry-after' ? retryAfter : undefined);
  return responseError({ status, header, body: text }, now);
}

describe('the error of a response', () => {
  it.each([
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [404, 'not-found'],
    [410, 'expired'],
    [429, 'busy'],
    [503, 'busy'],
    [409, 'refused'],
    [422, 'refused'],
    [500, 'refused'],
  ])('with status %d is %s', (status, reason) => {
    expect(errorOf(status)).toEqual({
      reason,
      status,
      message: 'on purpose',
      retryAfter: 0,
    });
  });

  it.each([
    ['1', 1_000],
    [' 17 ', 17_000],
    ['0', 0],
    ['61', 60_000],
    ['99999999999999999999', 60_000],
    ['Thu, 01 Jan 2026 00:00:23 GMT', 23_000],
    ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
    ['soon', 0],
    ['-5', 0],
    ['', 0],
    [undefined, 0],
  ])('reads Retry-After %j as %d ms', (header, wait) => {
    expect(errorOf(503, body, header).retryAfter).toBe(wait);
  });

  it.each([
    ['nothing', '', '502 without a message'],
    ['HTML', '<html>\n  <body>Bad   gateway</body>\n</html>\n', '502 <html> <body>Bad gateway</body> </html>'],
    ['JSON without a message', '{"kind":"Status"}', '502 {"kind":"Status"}'],
    ['a message over two lines', '{"message":"one\\ntwo"}', '502 one two'],
  ])('has a text for logs when the body is %s', (_what, text, said) => {
    expect(apiErrorText(errorOf(502, text))).toBe(said);
  });

  it('has a message of at most 200 characters, without half a surrogate pair', () => {
    const { message } = errorOf(500, JSON.stringify({ message: `x${'😀'.repeat(10_000)}` }));
    expect(message.length).toBe(200);
    expect(message.isWellFormed()).toBe(true);
  });
});

describe('the error of an ERROR event', () => {
  it('has code, message and delay of the Status object', () => {
    const status = { kind: 'Status', code: 429, message: 'too many', details: { retryAfterSeconds: 17 } };
    expect(watchError(status)).toEqual({ reason: 'busy', status: 429, message: 'too many', retryAfter: 17_000 });
  });

  it('never asks for more than a minute', () => {
    expect(watchError({ code: 429, details: { retryAfterSeconds: 86_400 } }).retryAfter).toBe(60_000);
  });

  it.each([undefined, null, {}, { code: '410' }, { code: Number.NaN }])('is refused when it is %j', (status) => {
    expect(watchError(status)).toEqual({ reason: 'refused', status: 0, message: '', retryAfter: 0 });
  });
});

it('the text of an error without a status is its message', () => {
  expect(apiErrorText({ reason: 'silent', message: 'no byte' })).toBe('no byte');
});
