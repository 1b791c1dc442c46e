import { Refusal } from '../conversion-error.ts';

/**
 * Decodes text. A byte order mark decides; then what the header says; then what the document itself says (`declared`);
 * then UTF-8 when the bytes are valid UTF-8, and windows-1252 as browsers assume. A name that is no charset is passed
 * over. Text has no NUL characters: with them it is something else under a wrong name, and refused.
 */
export function decodeText(bytes: Uint8Array, header: string | undefined, declared?: string): string {
  const decoder = [byteOrderMark(bytes), header, declared].map(decoderOf).find((known) => known !== undefined);
  const text = decoder?.decode(bytes) ?? decodeUndeclared(bytes);
  if (text.includes('\0')) throw new Refusal('content', 'The document is called text, but its content is binary.');
  return text;
}

/** The charset that an HTML page names in its first kilobyte (https://html.spec.whatwg.org/#prescan-a-byte-stream-to-determine-its-encoding). */
export function charsetOfHtml(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 1024)).toString('latin1');
  const named = /<meta\b[^>]*?\bcharset\s*=\s*["']?\s*([^\s"'/>;]+)/i.exec(start)?.[1];
  // A page whose ASCII could be read is not in UTF-16, whatever it says.
  return named !== undefined && /^utf-?16/i.test(named) ? 'utf-8' : named;
}

function byteOrderMark(bytes: Uint8Array): string | undefined {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  return first === 0xff && second === 0xfe ? 'utf-16le' : undefined;
}

function decoderOf(label: string | undefined): InstanceType<typeof TextDecoder> | undefined {
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
