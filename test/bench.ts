import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { clusterBench } from './bench/cluster/cluster-bench.ts';
import { outageBench } from './bench/cluster/outage-bench.ts';
import { connectBench } from './bench/connect-bench.ts';
import { fanOutBench } from './bench/fan-out-bench.ts';
import { graphBench } from './bench/graph/graph-bench.ts';
import { hostileBench } from './bench/hostile/hostile-bench.ts';
import { attackNames } from './bench/hostile/messages.ts';
import type { Bench, BenchResult, BenchSelection, Table } from './bench/model.ts';
import { worldBench } from './bench/world/world-bench.ts';

/** In the order of the pipeline. */
const benches: readonly Bench[] = [
  graphBench,
  fanOutBench,
  connectBench,
  hostileBench,
  worldBench,
  clusterBench,
  outageBench,
];

const usage = `npm run bench -- [flags]

  --only <bench>     one of ${benches.map(({ name }) => name).join(', ')}; default: all
  --attack <attack>  of the hostile bench, may be repeated; default: all of
${attackNames.map((name) => `                       '${name}'`).join('\n')}
  --rounds <number>  rounds per attack of the hostile bench, default 4; restarts of the outage bench, default 100
  --json <file>      writes the figures to a file as well
`;

interface Arguments {
  readonly chosen: readonly Bench[];
  readonly selection: BenchSelection;
  readonly json: string | undefined;
}

/** Returns undefined for `--help`. Throws for unknown or contradictory arguments. */
function readArguments(): Arguments | undefined {
  const { values } = parseArgs({
    options: {
      attack: { type: 'string', multiple: true },
      help: { type: 'boolean' },
      json: { type: 'string' },
      only: { type: 'string' },
      rounds: { type: 'string' },
    },
  });
  if (values.help === true) return undefined;
  const { only, attack: attacks = [], rounds } = values;
  const chosen = benches.filter(({ name }) => only === undefined || only === name);
  if (chosen.length === 0) throw new Error(`There is no bench "${only}": ${benches.map(({ name }) => name)}.`);
  const unknown = attacks.find((name) => attackNames.every((known) => known !== name));
  if (unknown !== undefined) throw new Error(`There is no attack "${unknown}": ${attackNames.join(', ')}.`);
  if (rounds !== undefined && !/^[1-9]\d{0,3}$/.test(rounds)) throw new Error('--rounds is a number from 1 to 9999.');
  if (attacks.length > 0 && only !== hostileBench.name) throw new Error(`--attack needs --only ${hostileBench.name}.`);
  if (rounds !== undefined && only !== hostileBench.name && only !== outageBench.name) {
    throw new Error(`--rounds needs --only ${hostileBench.name} or ${outageBench.name}.`);
  }
  return {
    chosen,
    selection: { attacks, rounds: rounds === undefined ? undefined : Number(rounds) },
    json: values.json,
  };
}

/** Runs the benches one after another. Prints tables to standard output, and progress to standard error. */
async function main(): Promise<void> {
  const args = readArguments();
  if (args === undefined) return void process.stdout.write(usage);
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

function formatTable({ title, rows }: Table): string {
  const columns = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))];
  const body = rows.map(({ name, figures }) => [name, ...columns.map((column) => formatFigure(figures[column]))]);
  const lines = [['', ...columns], ...body];
  const widths = ['', ...columns].map((_, at) => Math.max(...lines.map((cells) => cells[at]?.length ?? 0)));
  const pad = (cell: string, at: number): string =>
    (at === 0 ? cell.padEnd : cell.padStart).call(cell, widths[at] ?? 0);
  return `\n${title}\n${lines.map((cells) => cells.map(pad).join('  ')).join('\n')}\n`;
}

/** Rounds to three significant digits, or to a whole number from 1,000 on. */
function formatFigure(figure: number | undefined): string {
  if (figure === undefined) return '';
  return figure >= 1000 ? Math.round(figure).toLocaleString('en') : `${Number(figure.toPrecision(3))}`;
}

await main();
