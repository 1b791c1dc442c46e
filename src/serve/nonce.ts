/** The field `nonce` has this number in the responses of both variants; its wire type is "length-delimited". */
const nonceTag = (5 << 3) | 2;

/** The whole response: a body that many streams share, and the nonce of this one. The order of fields is free. */
export function withNonce(body: Buffer, nonce: string): Buffer {
  const response = Buffer.allocUnsafe(body.length + 2 + nonce.length);
  body.copy(response);
  response[body.length] = nonceTag;
  // A counter in decimal: ASCII, and short enough for a length of one byte.
  response[body.length + 1] = nonce.length;
  response.write(nonce, body.length + 2, 'latin1');
  return response;
}
