import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { inputsFrom } from './mutations.ts';

/** What a guided run has tried and found. */
export interface GuidedReport {
  readonly inputs: number;
  /** Inputs that ran code that no earlier one had run, or ran it several times as often. */
  readonly kept: number;
  /** Distinct blocks of code, each with the order of magnitude of its runs. */
  readonly blocks: number;
}

export interface GuidedOptions {
  readonly corpus: readonly Buffer[];
  readonly dictionary: readonly Buffer[];
  readonly run: (input: Buffer) => void | Promise<void>;
  readonly seconds: number;
  /** A folder for the inputs that are kept, as files that a corpus can take. */
  readonly folder: string | undefined;
}

/** Inputs that run between two looks at the coverage, which take some milliseconds. */
const batchSize = 64;

/** Inputs that are mutated further; the newest take the places of others at random. */
const maxPool = 5_000;

/**
 * Mutates inputs for some time, and goes on with those that run other code than all before: the block coverage of V8 says
 * which. So it gets into a decoder step by step, where random mutations of a corpus hardly do.
 *
 * @throws Error with the input in hexadecimal for which `run` has thrown
 */
export async function runGuided({ corpus, dictionary, run, seconds, folder }: GuidedOptions): Promise<GuidedReport> {
  using coverage = await startCoverage();
  const pool = [...corpus];
  const seen = new Set<string>();
  let [inputs, kept] = [0, 0];
  const tryOne = async (input: Buffer): Promise<void> => {
    inputs += 1;
    try {
      await run(input);
    } catch (error) {
      throw new Error(`this input fails: ${input.toString('hex')}`, { cause: error });
    }
  };
  const keep = (input: Buffer): void => {
    kept += 1;
    if (pool.length < maxPool) pool.push(input);
    else pool[Math.floor(Math.random() * maxPool)] = input;
    if (folder !== undefined) save(folder, input);
  };
  for (const input of corpus) await tryOne(input);
  for (const block of await coverage.take()) seen.add(block);
  const deadline = performance.now() + seconds * 1_000;
  while (performance.now() < deadline) {
    const batch = fc.sample(inputsFrom(pool, dictionary), { numRuns: batchSize, seed: randomSeed() });
    for (const { bytes } of batch) await tryOne(bytes);
    const found = new Set([...(await coverage.take())].filter((block) => !seen.has(block)));
    if (found.size === 0) continue;
    for (const block of found) seen.add(block);
    // Which of them did it: each runs again by itself.
    for (const { bytes } of batch) {
      await tryOne(bytes);
      const own = await coverage.take();
      if (![...own].some((block) => found.has(block))) continue;
      keep(bytes);
      for (const block of own) found.delete(block);
    }
  }
  return { inputs, kept, blocks: seen.size };
}

function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 31);
}

function save(folder: string, input: Buffer): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, createHash('sha256').update(input).digest('hex').slice(0, 16)), input);
}

interface Coverage extends Disposable {
  /** The blocks that ran since the last call. */
  take(): Promise<ReadonlySet<string>>;
}

async function startCoverage(): Promise<Coverage> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  return {
    async take() {
      const { result } = await session.post('Profiler.takePreciseCoverage');
      const blocks = new Set<string>();
      for (const { scriptId, url, functions } of result) {
        if (!isDecoder(url)) continue;
        for (const { ranges } of functions) {
          for (const { startOffset, endOffset, count } of ranges) {
            if (count > 0) blocks.add(`${scriptId} ${startOffset} ${endOffset} ${Math.ceil(Math.log2(count))}`);
          }
        }
      }
      return blocks;
    },
    [Symbol.dispose]: () => session.disconnect(),
  };
}

/** The program and the libraries that it decodes with, and not those that the test runs with. */
function isDecoder(url: string): boolean {
  return url.includes('/src/') && !/node_modules\/(?:vitest|@vitest|vite|chai|fast-check|pure-rand)\//.test(url);
}
