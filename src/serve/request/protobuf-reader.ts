/** Wire types of protobuf. */
export const delimited = 2;
const varintType = 0;
const eightBytes = 1;
const groupStart = 3;
const groupEnd = 4;
const fourBytes = 5;

/** As deep as protobuf's own readers go (https://protobuf.dev/programming-guides/proto-limits/). */
const deepest = 100;

/** A place in an encoded message. What cannot be read throws, with what is wrong with it. */
export class Cursor {
  at: number;
  readonly #bytes: Buffer;
  #end: number;

  constructor(bytes: Buffer, at = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.at = at;
    this.#end = end;
  }

  /** Goes to another message in the same bytes. */
  goTo(at: number, end: number): void {
    this.at = at;
    this.#end = end;
  }

  get more(): boolean {
    return this.at < this.#end;
  }

  /** The next tag: a field number times eight, and a wire type. */
  tag(): number {
    const tag = this.varint();
    if (tag < 8) throw new Error('a field has the number 0');
    return tag;
  }

  /** Reads the length of a field, answers where the field ends, and stands where it begins. */
  end(): number {
    const end = this.varint() + this.at;
    return end <= this.#end ? end : cutOff();
  }

  /** A number of up to 32 bits: no tag and no length takes more. */
  varint(): number {
    const first = this.#bytes[this.at] ?? 0x80;
    if (first < 0x80 && this.at < this.#end) {
      this.at += 1;
      return first;
    }
    let value = 0;
    for (let factor = 1; this.at < this.#end && factor < 2 ** 35; factor *= 128) {
      const byte = this.#bytes[this.at] ?? 0;
      this.at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return cutOff();
  }

  /** Goes past the field whose tag was read. */
  skip(tag: number): void {
    switch (tag & 7) {
      case varintType:
        this.#skipVarint();
        return;
      case eightBytes:
        this.#skipBytes(8);
        return;
      case delimited:
        this.at = this.end();
        return;
      case groupStart:
        this.#skipGroup(tag);
        return;
      case fourBytes:
        this.#skipBytes(4);
        return;
      default:
        throw new Error(`no field begins with the wire type ${tag & 7}`);
    }
  }

  #skipVarint(): void {
    for (let count = 0; count < 10 && this.at < this.#end; count += 1) {
      this.at += 1;
      if ((this.#bytes[this.at - 1] ?? 0) < 0x80) return;
    }
    cutOff();
  }

  #skipBytes(count: number): void {
    this.at += count;
    if (this.at > this.#end) cutOff();
  }

  /** Groups may stand in groups. */
  #skipGroup(tag: number): void {
    const open = [tag];
    while (open.length > 0) {
      if (open.length > deepest) throw new Error('groups stand too deep in groups');
      const next = this.tag();
      if ((next & 7) === groupStart) open.push(next);
      else if ((next & 7) !== groupEnd) this.skip(next);
      else if (open.pop() !== next - groupEnd + groupStart) throw new Error('a group ends that did not begin');
    }
  }
}

function cutOff(): never {
  throw new Error('a field is cut off');
}
