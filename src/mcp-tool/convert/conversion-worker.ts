/** Entry file of the worker thread that `convert-in-worker.ts` starts: converts one document and exits. */
import { parentPort, workerData } from 'node:worker_threads';
import { ConversionError } from '../conversion-error.ts';
import type { ConversionResult, ConversionTask } from './convert-in-worker.ts';
import { toMarkdown } from './to-markdown.ts';

async function convert({ document, unpackedBytes }: ConversionTask): Promise<ConversionResult> {
  try {
    return { markdown: await toMarkdown(document, unpackedBytes) };
  } catch (error) {
    const { reason, message } = ConversionError.unreadable('a document', error);
    return { reason, message };
  }
}

parentPort?.postMessage(await convert(workerData));
