/** The tag of the field `nonce`, number 5 in the responses of both protocol variants, of wire type LEN. */
const nonceTag = (5 << 3) | 2;

/** Bytes of the prefix of a gRPC message: the compressed flag, and four of length. */
const prefixLength = 5;

/** A body of fewer bytes is copied into the frame: a second write costs more than a copy of this size. */
const minSharedBody = 4096 - 32;

/** A gRPC message with its prefix: one buffer, or three, of which the body is shared with other streams. */
export type Frame = readonly [Buffer] | readonly [prefix: Buffer, body: Buffer, tail: Buffer];

/**
 * Frames one response: a body that many streams share, and the nonce of this stream. The order of protobuf fields is
 * free, so the nonce is last and all streams share the buffer of a large body.
 */
export function frameOf(body: Buffer, nonce: string): Frame {
  const length = body.length + 2 + nonce.length;
  if (body.length < minSharedBody) {
    const frame = Buffer.allocUnsafe(prefixLength + length);
    putPrefix(frame, length);
    body.copy(frame, prefixLength);
    putNonce(frame, prefixLength + body.length, nonce);
    return [frame];
  }
  const prefix = Buffer.allocUnsafe(prefixLength);
  putPrefix(prefix, length);
  const tail = Buffer.allocUnsafe(2 + nonce.length);
  putNonce(tail, 0, nonce);
  return [prefix, body, tail];
}

function putPrefix(frame: Buffer, length: number): void {
  frame[0] = 0;
  frame.writeUInt32BE(length, 1);
}

/** A nonce is a counter in decimal: ASCII, and short enough for a length of one byte. */
function putNonce(frame: Buffer, at: number, nonce: string): void {
  frame[at] = nonceTag;
  frame[at + 1] = nonce.length;
  for (let index = 0; index < nonce.length; index += 1) frame[at + 2 + index] = nonce.charCodeAt(index);
}
