import type { DoubleMatcher } from '../../../gen/envoy/type/matcher/v3/number.ts';
import type { ValueMatcher } from '../../../gen/envoy/type/matcher/v3/value.ts';
import type { CompileRegex } from './regex.ts';
import { InvalidMatcher, stringMatcher } from './string-matcher.ts';

/** Tests a value in `node.metadata`; undefined if the path leads to none. */
export type ValueTest = (value: unknown) => boolean;

/**
 * Compiles an `envoy.type.matcher.v3.ValueMatcher`.
 *
 * @param field the path of the matcher in the request, for the error
 * @throws {InvalidMatcher} for a matcher that is invalid or not supported
 */
export async function valueMatcher(
  matcher: ValueMatcher | undefined,
  field: string,
  compile: CompileRegex,
): Promise<ValueTest> {
  const pattern = matcher?.matchPattern;
  switch (pattern?.$case) {
    case undefined:
      throw new InvalidMatcher(field, 'needs a match that is supported: null, double, string, bool, present, list, or');
    case 'nullMatch':
      return (value) => value === null;
    case 'doubleMatch':
      return number(pattern.value, `${field}.double_match`);
    case 'stringMatch': {
      const matches = await stringMatcher(pattern.value, `${field}.string_match`, compile);
      return (value) => typeof value === 'string' && matches(value);
    }
    case 'boolMatch':
      return (value) => value === pattern.value;
    case 'presentMatch':
      // A list or an object never matches, as the documentation of `present_match` says.
      return (value) => (value === null || typeof value !== 'object') && (value !== undefined) === pattern.value;
    case 'listMatch': {
      const matches = await valueMatcher(pattern.value.matchPattern?.value, `${field}.list_match.one_of`, compile);
      return (value) => Array.isArray(value) && value.some(matches);
    }
    case 'orMatch': {
      const { valueMatchers } = pattern.value;
      if (valueMatchers.length === 0) throw new InvalidMatcher(`${field}.or_match`, 'is empty');
      const tests = await Promise.all(
        valueMatchers.map((one, index) => valueMatcher(one, `${field}.or_match[${index}]`, compile)),
      );
      return (value) => tests.some((test) => test(value));
    }
  }
}

function number({ matchPattern }: DoubleMatcher, field: string): ValueTest {
  if (matchPattern === undefined) throw new InvalidMatcher(field, 'needs range or exact');
  if (matchPattern.$case === 'exact') return (value) => value === matchPattern.value;
  const { start, end } = matchPattern.value;
  return (value) => typeof value === 'number' && start <= value && value < end;
}
