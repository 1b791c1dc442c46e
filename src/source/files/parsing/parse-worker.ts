/**
 * Entry file of the worker thread that `parse-in-worker.ts` starts: parses one text and exits. First it says what the
 * text may define: the parser may take too long.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { parseManifest } from '../manifest/parse-manifest.ts';
import { possibleObjects } from '../manifest/possible-objects.ts';
import type { ParseTask, WorkerMessage } from './parse-in-worker.ts';

const { text, namespaces }: ParseTask = workerData;
const post = (message: WorkerMessage): void => parentPort?.postMessage(message);
post({ kind: 'possible', possible: possibleObjects(text) });
post({ kind: 'parsed', manifest: parseManifest(text, namespaces) });
