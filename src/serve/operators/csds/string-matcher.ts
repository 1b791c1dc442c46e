import type { StringMatcher } from '../../../gen/envoy/type/matcher/v3/string.ts';
import { InvalidMatcher } from './invalid-matcher.ts';
import { compileRegex } from './regex.ts';

type TextTest = (text: string) => boolean;

/**
 * Reads an `envoy.type.matcher.v3.StringMatcher`.
 *
 * @param field where it stands in the request, for the message
 * @throws {InvalidMatcher} for one that is ill-formed or not supported
 */
export function stringMatcher({ matchPattern, ignoreCase }: StringMatcher, field: string): TextTest {
  const fold = ignoreCase ? lowerCase : (text: string): string => text;
  switch (matchPattern?.$case) {
    case undefined:
      throw new InvalidMatcher(field, 'needs exact, prefix, suffix, contains or safe_regex; no other is supported');
    case 'safeRegex':
      return regex(matchPattern.value.regex, `${field}.safe_regex.regex`);
    case 'exact': {
      const wanted = fold(matchPattern.value);
      return (text) => fold(text) === wanted;
    }
    case 'prefix': {
      const prefix = fold(someText(matchPattern.value, `${field}.prefix`));
      return (text) => fold(text).startsWith(prefix);
    }
    case 'suffix': {
      const suffix = fold(someText(matchPattern.value, `${field}.suffix`));
      return (text) => fold(text).endsWith(suffix);
    }
    case 'contains': {
      const part = fold(someText(matchPattern.value, `${field}.contains`));
      return (text) => fold(text).includes(part);
    }
  }
}

function regex(pattern: string, field: string): TextTest {
  try {
    return compileRegex(someText(pattern, field));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InvalidMatcher(field, error.message);
  }
}

function someText(text: string, field: string): string {
  if (text === '') throw new InvalidMatcher(field, 'is empty');
  return text;
}

/** Case is ASCII's, as in Envoy. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
