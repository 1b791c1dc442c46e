import { setTimeout } from 'node:timers/promises';
import { type Process, startProcess } from '../child-process.ts';
import type { Bench, BenchResult, Row } from '../model.ts';
import { type Rig, startRig } from '../nodes/rig.ts';
import { quantile } from '../statistics.ts';
import { type AttackName, attackNames } from './attack-names.ts';
import type { FromHostile, ToHostile } from './messages.ts';

/**
 * How much later the others are told of a change while somebody is hostile, beside the moments before and after. The
 * hostile, the nodes and the server share the machine, so the same is done to a server that the nodes are not connected
 * to: what is later then, is so because others compute.
 */
export const hostileBench: Bench = { name: 'hostile', run: benchHostile };

const nodes = 200;
const targets = 1000;
const warmUps = 100;
const rounds = 4;
/** Changes in peace on either side of an attack, and during it, in each round. */
const usual = 50;
const attacked = 100;
/** Milliseconds from one change to the next. */
const between = 20;
/** Milliseconds that an attack is given to unfold, and its remains to go. */
const unfolding = 1000;

type Hostile = Process<ToHostile, FromHostile>;

/** A server with its nodes, and who is hostile to it and to another one that has none. */
interface Scene {
  readonly rig: Rig;
  readonly toIt: Hostile;
  readonly toAnother: Hostile;
}

async function benchHostile(progress: (what: string) => void): Promise<BenchResult> {
  const file = new URL('../servers/server-process.ts', import.meta.url);
  const rig = await startRig({ nodes }, file, 'gatehouse', String(targets));
  const another = await startRig({ nodes: 0 }, file, 'gatehouse', String(targets));
  const scene = { rig, toIt: hostileTo(rig), toAnother: hostileTo(another) };
  const rows: Row[] = [];
  const broken: string[] = [];
  try {
    await Promise.all([scene.toIt.heard('ready'), scene.toAnother.heard('ready')]);
    await rig.connect();
    await delaysOf(rig, warmUps);
    await rig.received();
    for (const name of attackNames) rows.push(await attack(name, scene, progress, broken));
  } finally {
    for (const { stop } of [scene.toIt, scene.toAnother, rig, another]) stop();
  }
  const title = `hostile: ${nodes} nodes, ${targets.toLocaleString('en')} targets, from a change to each ACK while somebody`;
  return { broken, tables: [{ title, rows }] };
}

function hostileTo({ port }: Rig): Hostile {
  return startProcess<ToHostile, FromHostile>(new URL('./attacker-process.ts', import.meta.url), String(port));
}

async function attack(
  name: AttackName,
  { rig, toIt, toAnother }: Scene,
  progress: (what: string) => void,
  broken: string[],
): Promise<Row> {
  const here = new Endured();
  const elsewhere = new Endured();
  for (let round = 0; round < rounds; round += 1) {
    progress(`one that ${name}, round ${round + 1} of ${rounds}`);
    await here.endure(name, rig, toIt);
    await elsewhere.endure(name, rig, toAnother);
  }
  const messages = (await rig.received()) / (2 * rounds * (2 * usual + attacked));
  if (messages !== nodes) broken.push(`${name}: ${messages} messages per change for ${nodes} nodes`);
  return {
    name,
    figures: {
      'usual p99, ms': here.peace,
      'p99, ms': here.attack,
      '× usual p99': here.attack / here.peace,
      '× with another server': elsewhere.attack / elsewhere.peace,
      'server, MiB': here.resident / 2 ** 20,
    },
  };
}

/** What was measured in all rounds: a percentile of one round would be that of its worst change. */
class Endured {
  readonly #peace: number[] = [];
  readonly #attack: number[] = [];
  /** The most that the server took during an attack; bytes. */
  resident = 0;

  async endure(name: AttackName, rig: Rig, hostile: Hostile): Promise<void> {
    this.#peace.push(...(await delaysOf(rig, usual)));
    await hostile.ask({ kind: 'attack', name }, 'attacking');
    await setTimeout(unfolding);
    this.#attack.push(...(await delaysOf(rig, attacked)));
    const { resident } = await rig.server.ask({ kind: 'weigh', acks: 0 }, 'weighed');
    this.resident = Math.max(this.resident, resident);
    await hostile.ask({ kind: 'relent' }, 'relented');
    await setTimeout(unfolding);
    this.#peace.push(...(await delaysOf(rig, usual)));
  }

  /** The 99th percentiles, in milliseconds. */
  get peace(): number {
    return quantile(this.#peace, 0.99);
  }

  get attack(): number {
    return quantile(this.#attack, 0.99);
  }
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
