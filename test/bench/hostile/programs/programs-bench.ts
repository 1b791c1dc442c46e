import { setTimeout } from 'node:timers/promises';
import { startChildProcess } from '../../child-process.ts';
import type { BenchResult, Row, Table } from '../../model.ts';
import { quantile } from '../../statistics.ts';
import { programAttacks } from './attacks.ts';
import type { HonestClients } from './honest.ts';
import { type LogFigures, linesWith, logFigures } from './log-figures.ts';
import { changedMetrics, hasMoved, leftOver, type Metrics, readMetrics } from './metric-changes.ts';
import type { Attack, FromAttacker, ToAttacker } from './model.ts';
import type { Footprint, WatchedProcess } from './watched-process.ts';
import { startWorld, type World } from './world.ts';

/** What is aimed at, in the units of the columns. */
const aims = {
  standstill: 100,
  peak: { gateway: 512, serve: 600 },
  honest: { factor: 2, milliseconds: 50 },
} as const;

const defaultSeconds = 8;
/** Seconds in which the honest clients are measured before the attack. */
const quietSeconds = 4;
/** Milliseconds that a program gets to turn its event loop once after the attack: the longest seen was half a minute. */
const recovery = 120_000;
/** Characters of a quoted log line. */
const maxQuote = 200;
/** Descriptors that honest clients may have opened meanwhile. */
const maxLeft = 12;
/** Metrics that are named for one attack. */
const maxMetrics = 6;

export interface ProgramsSelection {
  readonly names: readonly string[];
  readonly rounds: number;
  /** Seconds from the end of an attack until what is left over is counted. */
  readonly settle: number;
}

/** Attacks the programs themselves, each with new ones. */
export async function benchPrograms(
  { names, rounds, settle }: ProgramsSelection,
  progress: (line: string) => void,
): Promise<BenchResult> {
  const rows: Row[] = [];
  const notes: string[] = [];
  const broken: string[] = [];
  for (const attack of programAttacks.filter(({ name }) => names.includes(name))) {
    for (let round = 1; round <= rounds; round += 1) {
      progress(`${attack.program}: ${attack.name}${rounds > 1 ? `, round ${round} of ${rounds}` : ''}`);
      const outcome = await measure(attack, settle);
      rows.push(rowOf(attack, outcome));
      notes.push(...notesOf(attack, outcome));
      broken.push(...brokenBy(outcome).map((sentence) => `${attack.name}: ${sentence}`));
    }
  }
  const title =
    'hostile: whole programs, started as their Deployments start them; aims: standstill 100 ms, ' +
    'peak 512 MiB (gateway) and 600 MiB (serve), honest p99 2 × or 50 ms, one line in the log, nothing left over';
  const table: Table = { title, rows, notes };
  return { tables: rows.length === 0 ? [] : [table], broken };
}

/** The figures of one attack. Times are milliseconds. */
interface Outcome {
  readonly death: string | undefined;
  readonly quietP99: number;
  readonly attackP99: number;
  /** The longest that an honest client waited during the attack: p99 hides what happens once in half a minute. */
  readonly worst: number;
  readonly byKind: HonestFigures['byKind'];
  readonly honest: number;
  readonly problems: readonly string[];
  readonly standstill: number;
  readonly cpu: number;
  readonly peak: number;
  readonly left: Footprint | undefined;
  /** What was left over: a sentence for each gauge. */
  readonly gauges: readonly string[];
  readonly before: Footprint;
  readonly log: LogFigures;
  /** The metrics that changed during the attack and not before. */
  readonly metrics: readonly string[];
  readonly got: number;
  /** What it should have left for operators, and has not. */
  readonly missing: readonly string[];
}

async function measure(attack: Attack, settle: number): Promise<Outcome> {
  await using world = await startWorld(attack.program, attack.world);
  const { attacked, honest } = world;
  const atStart = await readMetrics(world.metrics);
  const quiet = await measureHonest(honest, attacked, quietSeconds);
  const usual = await readMetrics(world.metrics);
  const before = attacked.footprint();
  if (before === undefined) throw new Error(`the ${attack.program} ended before the attack`);
  const logged = attacked.lines().length;
  attacked.resetLoop();
  await attacked.turned();
  const duringAttack = await runAttack(attack, world);
  await Promise.race([hasTurned(attacked), setTimeout(recovery, undefined, { ref: false })]);
  const loop = attacked.loop();
  const peak = attacked.footprint()?.peak ?? duringAttack.lastPeak;
  const after = await readMetrics(world.metrics);
  const metrics = changedMetrics(usual, new Map([...duringAttack.metrics, ...after]));
  const usualMetrics = changedMetrics(atStart, usual);
  await setTimeout(attacked.death() === undefined ? settle * 1_000 : 0);
  const settled = attacked.death() === undefined ? await readMetrics(world.metrics) : usual;
  return {
    death: attacked.death(),
    quietP99: quantile(quiet.milliseconds, 0.99),
    attackP99: quantile(duringAttack.milliseconds, 0.99),
    worst: quantile(duringAttack.milliseconds, 1),
    byKind: duringAttack.byKind,
    honest: duringAttack.milliseconds.length,
    problems: duringAttack.problems,
    ...loop,
    peak,
    before,
    left: attacked.footprint(),
    gauges: leftOver(usual, settled),
    log: logFigures(attacked.lines().slice(logged)),
    metrics: metrics.filter((name) => !usualMetrics.includes(name)),
    got: duringAttack.got,
    missing: missingOf(attack, attacked.lines().slice(logged), usual, [duringAttack.metrics, after]),
  };
}

function missingOf(
  { trace }: Attack,
  lines: readonly string[],
  usual: Metrics,
  seen: readonly Metrics[],
): readonly string[] {
  const sentences: string[] = [];
  if (!seen.some((metrics) => hasMoved(usual, metrics, trace))) sentences.push(`${trace.metric} did not move`);
  if (trace.line !== undefined && linesWith(lines, trace.line) === 0) {
    sentences.push(`the log does not say "${trace.line}"`);
  }
  return sentences;
}

/** A standstill is recorded by a timer that may run after that of the report: it is in the next one. */
async function hasTurned(attacked: WatchedProcess): Promise<void> {
  await attacked.turned();
  await attacked.turned();
}

interface HonestFigures {
  readonly milliseconds: readonly number[];
  /** The same by what was asked for. */
  readonly byKind: ReadonlyMap<string, readonly number[]>;
  readonly problems: readonly string[];
  /** Bytes, as last seen: a process that has died has none. */
  readonly lastPeak: number;
}

async function measureHonest(honest: HonestClients, attacked: WatchedProcess, seconds: number): Promise<HonestFigures> {
  const end = performance.now() + seconds * 1_000;
  const milliseconds: number[] = [];
  const byKind = new Map<string, number[]>();
  const problems: string[] = [];
  let lastPeak = 0;
  while (performance.now() < end && attacked.death() === undefined) {
    for (const probe of await honest.probe()) {
      milliseconds.push(probe.milliseconds);
      const { kind = '' } = probe;
      const ofKind = byKind.get(kind) ?? [];
      ofKind.push(probe.milliseconds);
      byKind.set(kind, ofKind);
      if (probe.problem !== undefined) problems.push(probe.problem);
    }
    lastPeak = attacked.footprint()?.peak ?? lastPeak;
  }
  return { milliseconds, byKind, problems, lastPeak };
}

/** What an attack gets, and what the metrics said while it lasted: a series of a target ends with the target. */
interface AttackFigures extends HonestFigures {
  readonly got: number;
  readonly metrics: Metrics;
}

async function runAttack(attack: Attack, world: World): Promise<AttackFigures> {
  const attacker = startChildProcess<ToAttacker, FromAttacker>(new URL('./attacker-process.ts', import.meta.url));
  try {
    await attacker.next('ready');
    const { name, amount } = attack;
    const started = attacker.request({ kind: 'attack', name, amount: amount.full, victim: world.victim }, 'attacking');
    // The attack may take long to build up: the honest clients are there from its first byte.
    const figures = await measureHonest(world.honest, world.attacked, attack.seconds ?? defaultSeconds);
    await started;
    const metrics = world.attacked.death() === undefined ? await readMetrics(world.metrics) : new Map<string, string>();
    const { got } = await attacker.request({ kind: 'stop' }, 'stopped');
    return { ...figures, got, metrics };
  } finally {
    attacker.stop();
  }
}

const mebibyte = 2 ** 20;

function rowOf({ name }: Attack, outcome: Outcome): Row {
  const { before, left, log } = outcome;
  const figures: Record<string, number> = {
    'standstill, ms': outcome.standstill,
    'of it CPU, ms': Math.min(outcome.cpu, outcome.standstill),
    'peak, MiB': outcome.peak / mebibyte,
    'quiet p99, ms': outcome.quietP99,
    'p99, ms': outcome.attackP99,
    'worst, ms': outcome.worst,
    '× quiet': outcome.attackP99 / outcome.quietP99,
    'honest failed, %': (100 * outcome.problems.length) / Math.max(1, outcome.honest),
    'warnings logged': log.warnings,
    'log lines': log.lines,
    'longest line': log.longest,
    got: outcome.got,
  };
  if (left !== undefined) {
    figures['left, MiB'] = (left.resident - before.resident) / mebibyte;
    figures['left, descriptors'] = left.descriptors - before.descriptors;
    figures['left, sockets'] = left.sockets - before.sockets;
  }
  return { name, figures };
}

function notesOf({ name, program }: Attack, outcome: Outcome): readonly string[] {
  const { problems, log, metrics, attackP99, quietP99, standstill, peak, byKind } = outcome;
  const kinds = [...byKind].map(([kind, milliseconds]) => `${kind} ${Math.round(quantile(milliseconds, 0.99))}`);
  const notes: string[] = [];
  if (standstill > aims.standstill) notes.push('the event loop stood still for longer than is aimed at');
  if (peak > aims.peak[program] * mebibyte) notes.push('it took more memory than is aimed at');
  if (attackP99 > aims.honest.milliseconds && attackP99 > aims.honest.factor * quietP99)
    notes.push('honest clients waited for longer than is aimed at');
  if (kinds.length > 1) notes.push(`p99 of each, ms: ${kinds.join(', ')}`);
  if (problems[0] !== undefined) notes.push(`an honest client: ${problems[0].slice(0, maxQuote)}`);
  notes.push(log.first === undefined ? 'no warning in the log' : `the log: ${log.first.slice(0, maxQuote)}`);
  if (metrics.length > 0) notes.push(`metrics: ${metrics.slice(0, maxMetrics).join(', ')}`);
  return notes.map((note) => `${name}: ${note}`);
}

/** What must not be, whatever the machine: times and sizes are printed only. */
function brokenBy({ death, got, left, before, gauges, missing }: Outcome): readonly string[] {
  const sentences: string[] = [];
  if (death !== undefined) sentences.push(`the program ${death}`);
  if (got > 0) sentences.push(`the attackers got ${got} things that they should not get`);
  const descriptors = left === undefined ? 0 : left.descriptors - before.descriptors;
  if (descriptors > maxLeft) sentences.push(`${descriptors} descriptors were left over`);
  return [...sentences, ...gauges, ...(death === undefined ? missing : [])];
}
