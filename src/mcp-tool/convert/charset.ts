import { ConversionError } from '../conversion-error.ts';

/**
 * Decodes text. The charset is, in this order: the byte order mark; `header`; `declared`; UTF-8 if the bytes are valid
 * UTF-8; windows-1252, the default of browsers. Unknown charset names are skipped.
 *
 * @param header charset of the `Content-Type`
 * @param declared charset that the document itself declares
 * @throws ConversionError if the text has NUL characters, which means that the document is binary
 */
export function decodeText(bytes: Uint8Array, header: string | undefined, declared?: string): string {
  const decoder = [byteOrderMark(bytes), header, declared].map(createDecoder).find((known) => known !== undefined);
  const text = decoder?.decode(bytes) ?? decodeUndeclared(bytes);
  if (text.includes('\0')) {
    throw new ConversionError('content', 'The document is called text, but its content is binary.');
  }
  return text;
}

/**
 * Returns the charset of the first `meta` element with one in the first 1,024 bytes of an HTML page.
 * @see https://html.spec.whatwg.org/#prescan-a-byte-stream-to-determine-its-encoding
 */
export function charsetOfHtml(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 1024)).toString('latin1');
  const tags = start.match(/<meta\b[^<>]*/gi) ?? [];
  const charset = tags.map((tag) => /\bcharset\s*=\s*(?:["']\s*)?([^\s"'/>;]+)/i.exec(tag)?.[1]).find(isPresent);
  // The specification replaces UTF-16 by UTF-8: the declaration could not have been read as ASCII in UTF-16.
  return charset !== undefined && /^utf-?16/i.test(charset) ? 'utf-8' : charset;
}

function isPresent(text: string | undefined): text is string {
  return text !== undefined;
}

function byteOrderMark(bytes: Uint8Array): string | undefined {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  return first === 0xff && second === 0xfe ? 'utf-16le' : undefined;
}

function createDecoder(label: string | undefined): InstanceType<typeof TextDecoder> | undefined {
  if (label === undefined) return undefined;
  try {
    return new TextDecoder(label);
  } catch {
    return undefined;
  }
}

function decodeUndeclared(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
