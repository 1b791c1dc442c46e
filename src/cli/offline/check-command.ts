import type { CheckReport, OfflineWorld } from '../../app/offline/offline.ts';
import { oneOf } from '../flag-values.ts';
import { clusterAccess } from '../flags/input-flags.ts';
import { type FlagValues, UsageError } from '../flags.ts';
import type { ExitCode, Terminal } from '../terminal.ts';
import { githubReport, jsonReport, textReport } from './check-reports.ts';
import { Excerpts } from './excerpts.ts';
import { styleOf } from './style.ts';
import { openWorld } from './world.ts';

/** Runs `check`: 1 when there is an error, or with `--strict` a warning. */
export async function runCheck(flags: FlagValues, terminal: Terminal): Promise<ExitCode> {
  const format = oneOf('output', flags.text('output'), ['text', 'json', 'github']);
  const strict = flags.on('strict');
  if (flags.positionals.length === 0 && clusterAccess(flags, terminal.environment) === undefined) {
    throw new UsageError('say what to check: files or folders with manifests, - for standard input, or --cluster.');
  }
  const world = await openWorld(flags.positionals, flags, terminal);
  const report = await world.check();
  // `check` says the other notes in its diagnostics.
  if (world.emptiness !== undefined) terminal.stderr.write(`note: ${world.emptiness}\n`);
  terminal.stdout.write(`${render(format, world, report, terminal)}\n`);
  return report.errors > 0 || (strict && report.warnings > 0) ? 1 : 0;
}

function render(
  format: 'text' | 'json' | 'github',
  world: OfflineWorld,
  report: CheckReport,
  terminal: Terminal,
): string {
  switch (format) {
    case 'json':
      return jsonReport(world.counts, report);
    case 'github':
      return githubReport(world.counts, report);
    case 'text': {
      const excerpts = terminal.stdout.isTTY === true ? new Excerpts(world.texts) : undefined;
      return textReport(world.counts, report, styleOf(terminal), excerpts);
    }
  }
}
