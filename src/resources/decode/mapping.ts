import { AmbiguousScalar } from '../ambiguous-scalar.ts';
import type { Fault, Part, Path } from '../model.ts';
import { nearest } from '../nearest.ts';
import { firstFault, ok, understood } from '../part.ts';
import { type Decoder, misfit } from './decoder.ts';
import type { Report } from './reporter.ts';
import { type TextRule, text } from './scalars.ts';

/** Decoders by the name of the field that each reads. */
type Fields = Readonly<Record<string, Decoder<unknown>>>;

/** A mapping whose known fields were read one by one, understood or not. */
export interface Block<F extends Fields> {
  readonly fields: { readonly [K in keyof F]: ReturnType<F[K]> };
  /** The unknown fields of a narrowing block: as long as there is one, nobody knows what the block was to say. */
  readonly unknown: readonly Fault[];
  /** Whether the field is written, and not as null. */
  readonly has: (field: keyof F & string) => boolean;
}

type Whole<F extends Fields> = { readonly [K in keyof F]: F[K] extends Decoder<infer T> ? T : never };

/** One entry of a mapping with free keys; a bad key is a fault too. */
export interface Entry<T> {
  readonly key: string;
  readonly value: Part<T>;
}

/** Something with keys, as JSON and YAML give it. */
export const mapping: Decoder<Readonly<Record<string, unknown>>> = (value, at, report) =>
  isMapping(value) ? ok(value) : report.error(at, misfit(value, 'a mapping'));

/**
 * A mapping that narrows what is allowed: an unknown field in it is a fault of the block, and null is a value of the
 * wrong type. A misspelt restriction must not become an absent one.
 */
export function narrowing<F extends Fields>(fields: F): Decoder<Block<F>> {
  return block(fields, {
    known: Object.keys(fields),
    read: own,
    unknown: (at, complaint, report) => [report.error(at, complaint)],
  });
}

/** A mapping in which null means absent, and an unknown field is a warning. `also` lists fields that are known and not read. */
export function open<F extends Fields>(fields: F, also: readonly string[] = []): Decoder<Block<F>> {
  return block(fields, {
    known: [...Object.keys(fields), ...also],
    read: (mapping, field) => own(mapping, field) ?? undefined,
    unknown: (at, complaint, report) => {
      report.warning(at, complaint);
      return [];
    },
  });
}

/** A block that is understood only when all of it is. */
export function whole<F extends Fields>(decoder: Decoder<Block<F>>): Decoder<Whole<F>> {
  return (value, at, report) => {
    const part = decoder(value, at, report);
    if (!part.ok) return part;
    const fields: Readonly<Record<string, Part<unknown>>> = part.value.fields;
    const fault = part.value.unknown[0] ?? firstFault(Object.values(fields));
    if (fault) return fault;
    return ok(Object.fromEntries(Object.entries(fields).map(([name, read]) => [name, understood(read)])) as Whole<F>);
  };
}

/** A mapping whose keys the user chooses, sorted by them. Null is a value like any other. */
export function entries<T>(key: TextRule, value: Decoder<T>): Decoder<readonly Entry<T>[]> {
  const keyDecoder = text(key);
  return (input, at, report) => {
    if (!isMapping(input)) return report.error(at, misfit(input, 'a mapping'));
    const read = (name: string): Entry<T> => {
      const place = [...at, name];
      const readable = keyDecoder(name, place, report);
      return { key: name, value: readable.ok ? value(own(input, name), place, report) : readable };
    };
    return ok(Object.keys(input).sort().map(read));
  };
}

/** In what the two kinds of block differ. */
interface Manner {
  readonly known: readonly string[];
  readonly read: (mapping: Readonly<Record<string, unknown>>, field: string) => unknown;
  readonly unknown: (at: Path, complaint: string, report: Report) => readonly Fault[];
}

function block<F extends Fields>(fields: F, { known, read, unknown }: Manner): Decoder<Block<F>> {
  const decoders = Object.entries(fields);
  const names = new Set(known);
  return (value, at, report) => {
    if (!isMapping(value)) return report.error(at, misfit(value, 'a mapping'));
    const strange = Object.keys(value).filter((field) => !names.has(field));
    const faults = strange.sort().flatMap((field) => unknown([...at, field], unknownField(field, known), report));
    const parts = decoders.map(([field, decoder]) => [field, decoder(read(value, field), [...at, field], report)]);
    const has = (field: string): boolean => own(value, field) !== undefined && own(value, field) !== null;
    return ok({ fields: Object.fromEntries(parts) as Block<F>['fields'], unknown: faults, has });
  };
}

/** Instances of classes have no fields that anybody wrote, and an ambiguous scalar is one of them. */
function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof AmbiguousScalar)
    return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** Never what an object inherits: `constructor` is a field only where somebody wrote it. */
function own(mapping: Readonly<Record<string, unknown>>, field: string): unknown {
  return Object.hasOwn(mapping, field) ? mapping[field] : undefined;
}

function unknownField(field: string, known: readonly string[]): string {
  return `is not a known field: write ${JSON.stringify(nearest(field, known))}, the nearest known one, or remove it.`;
}
