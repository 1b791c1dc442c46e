import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** The fields of a protobuf message by number. `bytes` is also text; a nested message has a schema of its own. */
export type MessageSchema = ReadonlyMap<number, 'varint' | 'bytes' | MessageSchema>;

/**
 * Returns the number of the first field, at any depth, that is not in the schema, or `undefined` when there is none.
 *
 * Protobuf decoders skip unknown fields. A field that restricts what a message allows must not be skipped: a rule of a
 * newer control plane with a second condition would be applied without that condition.
 *
 * @throws Error when the message is truncated, or has a field number that does not exist
 */
export function findUnknownField(bytes: Uint8Array, schema: MessageSchema): number | undefined {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const tag = readTag(reader, bytes);
    const field = tag >>> 3;
    const type = schema.get(field);
    if (type === undefined || (tag & 7) !== (type === 'varint' ? WireType.Varint : WireType.LengthDelimited))
      return field;
    if (type === 'varint') {
      reader.skip(WireType.Varint);
      continue;
    }
    const value = reader.bytes();
    const unknown = type === 'bytes' ? undefined : findUnknownField(value, type);
    if (unknown !== undefined) return unknown;
  }
  return undefined;
}

/** Reads a tag. The reader takes the low 32 bits of a longer one, which would pass for a field that is known. */
function readTag(reader: BinaryReader, bytes: Uint8Array): number {
  const start = reader.pos;
  const tag = reader.uint32();
  const length = reader.pos - start;
  if (length > 5 || (length === 5 && (bytes[start + 4] ?? 0) > 0x0f)) throw new Error('a field number is too large');
  return tag;
}
