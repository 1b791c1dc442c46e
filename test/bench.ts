import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { clusterBench } from './bench/cluster/cluster-bench.ts';
import { connectBench } from './bench/connect-bench.ts';
import { fanOutBench } from './bench/fan-out-bench.ts';
import { graphBench } from './bench/graph/graph-bench.ts';
import { hostileBench } from './bench/hostile/hostile-bench.ts';
import type { Bench, BenchResult, Table } from './bench/model.ts';
import { worldBench } from './bench/world/world-bench.ts';

/** In the order of the pipeline. */
const benches: readonly Bench[] = [graphBench, fanOutBench, connectBench, hostileBench, worldBench, clusterBench];

/** `npm run bench [-- --only <name>] [--json <file>]`: measures one subject after another, and tells both people and scripts. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'string' }, only: { type: 'string' } } });
  const chosen = benches.filter(({ name }) => values.only === undefined || values.only === name);
  if (chosen.length === 0) throw new Error(`There is no bench "${values.only}": ${benches.map(({ name }) => name)}.`);
  const results: Record<string, BenchResult> = {};
  for (const { name, run } of chosen) {
    const result = await run((what) => console.error(`${name}: ${what}`));
    results[name] = result;
    for (const table of result.tables) console.log(format(table));
    for (const sentence of result.broken) console.error(`${name}: BROKEN: ${sentence}`);
    if (result.broken.length > 0) process.exitCode = 1;
  }
  const machine = { node: process.version, cpus: availableParallelism() };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ machine, results }, null, 2)}\n`);
}

function format({ title, rows }: Table): string {
  const columns = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))];
  const body = rows.map(({ name, figures }) => [name, ...columns.map((column) => show(figures[column]))]);
  const lines = [['', ...columns], ...body];
  const widths = ['', ...columns].map((_, at) => Math.max(...lines.map((cells) => cells[at]?.length ?? 0)));
  const pad = (cell: string, at: number): string =>
    (at === 0 ? cell.padEnd : cell.padStart).call(cell, widths[at] ?? 0);
  return `\n${title}\n${lines.map((cells) => cells.map(pad).join('  ')).join('\n')}\n`;
}

/** Three digits that mean something, whatever the size. */
function show(figure: number | undefined): string {
  if (figure === undefined) return '';
  return figure >= 1000 ? Math.round(figure).toLocaleString('en') : `${Number(figure.toPrecision(3))}`;
}

await main();
