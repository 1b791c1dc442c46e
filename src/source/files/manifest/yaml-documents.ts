import { Composer, type CST, type Document, Lexer, type LineCounter, type ParsedNode, Parser } from 'yaml';
import { shortened } from '../../../json/quoted.ts';
import { limits } from './limits.ts';
import { ManifestError } from './manifest-error.ts';

export type YamlDocument = Document.Parsed<ParsedNode>;

/**
 * Parses the documents of a text lazily, as nodes with offsets; scalars stay as written.
 *
 * @param lines is given the offset of each line
 * @throws ManifestError at the first error: the list of all can take gigabytes
 */
export function* yamlDocuments(text: string, lines: LineCounter): Generator<YamlDocument> {
  checkStructure(text, lines);
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

/**
 * @throws ManifestError for a document whose nodes would take more memory than there is. The heap of a worker is limited,
 * but it may be exceeded for a while: by 500 MiB for 5 MiB of empty lists
 */
function checkStructure(text: string, lines: LineCounter): void {
  let structure = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === lineFeed) {
      structure = text.startsWith('---', index + 1) ? 0 : structure + 1;
    } else if (code === colon || code === comma || code === openArray || code === openObject) {
      structure += 1;
    }
    if (structure <= limits.structure) continue;
    // Nothing was parsed yet that would know the line.
    lines.addNewLine(0);
    for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1))
      lines.addNewLine(at + 1);
    throw new ManifestError(index, 'A document is too long: split it.');
  }
}

const lineFeed = 0x0a;
const comma = 0x2c;
const colon = 0x3a;
const openArray = 0x5b;
const openObject = 0x7b;

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
