import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { it } from 'vitest';
import { runGuided } from './guided.ts';
import { inputsFrom } from './mutations.ts';

export interface FuzzOptions {
  /**
   * The folder with the corpus: one input per file, as it is; a file that ends in `.hex` is hexadecimal, with white
   * space and `#` comments. Keep an input of each kind that the decoder accepts, and each that once broke it.
   */
  readonly corpus: URL;
  /** Pieces that mutations insert, such as delimiters or numbers at a limit; Latin-1, so that `\xff` is one byte. */
  readonly dictionary?: readonly string[];
  /** Decodes one input. What it throws fails the test, so it catches what the decoder may throw. */
  readonly run: (input: Buffer) => void | Promise<void>;
}

/**
 * Inputs that each fuzz test tries, besides its corpus; `FUZZ_CASES=1000000 PROPERTY_SEED=random npx vitest run <file>`
 * tries a million that nobody tried before.
 */
const cases = Number(process.env['FUZZ_CASES'] ?? 10_000);

/**
 * Seconds in which each fuzz test tries inputs by the code that they run instead, and a folder for the inputs that ran
 * code which no input of the corpus runs: `FUZZ_SECONDS=600 FUZZ_FOLDER=/tmp/found npx vitest run --project fuzz <file>`.
 */
const seconds = Number(process.env['FUZZ_SECONDS'] ?? 0);
const folder = process.env['FUZZ_FOLDER'];

/** Milliseconds that a case may take on average until the run counts as hung. */
const patience = 20;

/**
 * Declares a test that decodes the corpus, and then mutations of it and random bytes. Everything is derived from the
 * seed that a failure prints, with the shortest input that fails in hexadecimal: put that into the corpus.
 */
export function fuzz(title: string, { corpus, dictionary = [], run }: FuzzOptions): void {
  it(title, { timeout: Math.max(60_000, cases * patience) + 2_000 * seconds }, async () => {
    const inputs = readCorpus(corpus);
    for (const [name, input] of inputs) {
      try {
        await run(input);
      } catch (error) {
        throw new Error(`the corpus file ${name} fails`, { cause: error });
      }
    }
    const pieces = dictionary.map((piece) => Buffer.from(piece, 'latin1'));
    if (seconds > 0) {
      const report = await runGuided({ corpus: [...inputs.values()], dictionary: pieces, run, seconds, folder });
      console.info(`${title}: ${JSON.stringify(report)}`);
      return;
    }
    const property = fc.asyncProperty(inputsFrom([...inputs.values()], pieces), async ({ bytes }) => run(bytes));
    await fc.assert(property, { numRuns: cases });
  });
}

function readCorpus(folder: URL): ReadonlyMap<string, Buffer> {
  const names = readdirSync(folder).sort();
  return new Map(names.map((name) => [name, readInput(new URL(name, folder))]));
}

function readInput(file: URL): Buffer {
  const bytes = readFileSync(file);
  if (!file.pathname.endsWith('.hex')) return bytes;
  return Buffer.from(bytes.toString('latin1').replace(/#.*|\s+/g, ''), 'hex');
}
