import { setTimeout } from 'node:timers/promises';
import { type AttackName, attackNames } from './attack-names.ts';
import { quantile } from './figures.ts';
import type { FromHostile, ToHostile } from './hostile-model.ts';
import type { Bench, BenchResult, Row } from './model.ts';
import { type Process, startProcess } from './processes.ts';
import { type Rig, startRig } from './rig.ts';

/** How much later the others are told of a change while somebody is hostile, beside the moment before and after. */
export const hostileBench: Bench = { name: 'hostile', run: benchHostile };

const nodes = 200;
const targets = 1000;
const warmUps = 100;
/** Changes in peace on either side of an attack, and during it. */
const usual = 40;
const attacked = 80;
/** Milliseconds from one change to the next. */
const between = 20;
/** Milliseconds that an attack is given to unfold, and its remains to go. The first of a kind compiles what it meets. */
const unfolding = 1000;

async function benchHostile(progress: (what: string) => void): Promise<BenchResult> {
  const rig = await startRig({ nodes }, new URL('./subject-server.ts', import.meta.url), 'gatehouse', String(targets));
  const { port } = rig;
  const hostile = startProcess<ToHostile, FromHostile>(new URL('./hostile-clients.ts', import.meta.url), String(port));
  const rows: Row[] = [];
  const broken: string[] = [];
  try {
    await hostile.heard('ready');
    await rig.connect();
    await delaysOf(rig, warmUps);
    await rig.received();
    for (const name of attackNames) {
      progress(`one that ${name}`);
      rows.push(await attack(name, rig, hostile, broken));
    }
  } finally {
    hostile.stop();
    rig.stop();
  }
  const title = `hostile: ${nodes} nodes, ${targets.toLocaleString('en')} targets, from a change to each ACK while somebody`;
  return { broken, tables: [{ title, rows }] };
}

async function attack(
  name: AttackName,
  rig: Rig,
  hostile: Process<ToHostile, FromHostile>,
  broken: string[],
): Promise<Row> {
  const before = await delaysOf(rig, usual);
  await hostile.ask({ kind: 'attack', name }, 'attacking');
  await setTimeout(unfolding);
  const during = await delaysOf(rig, attacked);
  const { resident } = await rig.server.ask({ kind: 'weigh', acks: 0 }, 'weighed');
  await hostile.ask({ kind: 'relent' }, 'relented');
  await setTimeout(unfolding);
  const peace = [...before, ...(await delaysOf(rig, usual))];
  const messages = (await rig.received()) / (2 * usual + attacked);
  if (messages !== nodes) broken.push(`${name}: ${messages} messages per change for ${nodes} nodes`);
  return {
    name,
    figures: {
      'usual p50, ms': quantile(peace, 0.5),
      'usual p99, ms': quantile(peace, 0.99),
      'p50, ms': quantile(during, 0.5),
      'p99, ms': quantile(during, 0.99),
      '× usual p99': quantile(during, 0.99) / quantile(peace, 0.99),
      'server, MiB': resident / 2 ** 20,
    },
  };
}

/** Milliseconds from a change to each node's ACK, of so many changes. */
async function delaysOf(rig: Rig, changes: number): Promise<readonly number[]> {
  const all: number[] = [];
  for (let change = 0; change < changes; change += 1) {
    const next = setTimeout(between);
    const { delays } = await rig.server.ask({ kind: 'time', nodes }, 'timed');
    all.push(...delays);
    await next;
  }
  return all;
}
