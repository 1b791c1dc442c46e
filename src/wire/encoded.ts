import { BinaryWriter } from '@bufbuild/protobuf/wire';

/** Empty between two calls. A writer of its own for each message would be most of what encoding a small one costs. */
let shared = new BinaryWriter();

/** The bytes of what is written, in an array that is as long as they are. Throws what `write` throws. */
export function encoded(write: (writer: BinaryWriter) => void): Uint8Array<ArrayBuffer> {
  const writer = shared;
  try {
    write(writer);
    return writer.finish();
  } catch (error) {
    // What was written until then must not become the beginning of another message.
    shared = new BinaryWriter();
    throw error;
  }
}
