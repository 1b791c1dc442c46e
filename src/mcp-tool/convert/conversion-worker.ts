/** The thread that converts one document and ends. It is started by `run-conversion.ts`, which knows both messages. */
import { parentPort, workerData } from 'node:worker_threads';
import { Refusal } from '../conversion-error.ts';
import type { ConversionJob, ConversionOutcome } from './convert-in-worker.ts';
import { toMarkdown } from './to-markdown.ts';

async function convert({ document, plainBytes }: ConversionJob): Promise<ConversionOutcome> {
  try {
    return { markdown: await toMarkdown(document, plainBytes) };
  } catch (error) {
    const { reason, message } = Refusal.damaged('a document', error);
    return { reason, message };
  }
}

parentPort?.postMessage(await convert(workerData));
