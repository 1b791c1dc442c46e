/** Entry file of the process that `convert-in-process.ts` starts: converts one document and ends. */
import { ConversionError } from '../conversion-error.ts';
import type { SourceDocument } from '../source-document.ts';
import { type ConversionMessage, type ConversionRequest, pieceLength } from './conversion-messages.ts';
import { toMarkdown } from './to-markdown.ts';

let document: SourceDocument = { bytes: new Uint8Array(), contentType: undefined, extension: '' };
let unpackedBytes = 0;
/** Bytes of the document that have arrived. */
let arrived = 0;
let messages: Iterator<ConversionMessage> | undefined;

async function answer(request: ConversionRequest): Promise<ConversionMessage> {
  if (request.kind === 'document') {
    document = { ...request.document, bytes: new Uint8Array(request.length) };
    unpackedBytes = request.unpackedBytes;
    return { kind: 'taken' };
  }
  if (request.kind === 'bytes') {
    document.bytes.set(request.bytes, arrived);
    arrived += request.bytes.length;
    return { kind: 'taken' };
  }
  messages ??= messagesOf(await toMarkdown(document, unpackedBytes));
  return messages.next().value;
}

function* messagesOf(markdown: string): Generator<ConversionMessage, ConversionMessage> {
  for (let at = 0; at < markdown.length; at += pieceLength) {
    yield { kind: 'markdown', piece: markdown.slice(at, at + pieceLength) };
  }
  return { kind: 'end' };
}

function failed(error: unknown): ConversionMessage {
  const { reason, message } = ConversionError.unreadable('a document', error);
  return { kind: 'failed', reason, message };
}

process.on('message', async (request: ConversionRequest) => {
  const message = await answer(request).catch(failed);
  process.send?.(message, () => {
    if (message.kind === 'end' || message.kind === 'failed') process.disconnect();
  });
});
process.send?.({ kind: 'ready' });
