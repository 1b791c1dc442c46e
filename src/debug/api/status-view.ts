import type { Translation } from '../../translate/model.ts';
import { countsOf, type NodesParts, ratedNodes } from './nodes-view.ts';
import type { ProblemReport } from './problem-report.ts';
import { timeText } from './query.ts';

/** The program itself, for people who ask which one runs. */
export interface ProgramInfo {
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Name of this process among its replicas. */
  readonly replica: string;
  /** Where resources come from, in words. */
  readonly source: string;
}

/** The sources of `/debug/status`. */
export interface StatusParts extends NodesParts {
  readonly translation: Translation;
  readonly synced: () => boolean;
  readonly epoch: () => number;
  readonly policies: () => number;
  readonly program: ProgramInfo;
}

/** The JSON of `/debug/status`: whether all is well, in one look. */
export function statusView(parts: StatusParts, problems: ProblemReport): object {
  const { translation, program, now } = parts;
  const gateways = { total: 0, served: 0, rejected: 0, foreign: 0 };
  for (const [, { kind }] of translation.gateways.entries()) {
    gateways.total += 1;
    gateways[kind] += 1;
  }
  const report = problems.last;
  const time = now();
  return {
    version: 1,
    time: timeText(time),
    synced: parts.synced(),
    epoch: parts.epoch(),
    gateways,
    targets: translation.targets.size,
    policies: parts.policies(),
    nodes: countsOf(ratedNodes(parts)),
    // Null until everything was read.
    problems: report === undefined ? null : { errors: report.errors, warnings: report.warnings },
    program: {
      version: program.version,
      replica: program.replica,
      source: program.source,
      startedAt: timeText(program.startedAt),
      uptimeSeconds: Math.max(0, Math.round((time - program.startedAt) / 1_000)),
    },
  };
}

/** The JSON of `/version`. */
export function versionView({ version, replica, startedAt }: ProgramInfo): object {
  return { version, node: process.version, replica, startedAt: timeText(startedAt) };
}
