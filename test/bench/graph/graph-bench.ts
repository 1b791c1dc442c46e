import { isDeepStrictEqual } from 'node:util';
import { Bench as TimedBench } from 'tinybench';
import { heapUsed } from '../heap.ts';
import type { Bench, BenchResult, Row } from '../model.ts';
import { type Edit, graphEdits } from './graph-edits.ts';
import { createInputs, type ShardWorld } from './shard-world.ts';
import { createWorldByGraph, type GraphWorld } from './shard-world-by-graph.ts';
import { createWorldByHand } from './shard-world-by-hand.ts';

/** Cost of one edit by size of the world: runs of transformations, which must be constant, and time compared with the world by hand. */
export const graphBench: Bench = { name: 'graph', run: benchGraph };

const sizes: readonly number[] = [1_000, 10_000, 100_000];

/** One world in both implementations. */
interface Worlds {
  readonly size: number;
  readonly byGraph: GraphWorld;
  readonly byHand: ShardWorld;
}

async function benchGraph(progress: (line: string) => void): Promise<BenchResult> {
  const builds: Row[] = [];
  const broken: string[] = [];
  const costs: Cost[] = [];
  progress('warming up');
  const { pair: warm } = build(1_000);
  for (const edit of graphEdits) {
    await time(edit, warm);
  }
  for (const size of sizes) {
    progress(`a world of ${size} Services`);
    const { pair, row } = build(size);
    builds.push(row);
    // Runs are counted before anything is timed, because the number of timed turns varies.
    const runs = new Map(graphEdits.map((edit) => [edit, countRuns(edit, pair, broken)]));
    for (const edit of graphEdits) {
      costs.push({ edit, size, runs: runs.get(edit) ?? 0, ...(await time(edit, pair)) });
    }
  }
  const rows = graphEdits.flatMap((edit) => compare(costs.filter((cost) => cost.edit === edit)));
  return {
    broken,
    tables: [
      { title: 'graph: one edit', rows },
      { title: 'graph: the whole world, in one commit', rows: builds },
    ],
  };
}

/** Cost of one edit in one size; times in microseconds. */
interface Cost {
  readonly edit: Edit;
  readonly size: number;
  readonly runs: number;
  readonly byGraph: number;
  readonly byHand: number;
}

/** Compares the sizes of one edit with the smallest one and with the world by hand. */
function compare(costs: readonly Cost[]): readonly Row[] {
  return costs.map(({ edit, size, runs, byGraph, byHand }) => ({
    name: `${edit.name}, ${size.toLocaleString('en')}`,
    figures: {
      runs,
      µs: byGraph,
      '× smallest': byGraph / (costs[0]?.byGraph ?? byGraph),
      '× by hand': byGraph / byHand,
    },
  }));
}

function build(size: number): { readonly pair: Worlds; readonly row: Row } {
  const inputs = createInputs(size);
  const graph = measureBuild(() => createWorldByGraph(inputs));
  const hand = measureBuild(() => createWorldByHand(inputs));
  const figures = {
    ms: graph.milliseconds,
    'µs per Service': (graph.milliseconds * 1000) / size,
    'time × by hand': graph.milliseconds / hand.milliseconds,
  };
  // In smaller worlds the noise of the heap dominates.
  const memory = { 'bytes per Service': graph.bytes / size, 'bytes × by hand': graph.bytes / hand.bytes };
  const pair = { size, byGraph: graph.made, byHand: hand.made };
  return {
    pair,
    row: {
      name: `${size.toLocaleString('en')} Services`,
      figures: size < 10_000 ? figures : { ...figures, ...memory },
    },
  };
}

/** Measures the fastest of three builds, and the heap of one of them in bytes. */
function measureBuild<T>(make: () => T): { readonly made: T; readonly milliseconds: number; readonly bytes: number } {
  const times = [1, 2].map(() => timed(make).milliseconds);
  const before = heapUsed();
  const { made, milliseconds } = timed(make);
  return { made, milliseconds: Math.min(milliseconds, ...times), bytes: heapUsed() - before };
}

function timed<T>(make: () => T): { readonly made: T; readonly milliseconds: number } {
  const start = performance.now();
  const made = make();
  return { made, milliseconds: performance.now() - start };
}

/** Applies some turns to both worlds; returns the mean of runs per turn, and checks that both worlds are equal. */
function countRuns(edit: Edit, { size, byGraph, byHand }: Worlds, broken: string[]): number {
  const turns = 20;
  const before = byGraph.runs;
  for (let turn = 0; turn < turns; turn += 1) {
    edit.apply(byGraph, size, turn);
    edit.apply(byHand, size, turn);
  }
  const runs = (byGraph.runs - before) / turns;
  if (runs !== edit.runs) broken.push(`${edit.name}: ${runs} runs with ${size} Services, not ${edit.runs}`);
  if (!isDeepStrictEqual(byGraph.summary(), byHand.summary())) {
    broken.push(`${edit.name}: not the world that is kept by hand, with ${size} Services`);
  }
  return runs;
}

/** Times both worlds alternately, three rounds each; returns the medians of the fastest rounds, in microseconds. */
async function time(edit: Edit, { size, byGraph, byHand }: Worlds): Promise<Pick<Cost, 'byGraph' | 'byHand'>> {
  const best = { byGraph: Number.POSITIVE_INFINITY, byHand: Number.POSITIVE_INFINITY };
  for (let round = 0; round < 3; round += 1) {
    best.byGraph = Math.min(best.byGraph, await timeRound(edit, size, byGraph));
    best.byHand = Math.min(best.byHand, await timeRound(edit, size, byHand));
  }
  return best;
}

async function timeRound(edit: Edit, size: number, world: ShardWorld): Promise<number> {
  const timed = new TimedBench({ time: 100, warmupTime: 20 });
  let turn = 0;
  timed.add(edit.name, () => {
    edit.apply(world, size, turn);
    turn += 1;
  });
  const [task] = await timed.run();
  if (task?.result.state !== 'completed') throw new Error(`"${edit.name}" could not be timed.`);
  return task.result.latency.p50 * 1000;
}
