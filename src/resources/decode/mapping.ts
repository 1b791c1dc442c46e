import type { Invalid, Parsed, Path } from '../model.ts';
import { AmbiguousScalar, type Decoder, ok, typeMismatch } from './decoder.ts';
import { isNear, nearest, type Reporter } from './reporter.ts';
import { type TextRule, text } from './scalars.ts';

/** Decoders by field name. */
type FieldDecoders = Readonly<Record<string, Decoder<unknown>>>;

/** A mapping whose known fields were decoded one by one, each valid or not. */
export interface DecodedFields<F extends FieldDecoders> {
  readonly fields: { readonly [K in keyof F]: ReturnType<F[K]> };
  /** The unknown fields of a strict mapping: one of them makes the meaning of the whole mapping unknown. */
  readonly unknown: readonly Invalid[];
  /** Returns whether the field is present and not null. */
  readonly has: (field: keyof F & string) => boolean;
}

type ValidFields<F extends FieldDecoders> = { readonly [K in keyof F]: F[K] extends Decoder<infer T> ? T : never };

/** One entry of a mapping whose keys the user chooses. An invalid key makes the value invalid. */
export interface Entry<T> {
  readonly key: string;
  readonly value: Parsed<T>;
}

/** Accepts a JSON or YAML mapping with any fields. */
export const mapping: Decoder<Readonly<Record<string, unknown>>> = (value, path, reporter) =>
  isMapping(value) ? ok(value) : reporter.error(path, typeMismatch(value, 'a mapping'));

/** Fields of other mappings that are easily written in this one, and where each belongs. They stay unknown here. */
export type Misplaced = Readonly<Record<string, string>>;

/** Says of each field that it belongs there. */
export function belongIn(place: string, fields: readonly string[]): Misplaced {
  return Object.fromEntries(fields.map((field) => [field, place]));
}

/**
 * Decodes a mapping that restricts access: an unknown field is an error of the mapping, and null is a value of the
 * wrong type, so that a misspelt restriction never counts as an absent one (`docs/semantics.md`).
 */
export function strictMapping<F extends FieldDecoders>(
  decoders: F,
  misplaced: Misplaced = {},
): Decoder<DecodedFields<F>> {
  return decodeFields(decoders, {
    known: Object.keys(decoders),
    misplaced,
    read: ownField,
    unknown: (path, detail, reporter) => [reporter.error(path, detail)],
  });
}

/**
 * Decodes a mapping in which null means absent, and an unknown field is a warning.
 *
 * @param also names of fields that are known and not decoded
 */
export function lenientMapping<F extends FieldDecoders>(
  decoders: F,
  also: readonly string[] = [],
  misplaced: Misplaced = {},
): Decoder<DecodedFields<F>> {
  return decodeFields(decoders, {
    known: [...Object.keys(decoders), ...also],
    misplaced,
    read: (mapping, field) => ownField(mapping, field) ?? undefined,
    unknown: (path, detail, reporter) => {
      reporter.warning(path, detail);
      return [];
    },
  });
}

/** Rejects a mapping unless all of its fields are valid. */
export function allValid<F extends FieldDecoders>(decoder: Decoder<DecodedFields<F>>): Decoder<ValidFields<F>> {
  return (value, path, reporter) => {
    const parsed = decoder(value, path, reporter);
    if (!parsed.ok) return parsed;
    const [unknown] = parsed.value.unknown;
    if (unknown) return unknown;
    // A loop, as below: a policy has tens of thousands of mappings, and each list of entries would be garbage.
    const fields: Readonly<Record<string, Parsed<unknown>>> = parsed.value.fields;
    const values: Record<string, unknown> = {};
    for (const name in fields) {
      const field = fields[name];
      if (field?.ok === false) return field;
      values[name] = field?.value;
    }
    return ok(values as ValidFields<F>);
  };
}

/** Decodes a mapping whose keys the user chooses, sorted by key. Null is a value like any other. */
export function record<T>(keyRule: TextRule, decoder: Decoder<T>): Decoder<readonly Entry<T>[]> {
  const keyDecoder = text(keyRule);
  return (input, path, reporter) => {
    if (!isMapping(input)) return reporter.error(path, typeMismatch(input, 'a mapping'));
    const entry = (key: string): Entry<T> => {
      const keyPath = [...path, key];
      const validKey = keyDecoder(key, keyPath, reporter);
      return { key, value: validKey.ok ? decoder(ownField(input, key), keyPath, reporter) : validKey };
    };
    return ok(Object.keys(input).sort().map(entry));
  };
}

/** The differences between strict and lenient mappings. */
interface FieldOptions {
  readonly known: readonly string[];
  readonly misplaced: Misplaced;
  readonly read: (mapping: Readonly<Record<string, unknown>>, field: string) => unknown;
  readonly unknown: (path: Path, detail: string, reporter: Reporter) => readonly Invalid[];
}

function decodeFields<F extends FieldDecoders>(
  decoders: F,
  { known, misplaced, read, unknown }: FieldOptions,
): Decoder<DecodedFields<F>> {
  const byName = Object.entries(decoders);
  const names = new Set(known);
  return (value, path, reporter) => {
    if (!isMapping(value)) return reporter.error(path, typeMismatch(value, 'a mapping'));
    const unknownNames = Object.keys(value).filter((field) => !names.has(field));
    const invalid = unknownNames
      .sort()
      .flatMap((field) => unknown([...path, field], unknownField(field, known, misplaced), reporter));
    const parsed: Record<string, Parsed<unknown>> = {};
    for (const [field, decoder] of byName) parsed[field] = decoder(read(value, field), [...path, field], reporter);
    const has = (field: string): boolean => ownField(value, field) !== undefined && ownField(value, field) !== null;
    return ok({ fields: parsed as DecodedFields<F>['fields'], unknown: invalid, has });
  };
}

/** Excludes instances of classes, AmbiguousScalar among them: they have no fields that a user wrote. */
function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof AmbiguousScalar)
    return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** Reads own properties only: an inherited `constructor` is not a field. */
function ownField(mapping: Readonly<Record<string, unknown>>, field: string): unknown {
  return Object.hasOwn(mapping, field) ? mapping[field] : undefined;
}

/** Known fields that a message lists: more of them, as a Service's spec has, are no help to a reader. */
const mostKnown = 8;

function unknownField(field: string, known: readonly string[], misplaced: Misplaced): string {
  if (Object.hasOwn(misplaced, field)) return `is not known here: it belongs in ${misplaced[field]}. Move it there.`;
  const near = nearest(field, known);
  // A name that shares few letters with the written one was not meant by it, and sends its reader the wrong way.
  if (near !== undefined && isNear(field, near, Math.max(2, Math.floor(field.length / 3))))
    return `is not a known field: write ${JSON.stringify(near)}, the nearest known one, or remove it.`;
  const listed = known.length <= mostKnown ? ` Known here: ${known.join(', ')}.` : '';
  return `is not a known field: remove it.${listed}`;
}
