/** Entry file of the worker thread that `parse-in-worker.ts` starts: parses one text and exits. */
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { divide, estimatedBytes } from '../../batch-parts.ts';
import { changeOf } from '../../resource-change.ts';
import { type PlacedObject, parseManifest } from '../manifest/parse-manifest.ts';
import type { ParseTask, WorkerMessage } from './parse-in-worker.ts';

function bytesOf({ content }: PlacedObject): number {
  if (content.type !== 'resource') return 0;
  return estimatedBytes(changeOf(content.resource.kind, content.key, content.resource));
}

function* messagesOf({ text, namespaces }: ParseTask): Generator<WorkerMessage> {
  const manifest = parseManifest(text, namespaces);
  if (!manifest.ok) return yield { kind: 'end', end: manifest };
  for (const { items: objects } of divide(manifest.objects, bytesOf)) yield { kind: 'objects', objects };
  yield { kind: 'end', end: { ok: true, diagnostics: manifest.diagnostics } };
}

for (const message of messagesOf(workerData)) {
  parentPort?.postMessage(message);
  // Each is taken in a turn of its own, which asks for the next one: to copy all of them takes longer than a turn may.
  if (parentPort !== null && message.kind === 'objects') await once(parentPort, 'message');
}
