import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../../node_modules/.bin/mcp-inspector', import.meta.url));

/** The outcome of one run of the Inspector. */
export interface Inspection {
  readonly code: number | null;
  /** The JSON on its standard output, or the last JSON line on standard error. */
  readonly output: unknown;
}

/**
 * Runs the MCP Inspector, an independent client, without a browser and with a temporary home directory.
 */
export async function inspect(url: string, args: readonly string[]): Promise<Inspection> {
  const home = await mkdtemp(join(tmpdir(), 'gatehouse-inspector-'));
  const flags = ['--cli', url, '--format', 'json', '--stored-auth-only', ...args];
  const child = spawn(process.execPath, [program, ...flags], { env: { ...process.env, HOME: home }, stdio: 'pipe' });
  let text = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += String(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += String(chunk);
  });
  child.stdin.end();
  await once(child, 'close');
  await rm(home, { recursive: true, force: true });
  return { code: child.exitCode, output: text.trim() === '' ? lastJson(errors) : JSON.parse(text) };
}

function lastJson(lines: string): unknown {
  const line = lines.split('\n').findLast((candidate) => candidate.startsWith('{'));
  return line === undefined ? lines : JSON.parse(line);
}
