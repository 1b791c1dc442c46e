import type { CheckReport, OfflineWorld } from '../../app/offline/offline.ts';
import { type Excerpts, parsePlace } from './excerpts.ts';
import { oneLine, type Style } from './style.ts';

type Counts = OfflineWorld['counts'];
type Diagnostic = CheckReport['diagnostics'][number];

/** One line for each diagnostic, as compilers write them, and the summary. */
export function textReport(counts: Counts, report: CheckReport, style: Style, excerpts: Excerpts | undefined): string {
  const lines = report.diagnostics.flatMap((diagnostic) => {
    const { severity, place } = diagnostic;
    const word = severity === 'error' ? style.red('error') : style.yellow('warning');
    const excerpt = excerpts?.at(place) ?? [];
    return [`${style.bold(oneLine(place))}: ${word}: ${sentence(diagnostic)}`, ...excerpt.map(style.dim)];
  });
  return [...lines, summary(counts, report)].join('\n');
}

/** The document that `docs/operating.md` describes. */
export function jsonReport(counts: Counts, { diagnostics, errors, warnings }: CheckReport): string {
  const entries = diagnostics.map(({ severity, place, object, field, message }) => {
    const { file, line, column } = parsePlace(place);
    return { severity, file, line: line ?? null, column: column ?? null, object: object ?? null, field, message };
  });
  return JSON.stringify({ version: 1, ...counts, errors, warnings, diagnostics: entries }, undefined, 2);
}

/** Annotations of GitHub Actions (workflow commands), and the summary. */
export function githubReport(counts: Counts, report: CheckReport): string {
  const lines = report.diagnostics.map((diagnostic) => {
    const { file, line, column } = parsePlace(diagnostic.place);
    const place = line === undefined ? '' : `,line=${line},col=${column}`;
    return `::${diagnostic.severity} file=${property(file)}${place}::${data(sentence(diagnostic))}`;
  });
  return [...lines, summary(counts, report)].join('\n');
}

/** The object and the field before the message, unless the message begins with them. */
function sentence({ object, field, message }: Diagnostic): string {
  const where = [object, message.startsWith(field) ? undefined : field].filter((part) => part !== undefined);
  return oneLine(where.length === 0 ? message : `${where.join(' ')}: ${message}`);
}

function summary({ gateways, targets, policies }: Counts, { diagnostics, errors, warnings }: CheckReport): string {
  const world = [count(gateways, 'Gateway'), count(targets, 'target'), count(policies, 'policy', 'policies')];
  const hidden = errors + warnings - diagnostics.length;
  const more = hidden > 0 ? ` (${hidden} of them not shown)` : '';
  return `${world.join(', ')}; ${count(errors, 'error')}, ${count(warnings, 'warning')}${more}`;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
