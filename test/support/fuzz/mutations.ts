import fc, { type Arbitrary } from 'fast-check';

/** An input of a fuzz test, and how fast-check prints it. */
interface FuzzInput {
  readonly bytes: Buffer;
  readonly [fc.toStringMethod]: () => string;
}

/** Changes the bytes of an input. */
type Mutation = (input: Buffer) => Buffer;

/** The longest input; a mutation that makes it longer is cut. Bytes. */
const maxInput = 64 * 1024;

/**
 * Returns inputs: mostly entries of the corpus with one to eight mutations, sometimes random bytes.
 *
 * @param dictionary pieces that mutations insert
 */
export function inputsFrom(corpus: readonly Buffer[], dictionary: readonly Buffer[]): Arbitrary<FuzzInput> {
  const random = fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes));
  const bases = corpus.length === 0 ? random : fc.constantFrom(...corpus);
  const mutated = fc
    .tuple(bases, fc.array(mutations(corpus, dictionary), { minLength: 1, maxLength: 8 }))
    .map(([base, changes]) => changes.reduce((bytes, change) => change(bytes).subarray(0, maxInput), base));
  return fc.oneof({ weight: 9, arbitrary: mutated }, { weight: 1, arbitrary: random }).map((bytes) => ({
    bytes,
    [fc.toStringMethod]: () =>
      `${bytes.length} bytes: ${bytes.toString('hex')} (${JSON.stringify(bytes.toString('latin1', 0, 200))})`,
  }));
}

/** Bytes at the limits of varints, lengths, and text. */
const specialBytes = [0, 1, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x2d, 0x5c, 0x7b, 0x7f, 0x80, 0xc0, 0xed, 0xf4, 0xfe, 0xff];

function mutations(corpus: readonly Buffer[], dictionary: readonly Buffer[]): Arbitrary<Mutation> {
  const place = fc.nat({ max: maxInput });
  const length = fc.oneof(fc.nat({ max: 8 }), fc.nat({ max: 300 }));
  const pieces = [
    fc.constantFrom(...specialBytes).map((byte) => Buffer.from([byte])),
    fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
    ...(dictionary.length === 0 ? [] : [fc.constantFrom(...dictionary)]),
  ];
  const piece = fc.oneof(...pieces);
  return fc.oneof(
    fc.tuple(place, fc.nat({ max: 7 })).map(([at, bit]) => flipBit(at, bit)),
    fc.tuple(place, piece).map(([at, bytes]) => replace(at, bytes.length, bytes)),
    fc.tuple(place, piece).map(([at, bytes]) => replace(at, 0, bytes)),
    fc.tuple(place, piece, fc.integer({ min: 2, max: 2_000 })).map(([at, bytes, count]) => insertRun(at, bytes, count)),
    fc.tuple(place, length).map(([at, count]) => replace(at, count, Buffer.alloc(0))),
    fc.tuple(place, length, place).map(([from, count, to]) => copyWithin(from, count, to)),
    fc
      .tuple(place, fc.constantFrom(...corpus, Buffer.alloc(0)), place)
      .map(([at, other, from]) => splice(at, other, from)),
    place.map(
      (at): Mutation =>
        (input) =>
          input.subarray(0, placeIn(input, at)),
    ),
  );
}

/** Returns an offset within the input, its end included. */
function placeIn({ length }: Buffer, at: number): number {
  return at % (length + 1);
}

function flipBit(at: number, bit: number): Mutation {
  return (input) => {
    const offset = placeIn(input, at);
    return replace(at, 1, Buffer.from([(input[offset] ?? 0) ^ (1 << bit)]))(input);
  };
}

function replace(at: number, count: number, bytes: Buffer): Mutation {
  return (input) => {
    const offset = placeIn(input, at);
    return Buffer.concat([input.subarray(0, offset), bytes, input.subarray(offset + count)]);
  };
}

/** Inserts a piece many times: what takes quadratic time shows with long runs. */
function insertRun(at: number, bytes: Buffer, count: number): Mutation {
  return replace(at, 0, Buffer.alloc(bytes.length * count, bytes));
}

function copyWithin(from: number, count: number, to: number): Mutation {
  return (input) => {
    const start = placeIn(input, from);
    return replace(to, 0, input.subarray(start, start + count))(input);
  };
}

/** Continues with the rest of another input. */
function splice(at: number, other: Buffer, from: number): Mutation {
  return (input) => Buffer.concat([input.subarray(0, placeIn(input, at)), other.subarray(placeIn(other, from))]);
}
