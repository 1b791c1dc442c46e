import { type ParseOptions, Scalar, type ScalarTag, Schema } from 'yaml';
import { AmbiguousScalar } from '../../../resources/resources.ts';

/**
 * Scalars that YAML 1.1 and YAML 1.2 read differently, beyond the tags of the library: the keys `=` and `<<`; a leading
 * zero (`08` is a string in the one and a number in the other); an exponent without point or sign.
 */
const ambiguous = /^(?:=|<<|[-+]?(?:0[0-9_]+|[0-9]+[eE][-+]?[0-9]+|[0-9]*\.[0-9]*[eE][0-9]+))$/;

const coreTags = implicitTags('core');
const yaml11Tags = implicitTags('yaml-1.1');
const parseOptions: ParseOptions = {};

/** Reads a plain scalar by YAML 1.2; one to which YAML 1.1, which kubectl reads, gives another value is ambiguous. */
export function readPlain(text: string): string | number | boolean | null | AmbiguousScalar {
  const value = resolve(text, coreTags);
  if (ambiguous.test(text) || !Object.is(value, resolve(text, yaml11Tags))) return new AmbiguousScalar(text);
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  return text;
}

/** The tags that an untagged scalar may resolve to, in order of precedence. */
function implicitTags(schema: 'core' | 'yaml-1.1'): readonly ScalarTag[] {
  return new Schema({ schema }).tags
    .filter((tag) => tag.collection === undefined)
    .filter(({ default: on }) => on === true);
}

function resolve(text: string, tags: readonly ScalarTag[]): unknown {
  const tag = tags.find(({ test }) => test?.test(text));
  const value = tag === undefined ? text : tag.resolve(text, () => undefined, parseOptions);
  return value instanceof Scalar ? value.value : value;
}
