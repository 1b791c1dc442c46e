import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { portOf } from '../support/gateway/gateway-rig.ts';
import { nodeFlags } from '../support/processes/node-flags.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/**
 * A fenced block of a page that is executed. The words after its language say how, and are not shown by a renderer:
 *
 * - `file=<path>`: the text is written to this file of an empty folder, in which all blocks of the page run;
 * - `run`: the commands run, and the last one exits with 0. In a `console` block each line after a `$ ` is a command,
 *   and the lines below are what it writes;
 * - `start=<text>`: the command runs until the end of the page; the next block waits until it has logged the text.
 */
type Block =
  | { readonly kind: 'file'; readonly path: string; readonly text: string }
  | { readonly kind: 'run'; readonly text: string }
  | { readonly kind: 'console'; readonly text: string }
  | { readonly kind: 'start'; readonly text: string; readonly until: string };

/** The executed blocks of a page, in order. */
export function executedBlocks(page: string): readonly Block[] {
  return Array.from(page.matchAll(/^```(\w+) (\S[^\n]*)\n(.*?)^```$/gms), ([, language, words = '', text = '']) => {
    const file = /^file=(\S+)$/.exec(words)?.[1];
    if (file !== undefined) return { kind: 'file', path: file, text };
    const until = /^start="(.+)"$/.exec(words)?.[1];
    if (until !== undefined) return { kind: 'start', text, until };
    if (words !== 'run') throw new Error(`a block says ${words}: write file=<path>, run or start="<text>"`);
    return { kind: language === 'console' ? 'console' : 'run', text };
  });
}

/** The ports that pages name; each stands for a free one while a page runs. */
const namedPorts = ['9977', '9092', '9097', '9098', '8080', '3001', '19000'] as const;

const bin = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));
const entry = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A page that is being executed in a folder of its own. */
export interface PageRun {
  /** Executes the next block. Throws when it does not do what the page says. */
  execute(block: Block): Promise<void>;
}

/**
 * Prepares the folder, the ports, and the commands `gatehouse` and `npx`; everything ends with the test.
 *
 * @param packages packages of the checkout that are installed in the folder
 */
export async function runPage(packages: readonly string[] = []): Promise<PageRun> {
  const folder = temporaryFolder();
  for (const name of packages) {
    mkdirSync(dirname(join(folder, 'node_modules', name)), { recursive: true });
    symlinkSync(
      fileURLToPath(new URL(`../../node_modules/${name}`, import.meta.url)),
      join(folder, 'node_modules', name),
    );
  }
  const ports = await freePorts();
  const substituted = (text: string): string =>
    text.replaceAll(/(?<![\w.])\d{4,5}\b/g, (number) => ports.get(number) ?? number);
  const commands = temporaryFolder();
  writeCommand(join(commands, 'gatehouse'), gatehouseScript(ports));
  writeCommand(
    join(commands, 'npx'),
    `case $1 in -y) shift;; esac\nshift\nexec "${join(bin, 'mcp-inspector')}" "$@"\n`,
  );
  const environment = {
    PATH: `${commands}:${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    HOME: temporaryFolder(),
    TMPDIR: process.env['TMPDIR'] ?? '/tmp',
  };
  const shell = (text: string): ChildProcess =>
    spawn('bash', ['-euo', 'pipefail', '-c', text], {
      cwd: folder,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  return {
    async execute(block) {
      switch (block.kind) {
        case 'file':
          mkdirSync(dirname(join(folder, block.path)), { recursive: true });
          return writeFileSync(join(folder, block.path), substituted(block.text));
        case 'run':
          await output(shell(substituted(block.text)), block.text);
          return;
        case 'console':
          for (const [command, expected] of commandsOf(block.text)) {
            const { stdout } = await output(shell(substituted(command)), command);
            if (stdout.trimEnd() !== substituted(expected).trimEnd()) {
              throw new Error(`${command}\nwrites\n${stdout}\nand the page says\n${expected}`);
            }
          }
          return;
        case 'start':
          return logged(startProgram(shell, substituted(block.text)), block);
      }
    },
  };
}

/** Starts a program and ends it with the test. `exec env` makes the shell's process the program's. */
function startProgram(shell: (text: string) => ChildProcess, text: string): ChildProcess {
  const child = shell(`exec env ${text}`);
  const closed = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await closed;
  });
  return child;
}

/** Waits until the program has logged the text. Fails when it ends before. */
async function logged(child: ChildProcess, { text, until }: Extract<Block, { kind: 'start' }>): Promise<void> {
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      log += String(chunk);
      if (log.includes(until)) resolve();
    });
    child.once('close', () => reject(new Error(`${text}\nended without "${until}":\n${log}`)));
  });
}

async function output(child: ChildProcess, command: string): Promise<{ readonly stdout: string }> {
  const text = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => {
    text.stdout += String(chunk);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    text.stderr += String(chunk);
  });
  await once(child, 'close');
  if (child.exitCode !== 0) {
    throw new Error(`${command}\nexits with ${child.exitCode}:\n${text.stdout}${text.stderr}`);
  }
  return text;
}

/** The commands of a console block, each with the lines that follow it. */
function commandsOf(text: string): readonly (readonly [string, string])[] {
  const found: [string, string][] = [];
  for (const line of text.split('\n')) {
    const last = found.at(-1);
    if (line.startsWith('$ ')) found.push([line.slice(2), '']);
    else if (last?.[0].endsWith('\\')) last[0] += `\n${line}`;
    else if (last !== undefined) last[1] += `${line}\n`;
  }
  return found;
}

/** Free ports, all held at the same time, so that no two are equal. */
async function freePorts(): Promise<ReadonlyMap<string, string>> {
  const servers = namedPorts.map(() => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => String(portOf(server.address())));
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return new Map(namedPorts.map((port, index) => [port, ports[index] ?? port]));
}

/** The program with the substituted ports in place of its defaults. */
function gatehouseScript(ports: ReadonlyMap<string, string>): string {
  const at = (port: (typeof namedPorts)[number]): string => `127.0.0.1:${ports.get(port)}`;
  const serve = `GATEHOUSE_XDS_LISTEN=${at('9977')} GATEHOUSE_METRICS_LISTEN=${at('9092')} \
GATEHOUSE_DEBUG_LISTEN=${at('9097')} GATEHOUSE_ADMIN_LISTEN=${at('9098')}`;
  return `case $1 in
serve) export ${serve};;
gateway) export GATEHOUSE_ADMIN_LISTEN=${at('19000')};;
mcp-tool) export GATEHOUSE_PORT=${ports.get('3001')};;
nodes) export GATEHOUSE_SERVER=${at('9097')};;
esac
exec "${process.execPath}" ${nodeFlags.join(' ')} "${entry}" "$@"
`;
}

function writeCommand(path: string, script: string): void {
  writeFileSync(path, `#!/bin/sh\n${script}`);
  chmodSync(path, 0o755);
}

/** The text of a page of the repository. */
export function pageText(path: string): string {
  return readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
}
