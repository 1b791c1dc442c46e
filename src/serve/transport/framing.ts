/** The field `nonce` has this number in the responses of both variants; its wire type is "length-delimited". */
const nonceTag = (5 << 3) | 2;

/** What stands before a message of gRPC: a byte that says it is not compressed, and its length in four. */
const headLength = 5;

/** A body of fewer bytes is copied: it then takes one write, which costs more than so small a copy. */
const worthSharing = 4096 - 32;

/** A message with its head: in one piece, or its head, a body that others use as well, and the rest. */
export type Frame = readonly [Buffer] | readonly [head: Buffer, body: Buffer, tail: Buffer];

/**
 * One response as it goes over the wire, a body that many streams share, and the nonce of this one. The order of fields
 * is free, so the nonce may come last, and a large body stays one piece of memory for all of them.
 */
export function frameOf(body: Buffer, nonce: string): Frame {
  const length = body.length + 2 + nonce.length;
  if (body.length < worthSharing) {
    const frame = Buffer.allocUnsafe(headLength + length);
    putHead(frame, length);
    body.copy(frame, headLength);
    putNonce(frame, headLength + body.length, nonce);
    return [frame];
  }
  const head = Buffer.allocUnsafe(headLength);
  putHead(head, length);
  const tail = Buffer.allocUnsafe(2 + nonce.length);
  putNonce(tail, 0, nonce);
  return [head, body, tail];
}

/** The message in a frame, in one piece of its own. */
export function messageIn(frame: Frame): Buffer {
  return Buffer.concat(frame).subarray(headLength);
}

function putHead(frame: Buffer, length: number): void {
  frame[0] = 0;
  frame.writeUInt32BE(length, 1);
}

/** A nonce is a counter in decimal: ASCII, and short enough for a length of one byte. */
function putNonce(frame: Buffer, at: number, nonce: string): void {
  frame[at] = nonceTag;
  frame[at + 1] = nonce.length;
  for (let index = 0; index < nonce.length; index += 1) frame[at + 2 + index] = nonce.charCodeAt(index);
}
