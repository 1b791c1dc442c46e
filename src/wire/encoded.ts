import { BinaryWriter } from '@bufbuild/protobuf/wire';

/** One for all: a writer of its own for each message would be most of what encoding a small one costs. Undefined while in use. */
let spare: BinaryWriter | undefined;

/** The bytes of what is written, in an array that is as long as they are. Throws what `write` throws. */
export function encoded(write: (writer: BinaryWriter) => void): Uint8Array<ArrayBuffer> {
  const writer = spare ?? new BinaryWriter();
  // Whoever encodes something while this is written gets another one, and so does the next when this is not finished.
  spare = undefined;
  write(writer);
  const bytes = writer.finish();
  spare = writer;
  return bytes;
}
