/** Entry file of the process that `parse-in-process.ts` starts: parses one text and ends. */
import { divide, estimatedBytes } from '../../batch-parts.ts';
import { changeOf } from '../../resource-change.ts';
import { type PlacedObject, parseManifest } from '../manifest/parse-manifest.ts';
import type { ParseMessage, ParseTask } from './parse-in-process.ts';

function bytesOf({ content }: PlacedObject): number {
  if (content.type !== 'resource') return 0;
  return estimatedBytes(changeOf(content.resource.kind, content.key, content.resource));
}

function* messagesOf({ text, namespaces }: ParseTask): Generator<ParseMessage> {
  const manifest = parseManifest(text, namespaces);
  if (!manifest.ok) return yield { kind: 'end', end: manifest };
  for (const { items: objects } of divide(manifest.objects, bytesOf)) yield { kind: 'objects', objects };
  yield { kind: 'end', end: { ok: true, diagnostics: manifest.diagnostics } };
}

/** Of an error that no text should cause. */
function failed(error: unknown): ParseMessage {
  return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
}

let messages: Iterator<ParseMessage> | undefined;

function nextMessage(): ParseMessage | undefined {
  try {
    return messages?.next().value;
  } catch (error) {
    return failed(error);
  }
}

// The task, and then a request for each further message: to take all of them takes longer than a turn may.
process.on('message', (request: ParseTask | 'next') => {
  if (request !== 'next') messages = messagesOf(request);
  const message = nextMessage();
  process.send?.(message, () => {
    if (message?.kind !== 'objects') process.disconnect();
  });
});
process.send?.({ kind: 'ready' });
