import { Composer, type CST, type Document, Lexer, type LineCounter, type ParsedNode, Parser } from 'yaml';
import { shortened } from '../../../json/quoted.ts';
import { limits } from './limits.ts';
import { type LongDocument, withoutLongDocuments } from './long-documents.ts';
import { ManifestError } from './manifest-error.ts';

/** A parsed document: nodes with offsets into the text. */
export type YamlDocument = Document.Parsed<ParsedNode>;

/**
 * Parses the documents of a text lazily, as nodes with offsets; scalars stay as written.
 *
 * @param lines is given the offset of each line
 * @param onLeft told of each document that is left out because of its length, before the first that is parsed
 * @throws ManifestError at the first error: the list of all can take gigabytes
 */
export function* yamlDocuments(
  whole: string,
  lines: LineCounter,
  onLeft: (document: LongDocument) => void = () => undefined,
): Generator<YamlDocument> {
  const { text, left } = withoutLongDocuments(whole, lines);
  left.forEach(onLeft);
  // Duplicate keys are found by NodeReader in linear time; the library's check is quadratic.
  const composer = new Composer({
    schema: 'failsafe',
    resolveKnownTags: false,
    uniqueKeys: false,
    prettyErrors: false,
  });
  stopAtFirstError(composer);
  for (const document of composer.compose(tokens(text, lines), true, text.length)) {
    const [error] = document.errors;
    if (error !== undefined) throw yamlError(error.pos[0], error.message);
    yield document;
  }
}

type ErrorHandler = (
  source: number | readonly number[] | { readonly offset: number },
  code: string,
  message: string,
  warning?: boolean,
) => void;

/** By default every error of a document is kept with a stack trace: gigabytes for a file of quotation marks. */
function stopAtFirstError(composer: Composer): void {
  let first: ManifestError | undefined;
  const onError: ErrorHandler = (source, _code, message, warning) => {
    if (warning === true) return;
    const place = typeof source === 'object' && 'offset' in source ? source.offset : source;
    // The library catches it, and calls the handler again for every enclosing collection.
    first ??= yamlError(typeof place === 'number' ? place : (place[0] ?? 0), message);
    throw first;
  };
  Object.assign(composer, { onError });
}

function* tokens(text: string, lines: LineCounter): Generator<CST.Token> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let offset = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) {
      yield checked(token);
    }
    if (parser.stack.length > limits.depth)
      throw new ManifestError(offset, `More than ${limits.depth} levels are nested.`);
    // Lexemes for control characters have no text of their own.
    offset = Math.min(offset + lexeme.length, text.length);
  }
  for (const token of parser.end()) yield checked(token);
}

function checked(token: CST.Token): CST.Token {
  if (token.type === 'error') throw yamlError(token.offset, token.message);
  return token;
}

/** Makes a sentence of the library's message, which is a clause. */
function yamlError(offset: number, message: string): ManifestError {
  return new ManifestError(offset, `This is no YAML: ${shortened(message).replace(/[.:]?$/, '.')}`);
}
