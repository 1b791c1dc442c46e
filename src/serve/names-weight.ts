/** What a name weighs beyond its bytes: about what keeping it takes. */
const perName = 64;

/** No field takes fewer bytes. */
const smallestField = 2;

/**
 * Whether the strings of one of these fields of an encoded message weigh more than this, found out without decoding
 * it: a million names take a second to become a million texts, in which nobody else is served. Bytes that are no
 * message are left to the decoder, which finds no more names in them than were weighed here.
 *
 * @param fields the numbers of the fields
 * @param limit bytes, with 64 more for each name
 */
export function namesWeighMore(bytes: Buffer, fields: readonly number[], limit: number): boolean {
  if ((bytes.length / smallestField) * perName + bytes.length <= limit) return false;
  const weights = fields.map(() => 0);
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; at < bytes.length; factor *= 128) {
      const byte = bytes[at] ?? 0;
      at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return Number.POSITIVE_INFINITY;
  };
  while (at < bytes.length) {
    const tag = varint();
    const length = lengthOf(tag % 8, varint);
    if (length === undefined || at + length > bytes.length) return false;
    at += length;
    const place = tag % 8 === delimited ? fields.indexOf(Math.floor(tag / 8)) : -1;
    if (place === -1) continue;
    const weight = (weights[place] ?? 0) + length + perName;
    if (weight > limit) return true;
    weights[place] = weight;
  }
  return false;
}

const delimited = 2;

/** How many bytes stand after the tag of a field, once a varint or a length is read; absent for what is no field. */
function lengthOf(wireType: number, varint: () => number): number | undefined {
  switch (wireType) {
    case 0:
      varint();
      return 0;
    case 1:
      return 8;
    case delimited:
      return varint();
    case 3:
    case 4:
      // What stands in a group counts as if it stood in the message.
      return 0;
    case 5:
      return 4;
    default:
      return undefined;
  }
}
