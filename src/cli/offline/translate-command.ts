import { once } from 'node:events';
import type { OfflineWorld } from '../../app/offline/offline.ts';
import { quoted } from '../../json/quoted.ts';
import { oneOf } from '../flag-values.ts';
import { clusterAccess } from '../flags/input-flags.ts';
import { type FlagValues, UsageError } from '../flags.ts';
import type { ExitCode, Terminal } from '../terminal.ts';
import { diffDocument, diffText } from './diff-report.ts';
import { styleOf } from './style.ts';
import { openFiles, openWorld } from './world.ts';

/** Runs `translate`: 1 with `--diff` and `--exit-code` when access widens. */
export async function runTranslate(flags: FlagValues, terminal: Terminal): Promise<ExitCode> {
  const changed = flags.list('diff');
  const format = formatOf(flags, changed.length > 0, terminal);
  if (flags.positionals.length === 0 && clusterAccess(flags, terminal.environment) === undefined) {
    throw new UsageError('say what to translate: files or folders with manifests, - for standard input, or --cluster.');
  }
  if (flags.positionals.includes('-') && changed.includes('-')) {
    throw new UsageError('standard input is read once: give the files or those of --diff by their names.');
  }
  if (flags.on('exit-code') && changed.length === 0) {
    throw new UsageError('--exit-code says whether a change widens access: name the changed files with --diff.');
  }
  const world = await openWorld(flags.positionals, flags, terminal);
  const after = changed.length === 0 ? undefined : await openFiles(changed, flags, terminal);
  const gateway = gatewayOf(flags.optional('gateway'), after === undefined ? [world] : [world, after]);
  note(world, after, terminal);
  if (after !== undefined) return compare(world, after, { gateway, format }, flags, terminal);
  const { dialectsOf, translationDocument } = await import('../../app/offline/translation-document.ts');
  const dialect = dialectOf(flags.optional('dialect'), dialectsOf(world));
  const document = await translationDocument(world, { gateway, dialect });
  if (format === 'binary') await write(terminal, document.responses());
  else {
    const { documentText } = await import('./translation-text.ts');
    await write(terminal, documentText(document, format));
  }
  return 0;
}

type Format = 'text' | 'yaml' | 'json' | 'binary';

function formatOf(flags: FlagValues, isDiff: boolean, terminal: Terminal): Format {
  const text = flags.optional('output');
  if (isDiff) return oneOf('output', text ?? 'text', ['text', 'yaml', 'json']);
  const format = oneOf('output', text ?? 'yaml', ['yaml', 'json', 'binary']);
  if (format === 'binary' && terminal.stdout.isTTY === true) {
    throw new UsageError('-o binary is for a file or a pipe: gatehouse translate -o binary ... > responses.bin');
  }
  return format;
}

/** The key of a Gateway that one of the worlds has. */
function gatewayOf(name: string | undefined, worlds: readonly OfflineWorld[]): string | undefined {
  if (name === undefined) return undefined;
  const key = name.includes('/') ? name : `default/${name}`;
  const reasons = worlds.map(({ explainer }) =>
    explainer.gatewayReasons(key).find(({ code }) => code === 'gateway-unknown'),
  );
  const [first] = reasons;
  if (first !== undefined && reasons.every((reason) => reason !== undefined)) throw new UsageError(first.message);
  return key;
}

function dialectOf(name: string | undefined, known: readonly string[]): string | undefined {
  if (name === undefined || known.includes(name)) return name;
  throw new UsageError(`--dialect is one of ${known.join(', ')}, not ${quoted(name)}`);
}

/** Says on standard error, which is not the result, that something is left out. */
function note(world: OfflineWorld, after: OfflineWorld | undefined, { stderr }: Terminal): void {
  for (const text of world.notes) stderr.write(`note: ${after === undefined ? '' : 'before: '}${text}\n`);
  for (const text of after?.notes ?? []) stderr.write(`note: after: ${text}\n`);
}

async function compare(
  before: OfflineWorld,
  after: OfflineWorld,
  { gateway, format }: { readonly gateway: string | undefined; readonly format: Format },
  flags: FlagValues,
  terminal: Terminal,
): Promise<ExitCode> {
  if (flags.optional('dialect') !== undefined) {
    throw new UsageError(
      '--diff compares targets and access, which are the same in every dialect: leave --dialect out.',
    );
  }
  const { worldDiff } = await import('../../app/offline/world-diff.ts');
  const diff = await worldDiff(before, after, gateway);
  if (format === 'json') terminal.stdout.write(`${JSON.stringify(diffDocument(diff), undefined, 2)}\n`);
  else if (format === 'yaml') {
    const { yamlText } = await import('./translation-text.ts');
    terminal.stdout.write(yamlText(diffDocument(diff)));
  } else terminal.stdout.write(`${diffText(diff, styleOf(terminal))}\n`);
  return flags.on('exit-code') && diff.widens ? 1 : 0;
}

/** Writes parts one after another, each when there is room for it. */
async function write({ stdout }: Terminal, parts: Iterable<string | Uint8Array>): Promise<void> {
  for (const part of parts) if (!stdout.write(part)) await once(stdout, 'drain');
}
