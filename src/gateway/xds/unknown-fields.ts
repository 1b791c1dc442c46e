/** The fields of a protobuf message by number: a number on the wire, bytes or text, or a message inside. */
export type Shape = ReadonlyMap<number, 'varint' | 'bytes' | Shape>;

/**
 * The number of the first field, at any depth, that a message does not have in this shape; `undefined` when there is none.
 *
 * Protobuf skips such fields. Where a field may narrow what a message allows, skipping it would widen it: a rule of a newer
 * control plane, with a second condition that is not known here, must not be read as the rule without it.
 *
 * @param bytes a message that was decoded without an error
 */
export function unknownField(bytes: Uint8Array, shape: Shape): number | undefined {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let unit = 1; at < bytes.length; unit *= 128) {
      const byte = bytes[at] ?? 0;
      at += 1;
      value += (byte & 127) * unit;
      if (byte < 128) break;
    }
    return value;
  };

  while (at < bytes.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    const known = shape.get(field);
    if (known === undefined || tag % 8 !== (known === 'varint' ? 0 : 2)) return field;
    const value = varint();
    if (known === 'varint') continue;
    const inner = known === 'bytes' ? undefined : unknownField(bytes.subarray(at, at + value), known);
    if (inner !== undefined) return inner;
    at += value;
  }
  return undefined;
}
