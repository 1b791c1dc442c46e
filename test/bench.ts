import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { clusterBench } from './bench/cluster/cluster-bench.ts';
import { outageBench } from './bench/cluster/outage-bench.ts';
import { connectBench } from './bench/connect-bench.ts';
import { fanOutBench } from './bench/fan-out-bench.ts';
import { gatewayBench } from './bench/gateway/gateway-bench.ts';
import { graphBench } from './bench/graph/graph-bench.ts';
import { hostileAttacks, hostileBench } from './bench/hostile/hostile-bench.ts';
import type { Bench, BenchResult, BenchSelection, Table } from './bench/model.ts';
import { secureBench } from './bench/secure/secure-bench.ts';
import { startBench } from './bench/start-bench.ts';
import { worldBench } from './bench/world/world-bench.ts';

/** In the order of the pipeline. */
const benches: readonly Bench[] = [
  graphBench,
  fanOutBench,
  connectBench,
  secureBench,
  hostileBench,
  worldBench,
  clusterBench,
  outageBench,
  gatewayBench,
  startBench,
];

const usage = `npm run bench -- [flags]

  --only <bench>     one of ${benches.map(({ name }) => name).join(', ')}; default: all
  --attack <attack>  of the hostile bench, may be repeated; default: all
  --list             prints the attacks of the hostile bench and ends
  --rounds <number>  rounds per attack of the hostile bench, default 4 for nodes and 1 for whole programs; restarts of
                     the outage bench, default 100; storms of the secure bench, default 9; starts, default 20; of the
                     gateway bench, default 3
  --settle <seconds> from the end of an attack until what it left over is counted; default: 60
  --json <file>      writes the figures to a file as well
`;

interface Arguments {
  readonly chosen: readonly Bench[];
  readonly selection: BenchSelection;
  readonly json: string | undefined;
}

/** Returns the text to print for `--help` and `--list`. Throws for unknown or contradictory arguments. */
function readArguments(): Arguments | string {
  const { values } = parseArgs({
    options: {
      attack: { type: 'string', multiple: true },
      help: { type: 'boolean' },
      json: { type: 'string' },
      list: { type: 'boolean' },
      only: { type: 'string' },
      rounds: { type: 'string' },
      settle: { type: 'string' },
    },
  });
  if (values.help === true) return usage;
  if (values.list === true) return hostileAttacks.map(({ name, of }) => `${name} (${of})\n`).join('');
  const { only, attack: attacks = [], rounds, settle } = values;
  const chosen = benches.filter(({ name }) => only === undefined || only === name);
  if (chosen.length === 0) throw new Error(`There is no bench "${only}": ${benches.map(({ name }) => name)}.`);
  const unknown = attacks.find((name) => hostileAttacks.every((known) => known.name !== name));
  if (unknown !== undefined) throw new Error(`There is no attack "${unknown}": see --list.`);
  if (rounds !== undefined && !/^[1-9]\d{0,3}$/.test(rounds)) throw new Error('--rounds is a number from 1 to 9999.');
  if (settle !== undefined && !/^\d{1,4}$/.test(settle)) throw new Error('--settle is a number from 0 to 9999.');
  if ((attacks.length > 0 || settle !== undefined) && only !== hostileBench.name) {
    throw new Error(`--attack and --settle need --only ${hostileBench.name}.`);
  }
  const counted = [hostileBench, outageBench, secureBench, startBench, gatewayBench].map(({ name }) => name);
  if (rounds !== undefined && !counted.includes(only ?? '')) {
    throw new Error(`--rounds needs --only ${counted.join(' or ')}.`);
  }
  return {
    chosen,
    selection: { attacks, rounds: numberOf(rounds), settle: numberOf(settle) },
    json: values.json,
  };
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** Runs the benches one after another. Prints tables to standard output, and progress to standard error. */
async function main(): Promise<void> {
  const args = readArguments();
  if (typeof args === 'string') return void process.stdout.write(args);
  const results: Record<string, BenchResult> = {};
  for (const { name, run } of args.chosen) {
    const result = await run((line) => console.error(`${name}: ${line}`), args.selection);
    results[name] = result;
    for (const table of result.tables) console.log(formatTable(table));
    for (const sentence of result.broken) console.error(`${name}: BROKEN: ${sentence}`);
    if (result.broken.length > 0) process.exitCode = 1;
  }
  const machine = { node: process.version, cpus: availableParallelism() };
  if (args.json !== undefined) writeFileSync(args.json, `${JSON.stringify({ machine, results }, null, 2)}\n`);
}

function formatTable({ title, rows, notes = [] }: Table): string {
  const columns = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))];
  const body = rows.map(({ name, figures }) => [name, ...columns.map((column) => formatFigure(figures[column]))]);
  const lines = [['', ...columns], ...body];
  const widths = ['', ...columns].map((_, at) => Math.max(...lines.map((cells) => cells[at]?.length ?? 0)));
  const pad = (cell: string, at: number): string =>
    (at === 0 ? cell.padEnd : cell.padStart).call(cell, widths[at] ?? 0);
  return [`\n${title}`, ...lines.map((cells) => cells.map(pad).join('  ')), ...notes, ''].join('\n');
}

/** Rounds to three significant digits, or to a whole number from 1,000 on. */
function formatFigure(figure: number | undefined): string {
  if (figure === undefined) return '';
  return figure >= 1000 ? Math.round(figure).toLocaleString('en') : `${Number(figure.toPrecision(3))}`;
}

await main();
