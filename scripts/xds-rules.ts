import { readdir, readFile, writeFile } from 'node:fs/promises';
import { parse } from 'yaml';

/**
 * Generates `docs/xds-rules.md`: every rule of `docs/xds-rules.yaml` with the tests whose titles begin with its id, and its
 * state. `--check` writes nothing and fails if the file is stale. Both fail if a rule has neither a test nor an
 * explanation, and if a test's title has an id that is no rule.
 */
const source = 'docs/xds-rules.yaml';
const table = 'docs/xds-rules.md';

/** The rule as a sentence, or as an object if its state is more than whether tests exist. */
type Rule =
  | string
  | {
      readonly rule: string;
      readonly 'not in this release'?: string;
      readonly 'decided otherwise'?: string;
      readonly note?: string;
    };
type Chapter = Readonly<Record<string, Rule>>;

interface TitledTest {
  readonly file: string;
  readonly title: string;
}

/** Matches a string literal that begins with one or more rule ids: a test's title. */
const titleLiteral = /(['"`])((?:[A-J]\d{1,2} )+)(\S.*?)\1/g;

async function testsById(): Promise<ReadonlyMap<string, readonly TitledTest[]>> {
  const files = (await readdir('test', { recursive: true })).filter((name) => name.endsWith('.test.ts')).sort();
  const found = new Map<string, TitledTest[]>();
  for (const file of files) {
    for (const [, , ids = '', title = ''] of (await readFile(`test/${file}`, 'utf8')).matchAll(titleLiteral)) {
      for (const id of ids.trim().split(' ')) found.set(id, [...(found.get(id) ?? []), { file, title }]);
    }
  }
  return found;
}

function renderRow(id: string, rule: Rule, tests: readonly TitledTest[]): string {
  const entry = typeof rule === 'string' ? { rule } : rule;
  const byFile = Map.groupBy(tests, ({ file }) => file);
  const shown = [...byFile].map(
    ([file, titles]) => `[${file}](../test/${file}): ${titles.map(({ title }) => title).join('; ')}`,
  );
  return `| ${id} | ${escapeCell(entry.rule)} | ${escapeCell(shown.join('<br>'))} | ${escapeCell(stateOf(entry, tests))} |`;
}

function stateOf(entry: Exclude<Rule, string>, tests: readonly TitledTest[]): string {
  if (entry['not in this release'] !== undefined) return `not in this release: ${entry['not in this release']}`;
  if (entry['decided otherwise'] !== undefined) return `decided otherwise: ${entry['decided otherwise']}`;
  const tested = tests.length > 0 ? 'tested' : 'not tested';
  return entry.note === undefined ? tested : `${tested}; ${entry.note}`;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function renderDocument(
  chapters: Readonly<Record<string, Chapter>>,
  tests: ReadonlyMap<string, readonly TitledTest[]>,
): string {
  const parts = Object.entries(chapters).map(([heading, rules]) =>
    [
      `## ${heading}`,
      '',
      '| id | rule | tests | state |',
      '|---|---|---|---|',
      ...Object.entries(rules).map(([id, rule]) => renderRow(id, rule, tests.get(id) ?? [])),
      '',
    ].join('\n'),
  );
  return [
    '# The rules of the ADS server',
    '',
    'What the xDS protocol demands of a server, what mature servers do beyond it, and which bugs others had. A test that',
    'proves a rule begins its title with the id. Generated from `docs/xds-rules.yaml` and the tests: `npm run generate:rules`.',
    '',
    ...parts,
  ].join('\n');
}

/** Returns a sentence for each rule without test or explanation, and for each id in a title that is no rule. */
function findGaps(chapters: Readonly<Record<string, Chapter>>, tests: ReadonlyMap<string, unknown>): readonly string[] {
  const rules = Object.values(chapters).flatMap((chapter) => Object.entries(chapter));
  const known = new Set(rules.map(([id]) => id));
  const explained = (rule: Rule): boolean =>
    typeof rule !== 'string' && (rule['not in this release'] ?? rule['decided otherwise']) !== undefined;
  return [
    ...rules
      .filter(([id, rule]) => !tests.has(id) && !explained(rule))
      .map(([id]) => `${id} has neither a test nor an explanation`),
    ...[...tests.keys()]
      .filter((id) => !known.has(id))
      .map((id) => `${id} is in the title of a test and is no rule of ${source}`),
  ];
}

const chapters: Readonly<Record<string, Chapter>> = parse(await readFile(source, 'utf8'));
const tests = await testsById();
const expected = renderDocument(chapters, tests);
const problems = [...findGaps(chapters, tests)];
if (!process.argv.includes('--check')) await writeFile(table, expected);
else if ((await readFile(table, 'utf8')) !== expected) problems.push(`${table} is stale: npm run generate:rules`);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
