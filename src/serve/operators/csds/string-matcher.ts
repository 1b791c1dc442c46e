import type { StringMatcher } from '../../../gen/envoy/type/matcher/v3/string.ts';
import { RequestError } from '../request-response-stream.ts';
import type { CompileRegex } from './regex.ts';

/** An invalid or unsupported matcher in a request. */
export class InvalidMatcher extends RequestError {
  /** @param field the path of the matcher in the request */
  constructor(field: string, problem: string) {
    super('INVALID_ARGUMENT', `${field}: ${problem}`);
    this.name = 'InvalidMatcher';
  }
}

type TextTest = (text: string) => boolean;

/**
 * Compiles an `envoy.type.matcher.v3.StringMatcher`.
 *
 * @param field the path of the matcher in the request, for the error
 * @throws {InvalidMatcher} for a matcher that is invalid or not supported
 */
export async function stringMatcher(
  { matchPattern, ignoreCase }: StringMatcher,
  field: string,
  compile: CompileRegex,
): Promise<TextTest> {
  const fold = ignoreCase ? lowerCase : (text: string): string => text;
  switch (matchPattern?.$case) {
    case undefined:
      throw new InvalidMatcher(field, 'needs exact, prefix, suffix, contains or safe_regex; no other is supported');
    case 'safeRegex':
      return regex(matchPattern.value.regex, `${field}.safe_regex.regex`, compile);
    case 'exact': {
      const exact = fold(matchPattern.value);
      return (text) => fold(text) === exact;
    }
    case 'prefix': {
      const prefix = fold(nonEmpty(matchPattern.value, `${field}.prefix`));
      return (text) => fold(text).startsWith(prefix);
    }
    case 'suffix': {
      const suffix = fold(nonEmpty(matchPattern.value, `${field}.suffix`));
      return (text) => fold(text).endsWith(suffix);
    }
    case 'contains': {
      const part = fold(nonEmpty(matchPattern.value, `${field}.contains`));
      return (text) => fold(text).includes(part);
    }
  }
}

async function regex(pattern: string, field: string, compile: CompileRegex): Promise<TextTest> {
  try {
    return await compile(nonEmpty(pattern, field));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InvalidMatcher(field, error.message);
  }
}

function nonEmpty(text: string, field: string): string {
  if (text === '') throw new InvalidMatcher(field, 'is empty');
  return text;
}

/** Folds the case of ASCII letters only, as Envoy does. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
