import type { Bench, BenchResult, BenchSelection } from '../model.ts';
import { attackNames as nodeAttackNames } from './nodes/messages.ts';
import { benchNodes } from './nodes/nodes-bench.ts';
import { programAttacks } from './programs/attacks.ts';
import { benchPrograms } from './programs/programs-bench.ts';

/**
 * Two tables: how much hostile nodes delay the changes of the others at a server within a process of the bench, and what
 * attacks on the whole programs do to them and to honest clients.
 */
export const hostileBench: Bench = { name: 'hostile', run: benchHostile };

/** Seconds after which what an attack has left over is counted. */
const defaultSettle = 60;

/** The attacks of both tables with the number of their kind, as `--list` prints them. */
export const hostileAttacks: readonly { readonly name: string; readonly of: string }[] = [
  ...nodeAttackNames.map((name) => ({ name, of: 'nodes' })),
  ...programAttacks.map(({ name, program, row }) => ({ name, of: `${program}, row ${row}` })),
];

async function benchHostile(progress: (line: string) => void, selection: BenchSelection): Promise<BenchResult> {
  const isSelected = (name: string): boolean => selection.attacks.length === 0 || selection.attacks.includes(name);
  const nodeNames = nodeAttackNames.filter(isSelected);
  const names = programAttacks.map(({ name }) => name).filter(isSelected);
  const ofNodes = nodeNames.length === 0 ? nothing : await benchNodes(progress, nodeNames, selection.rounds);
  const settle = selection.settle ?? defaultSettle;
  const ofPrograms = await benchPrograms({ names, rounds: selection.rounds ?? 1, settle }, progress);
  return {
    tables: [...ofNodes.tables, ...ofPrograms.tables],
    broken: [...ofNodes.broken, ...ofPrograms.broken],
  };
}

const nothing: BenchResult = { tables: [], broken: [] };
