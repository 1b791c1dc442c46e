import { readdir, readFile } from 'node:fs/promises';
import { check } from 'recheck';
import { findRegExps } from './collect.ts';

/**
 * Checks that every regular expression of src/ takes time in proportion to its input, whatever the input is: a text from
 * outside could block the event loop otherwise. Proved on automata by recheck, or, for the few with assertions that an
 * automaton cannot have, searched for. Prints what is not, and exits with 1.
 */
const folder = 'src';

/** Expressions that take longer, each with the reason why their input has at most 1 KiB. */
const bounded: ReadonlyMap<string, string> = new Map([
  [
    "src/resources/kinds/gateway.ts /^Hostname|IPAddress|NamedAddress|[a-z0-9]\\/[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+$/",
    'the length is tested before; the pattern is that of the CRD',
  ],
  ['src/status/events/event.ts /\\uFFFD+$/', 'a note of at most 1,024 bytes'],
  ['src/status/events/event.ts /[-.]+$/', 'a name of at most 253 characters'],
  ['src/status/events/event.ts /[-_.]+$/', 'a name of at most 63 characters'],
]);

const checked = new Map<string, Promise<string | undefined>>();

/** Returns what is wrong with an expression; undefined when it is linear. The same expression is checked once. */
function problemOf(pattern: string, flags: string): Promise<string | undefined> {
  const literal = `/${pattern}/${flags}`;
  const problem = checked.get(literal) ?? checkLiteral(pattern, flags);
  checked.set(literal, problem);
  return problem;
}

async function checkLiteral(pattern: string, flags: string): Promise<string | undefined> {
  const result = await check(pattern, flags, { timeout: 60_000 });
  if (result.status === 'safe') return undefined;
  if (result.status === 'unknown') return `cannot be checked: ${result.error.kind}`;
  return `takes time of ${result.complexity.summary}, for example with ${result.attack.pattern}`;
}

const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts')).sort();
const unused = new Set(bounded.keys());
const found: Promise<string | undefined>[] = [];
for (const name of names.filter((file) => !file.startsWith('gen/'))) {
  const file = `${folder}/${name}`;
  const { literals, dynamic } = findRegExps(file, await readFile(file, 'utf8'));
  for (const line of dynamic) found.push(Promise.resolve(`${file}:${line} makes a RegExp of a value: write a literal`));
  for (const { line, pattern, flags } of literals) {
    const literal = `/${pattern}/${flags}`;
    if (bounded.has(`${file} ${literal}`)) {
      unused.delete(`${file} ${literal}`);
      continue;
    }
    const problem = problemOf(pattern, flags);
    found.push(problem.then((text) => (text === undefined ? undefined : `${file}:${line} ${literal} ${text}`)));
  }
}
const problems = (await Promise.all(found)).filter((problem) => problem !== undefined);
problems.push(...[...unused].map((entry) => `${entry} is listed as bounded, and is not there`));
for (const problem of problems) console.error(problem);
if (problems.length > 0)
  console.error('Rewrite it, or bound its input to 1 KiB and list it in scripts/regexps/main.ts.');
// The checker's process would keep this one alive.
process.exit(problems.length > 0 ? 1 : 0);
