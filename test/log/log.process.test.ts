import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

const log = new URL('../../src/log/log.ts', import.meta.url);

/** Runs a program that logs one line and returns its standard error. Fields may be given as source text. */
function written(message: string, fields: object | string, format: string): string {
  const program = `const { createLog } = await import(${JSON.stringify(log)});
    createLog('info', '${format}', false, false).info(${JSON.stringify(message)}, ${typeof fields === 'string' ? fields : JSON.stringify(fields)});`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }).stderr;
}

it.each(['text', 'json'])(
  'escapes control characters in %s, so that a name can neither start a line nor steer the terminal',
  (format) => {
    const name = '\u001b[2J\u009b1m\r\nfake line\u0000';
    const line = written(`denied ${name}`, { name, list: [name] }, format);
    expect(line.at(-1)).toBe('\n');
    expect(line.slice(0, -1)).not.toMatch(/\p{Cc}/u);
    if (format === 'json') expect(JSON.parse(line)).toMatchObject({ message: `denied ${name}`, name, list: [name] });
    if (format === 'text')
      expect(line).toMatch(/\d info {2}denied \\u001b\[2J\\u009b1m\\u000d\\u000afake line\\u0000 name=/);
  },
);

it('quotes values that contain spaces or quotes', () => {
  const fields = { tool: 'default/mcp-tool:x', why: 'no rule', count: 3 };
  expect(written('denied', fields, 'text')).toMatch(/ denied tool=default\/mcp-tool:x why="no rule" count=3\n$/);
});

it('omits undefined and empty fields', () => {
  expect(written('lost', "{ object: undefined, field: '', why: 'x' }", 'text')).toMatch(/ lost why=x\n$/);
});

it.each(['text', 'json'])('shortens what a message forgot to shorten, in %s', (format) => {
  const long = 'x'.repeat(10_000);
  const line = written(long, { long, list: [long] }, format);
  expect(line.length).toBeLessThan(7000);
  if (format === 'json') expect(JSON.parse(line)).toMatchObject({ message: `${'x'.repeat(2000)}…` });
});
