import { setTimeout } from 'node:timers/promises';
import { type ChildProcess, startChildProcess } from '../../child-process.ts';
import type { BenchResult, Row } from '../../model.ts';
import type { Rig } from '../../nodes/rig.ts';
import { startServerRig } from '../../servers/server-rig.ts';
import { quantile } from '../../statistics.ts';
import type { AttackName, FromAttacker, ToAttacker } from './messages.ts';

/*
 * How much an attack delays changes for the other nodes: p99 from a change to a node's ACK, during the attack and just
 * before and after it. Attackers, nodes and server share the machine's CPU, so every attack is repeated against a second
 * server that no node is connected to: the factor of that run is the cost of the attackers' own computing.
 */

const nodes = 200;
const targets = 1000;
const warmUps = 100;
const defaultRounds = 4;
/** Changes before and after an attack, each, and during it, per round. */
const quietChanges = 50;
const attackedChanges = 100;
/** Milliseconds from one change to the next. */
const interval = 20;
/** Milliseconds from the start of an attack until it is measured, and from its end until the quiet is. */
const settling = 1000;

type Attacker = ChildProcess<ToAttacker, FromAttacker>;

/** The server with its nodes, an attacker of it, and an attacker of a second server without nodes. */
interface Setup {
  readonly rig: Rig;
  readonly attacker: Attacker;
  readonly controlAttacker: Attacker;
}

/** @param rounds per attack; 4 by default */
export async function benchNodes(
  progress: (line: string) => void,
  names: readonly AttackName[],
  rounds: number = defaultRounds,
): Promise<BenchResult> {
  const rig = await startServerRig('gatehouse', { nodes, targets });
  const control = await startServerRig('gatehouse', { nodes: 0, targets });
  const setup = { rig, attacker: startAttacker(rig), controlAttacker: startAttacker(control) };
  const rows: Row[] = [];
  const broken: string[] = [];
  try {
    await Promise.all([setup.attacker.next('ready'), setup.controlAttacker.next('ready')]);
    await rig.connect();
    await measureDelays(rig, warmUps);
    await rig.received();
    for (const name of names) {
      const row = await measureAttack(name, rounds, setup, progress);
      const messages = (await rig.received()) / (2 * rounds * (2 * quietChanges + attackedChanges));
      if (messages !== nodes) broken.push(`${name}: ${messages} messages per change for ${nodes} nodes`);
      rows.push(row);
    }
  } finally {
    for (const { stop } of [setup.attacker, setup.controlAttacker, rig, control]) stop();
  }
  const title = `hostile: ${nodes} nodes, ${targets.toLocaleString('en')} targets, from a change to each ACK while somebody`;
  return { broken, tables: [{ title, rows }] };
}

function startAttacker({ port }: Rig): Attacker {
  return startChildProcess<ToAttacker, FromAttacker>(new URL('./attacker-process.ts', import.meta.url), String(port));
}

async function measureAttack(
  name: AttackName,
  rounds: number,
  { rig, attacker, controlAttacker }: Setup,
  progress: (line: string) => void,
): Promise<Row> {
  const attacked = new AttackDelays();
  const control = new AttackDelays();
  for (let round = 0; round < rounds; round += 1) {
    progress(`one that ${name}, round ${round + 1} of ${rounds}`);
    await attacked.measureRound(name, rig, attacker);
    await control.measureRound(name, rig, controlAttacker);
  }
  return {
    name,
    figures: {
      'usual p99, ms': attacked.quietP99,
      'p99, ms': attacked.attackP99,
      '× usual p99': attacked.attackP99 / attacked.quietP99,
      '× with another server': control.attackP99 / control.quietP99,
      'server, MiB': attacked.maxResident / 2 ** 20,
    },
  };
}

/** Delays of all rounds of one attack: the p99 of a single round would be that of its worst change. */
class AttackDelays {
  readonly #quiet: number[] = [];
  readonly #attack: number[] = [];
  /** Largest resident memory of the server during the attack, in bytes. */
  maxResident = 0;

  async measureRound(name: AttackName, rig: Rig, attacker: Attacker): Promise<void> {
    this.#quiet.push(...(await measureDelays(rig, quietChanges)));
    await attacker.request({ kind: 'attack', name }, 'attacking');
    await setTimeout(settling);
    this.#attack.push(...(await measureDelays(rig, attackedChanges)));
    const { resident } = await rig.server.request({ kind: 'measure-memory', acks: 0 }, 'memory');
    this.maxResident = Math.max(this.maxResident, resident);
    await attacker.request({ kind: 'stop' }, 'stopped');
    await setTimeout(settling);
    this.#quiet.push(...(await measureDelays(rig, quietChanges)));
  }

  /** Milliseconds. */
  get quietP99(): number {
    return quantile(this.#quiet, 0.99);
  }

  /** Milliseconds. */
  get attackP99(): number {
    return quantile(this.#attack, 0.99);
  }
}

/** Makes changes one after another; returns the milliseconds from each to the ACK of each node. */
async function measureDelays(rig: Rig, changes: number): Promise<readonly number[]> {
  const all: number[] = [];
  for (let change = 0; change < changes; change += 1) {
    const next = setTimeout(interval);
    const { delays } = await rig.server.request({ kind: 'time-acks', nodes }, 'ack-delays');
    all.push(...delays);
    await next;
  }
  return all;
}
