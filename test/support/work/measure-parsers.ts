/**
 * Entry file of a process that measures how the work of each parser grows: prints, as JSON, the work for runs of
 * {@link length} characters and for runs of twice as many, by the name of the parser.
 */
import { startWorkCounter } from './work-counter.ts';

const length = 1_000;

/** Members of every class of characters that the parsers distinguish, and pairs that begin something. */
const units: readonly string[] = [
  ...' \t\n\r\u00a0aA0é😀\ud800\u0000\ufffd',
  ...'-._~/:;,=+*?!#@$&%^|\'"`\\<>()[]{}',
  ...['a.', 'a/', 'a:', 'a=', 'a,', ';a', '; ', '%2', '%2F', '\\"', '""', '",', '"\n', ' \n', '\r\n', 'a\n'],
  ...['<!', '<a', '<meta ', '</', '&a', '[{', '{"', '":', '[,', '::', '..', '//', '1.', '1:', '1_', 'xn--', '~a'],
];

const counter = await startWorkCounter();
const { outsideParsers } = await import('./outside-parsers.ts');
const parsers = await outsideParsers();
/** Parsers that are not linear, which shows that the counter sees it. They get a part, because they are slow. */
const controls: readonly (readonly [string, (text: string) => unknown])[] = [
  ['control: a loop in a loop', (text) => [...part(text)].map((_, end) => sumTo(end))],
  ['control: an expression in a loop', (text) => [...part(text)].map((_, at) => /\0{9}/.test(part(text).slice(at)))],
];

function part(text: string): string {
  return text.slice(0, text.length / 20);
}

/** A loop, which a call of the engine would hide. */
function sumTo(end: number): number {
  let sum = 0;
  for (let at = 0; at < end; at += 1) sum += at;
  return sum;
}

async function workOf(parse: (text: string) => unknown, size: number): Promise<number> {
  await counter.take();
  for (const unit of units) {
    const run = unit.repeat(size);
    for (const text of [run, `a${run}a`, `"${run}`]) {
      try {
        await parse(text);
      } catch {
        // Most runs are no valid text; what counts is the work to find that out.
      }
    }
  }
  return counter.take();
}

const works: Record<string, readonly [number, number]> = {};
for (const [name, parse] of [...parsers, ...controls]) {
  works[name] = [await workOf(parse, length), await workOf(parse, 2 * length)];
}
process.stdout.write(JSON.stringify(works));
