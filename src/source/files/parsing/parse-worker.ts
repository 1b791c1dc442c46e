/** Entry file of the worker thread that `parse-in-worker.ts` starts: parses one text and exits. */
import { parentPort, workerData } from 'node:worker_threads';
import { parseManifest } from '../manifest/parse-manifest.ts';
import type { ParseTask } from './parse-in-worker.ts';

const { text, namespaces }: ParseTask = workerData;
parentPort?.postMessage(parseManifest(text, namespaces));
