import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const declaration =
  /^export (?:abstract )?(?:async )?(?:interface|type|class|function\*?|const|enum) +(?<name>[A-Za-z0-9_$]+)/;

/** The exported declarations of a file that have no comment before them. A later overload needs none of its own. */
function undocumented(path: string): readonly string[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    const name = declaration.exec(line)?.groups?.['name'];
    const before = lines[index - 1] ?? '';
    const isOverload = before.startsWith(`export function ${name}`);
    return name === undefined || before.trimEnd().endsWith('*/') || isOverload ? [] : [`${path}:${index + 1} ${name}`];
  });
}

it('every exported declaration has a doc comment', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .map((path) => join('src', path))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts') && !path.startsWith('src/gen/'));
  expect(files.length).toBeGreaterThan(300);
  expect(files.flatMap(undocumented)).toEqual([]);
});
