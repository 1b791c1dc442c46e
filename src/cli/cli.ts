import packageJson from '../../package.json' with { type: 'json' };
import { EnvironmentError } from '../app/errors.ts';
import { quoted } from '../json/quoted.ts';
import { type Command, commands } from './commands.ts';
import { logFlags } from './flags/log-flags.ts';
import { type Flag, nearWord, readFlags, UsageError, variableOf } from './flags.ts';
import { visibleLines } from './offline/style.ts';
import type { ExitCode, Terminal } from './terminal.ts';

/** Runs a command and resolves with its exit code, after everything that it started has stopped. Never rejects. */
export async function runCli(terminal: Terminal): Promise<ExitCode> {
  const [name = '--help', ...args] = terminal.args;
  try {
    if (name === '--version' || args.includes('--version')) return print(terminal, packageJson.version);
    if (name === '--help' || name === '-h' || name === 'help') return print(terminal, overview());
    const command = commands.find((candidate) => candidate.name === name);
    if (command === undefined) throw unknownCommand(name);
    if (args.includes('--help') || args.includes('-h')) return print(terminal, helpOf(command));
    const flags = readFlags([...command.flags, ...logFlags], args, terminal.environment);
    const [stray] = flags.positionals;
    if (stray !== undefined && command.arguments === undefined)
      throw new UsageError(`unexpected argument ${quoted(stray)}. See gatehouse ${name} --help.`);
    return await command.run(flags, terminal);
  } catch (error) {
    return printError(terminal, error);
  }
}

function print(terminal: Terminal, text: string): ExitCode {
  terminal.stdout.write(`${text.trimEnd()}\n`);
  return 0;
}

function printError(terminal: Terminal, error: unknown): ExitCode {
  if (error instanceof UsageError || error instanceof EnvironmentError) {
    // Some repeat what a server or a library said.
    terminal.stderr.write(`gatehouse: ${visibleLines(error.message)}\n`);
    return error instanceof UsageError ? 2 : 3;
  }
  // Any other error is a bug: its stack is needed to report it.
  terminal.stderr.write(`gatehouse: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 3;
}

function unknownCommand(name: string): UsageError {
  const near = nearWord(
    name,
    commands.map((command) => command.name),
  );
  const hint = near === undefined ? '' : ` Did you mean ${near}?`;
  return new UsageError(`unknown command ${quoted(name)}.${hint} See gatehouse --help.`);
}

function overview(): string {
  const rows = commands.map(({ name, summary }) => `  ${name.padEnd(11)} ${summary}`);
  return [
    'gatehouse: an xDS control plane for MCP gateways',
    '',
    'Usage: gatehouse <command> [flags]',
    '',
    ...rows,
    '',
    'gatehouse <command> --help shows its flags and examples; gatehouse --version the version.',
  ].join('\n');
}

function helpOf({ name, summary, examples, flags, arguments: positionals = '' }: Command): string {
  const all = [...flags, ...logFlags];
  return [
    `gatehouse ${name}: ${summary}`,
    '',
    `Usage: gatehouse ${name} [flags] ${positionals}`.trimEnd(),
    '',
    'Examples:',
    ...examples.map((example) => `  ${example}`),
    '',
    'Flags (each has an environment variable; the flag wins):',
    ...all.flatMap(flagLines),
  ].join('\n');
}

function flagLines(flag: Flag): string[] {
  const short = flag.short === undefined ? '' : `-${flag.short}, `;
  const notes = [
    flag.default === undefined ? '' : `default ${flag.default}`,
    flag.repeatable ? 'repeatable' : '',
    variableOf(flag),
  ].filter((note) => note !== '');
  return [
    `  ${short}--${flag.name}${flag.value === undefined ? '' : ` ${flag.value}`}`,
    `      ${flag.help} (${notes.join('; ')})`,
  ];
}
