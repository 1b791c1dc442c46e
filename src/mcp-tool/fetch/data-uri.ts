import { ConversionError } from '../conversion-error.ts';
import { parseContentType, type SourceDocument } from '../source-document.ts';

/**
 * Decodes a `data:` URI as browsers do (https://fetch.spec.whatwg.org/#data-urls), with two exceptions. A `#` does not
 * start a fragment, because such URIs often contain unescaped Markdown or CSS. Without a media type the content type is
 * undefined instead of `text/plain`, so that the format is detected from the bytes.
 *
 * @throws ConversionError
 */
export function decodeDataUri(uri: string): SourceDocument {
  const comma = uri.indexOf(',');
  if (comma < 0)
    throw new ConversionError('uri', 'Malformed data: URI: a comma must separate the media type from the data.');
  const header = uri.slice('data:'.length, comma).trim();
  const base64 = /; *base64$/i.exec(header);
  const type = base64 === null ? header : header.slice(0, base64.index);
  const data = percentDecode(uri.slice(comma + 1));
  return {
    bytes: base64 === null ? data : decodeBase64(data),
    contentType: parseContentType(type.startsWith(';') ? `text/plain${type}` : type),
    extension: '',
  };
}

/** Leaves a percent sign without two hexadecimal digits as it is. */
function percentDecode(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const escaped = bytes[at] === 0x25 ? hexPair(bytes, at + 1) : undefined;
    bytes[length] = escaped ?? bytes[at] ?? 0;
    length += 1;
    if (escaped !== undefined) at += 2;
  }
  return bytes.subarray(0, length);
}

function hexPair(bytes: Uint8Array, at: number): number | undefined {
  const high = hexDigit(bytes[at]);
  const low = hexDigit(bytes[at + 1]);
  return high === undefined || low === undefined ? undefined : high * 16 + low;
}

function hexDigit(byte: number | undefined): number | undefined {
  if (byte === undefined) return undefined;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined;
}

/** Rejects invalid base64, which `Buffer.from` would skip. */
function decodeBase64(data: Buffer): Buffer {
  const text = data.toString('latin1').replace(/[\t\n\f\r ]+/g, '');
  const digits = text.replace(/={1,2}$/, '');
  const padded = digits.length < text.length;
  if (/[^A-Za-z0-9+/]/.test(digits) || digits.length % 4 === 1 || (padded && text.length % 4 !== 0)) {
    throw new ConversionError('uri', 'Malformed data: URI: the data is not valid base64.');
  }
  return Buffer.from(digits, 'base64');
}
