import { Composer, type CST, type Document, Lexer, type LineCounter, type ParsedNode, Parser } from 'yaml';
import { limits } from './limits.ts';
import { Unparsable } from './manifest-error.ts';

export type YamlDocument = Document.Parsed<ParsedNode>;

/**
 * The documents of a text, one after another, as nodes with places; scalars are left as they are written.
 * Throws `Unparsable` at the first mistake: the rest would cost memory and tell nobody more.
 *
 * @param lines learns where the lines begin
 */
export function* yamlDocuments(text: string, lines: LineCounter): Generator<YamlDocument> {
  // Keys are compared where values are read, each with all others at once; the library's way is quadratic.
  const composer = new Composer({
    schema: 'failsafe',
    resolveKnownTags: false,
    uniqueKeys: false,
    prettyErrors: false,
  });
  stopAtFirstError(composer);
  for (const document of composer.compose(tokens(text, lines), true, text.length)) {
    const [error] = document.errors;
    if (error !== undefined) throw noYaml(error.pos[0], error.message);
    yield document;
  }
}

type ErrorHandler = (
  source: number | readonly number[] | { readonly offset: number },
  code: string,
  message: string,
  warning?: boolean,
) => void;

/** By default every mistake of a document becomes an error with a stack trace: gigabytes for a file of quotation marks. */
function stopAtFirstError(composer: Composer): void {
  let first: Unparsable | undefined;
  const onError: ErrorHandler = (source, _code, message, warning) => {
    if (warning === true) return;
    const place = typeof source === 'object' && 'offset' in source ? source.offset : source;
    // The library catches what is thrown, and reports it again for every collection around the mistake.
    first ??= noYaml(typeof place === 'number' ? place : (place[0] ?? 0), message);
    throw first;
  };
  Object.assign(composer, { onError });
}

function* tokens(text: string, lines: LineCounter): Generator<CST.Token> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let lexemes = 0;
  let offset = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) {
      if (token.type === 'document') lexemes = 0;
      yield sound(token);
    }
    lexemes += 1;
    if (parser.stack.length > limits.depth)
      throw new Unparsable(offset, `More than ${limits.depth} levels are nested.`);
    if (lexemes > limits.lexemes) throw new Unparsable(offset, 'A document is too long: split it.');
    // Lexemes of control characters stand for no text of their own.
    offset = Math.min(offset + lexeme.length, text.length);
  }
  for (const token of parser.end()) yield sound(token);
}

function sound(token: CST.Token): CST.Token {
  if (token.type === 'error') throw noYaml(token.offset, token.message);
  return token;
}

/** The library's messages are clauses without an end. */
function noYaml(offset: number, message: string): Unparsable {
  return new Unparsable(offset, `This is no YAML: ${message.trim().replace(/[.:]?$/, '.')}`);
}
