import { type ChildProcess, fork } from 'node:child_process';
import type { FromFleet, FromServer, ToFleet, ToServer } from './fan-out-messages.ts';
import type { SubjectName } from './fan-out-subject.ts';
import type { Bench, BenchResult, Row } from './model.ts';

/** What it costs to tell a thousand connected nodes of one changed target, beside servers that only copy bytes. */
export const fanOutBench: Bench = { name: 'fan-out', run: benchFanOut };

const nodes = 1000;
const sizes: readonly number[] = [10, 1000, 10_000];
const subjects: readonly SubjectName[] = ['node:http2', 'grpc-js', 'gatehouse'];
const warmUps = 10;
const rounds = 15;

async function benchFanOut(progress: (what: string) => void): Promise<BenchResult> {
  const rows: Row[] = [];
  const broken: string[] = [];
  for (const targets of sizes) {
    progress(`${nodes} nodes, ${targets} targets`);
    const rigs: Rig[] = [];
    try {
      for (const subject of subjects) rigs.push(await startRig(subject, targets));
      // In turns: whatever else the machine does hits all of them alike.
      for (let round = 0; round < warmUps + rounds; round += 1) {
        for (const rig of rigs) await rig.push(round >= warmUps);
      }
      for (const rig of rigs) rows.push(await rowOf(rig, targets, rigs[0], broken));
    } finally {
      for (const rig of rigs) rig.stop();
    }
  }
  return { broken, tables: [{ title: `fan-out: one changed target for ${nodes} nodes`, rows }] };
}

/** A server and its fleet, each in its own process. */
interface Rig {
  readonly subject: SubjectName;
  /** Of the first answer. */
  readonly bytes: number;
  /** Microseconds of CPU of the server per node, and milliseconds to the last answer, for each round that counts. */
  readonly cpu: number[];
  readonly milliseconds: number[];
  push(counts: boolean): Promise<void>;
  /** Responses that the fleet got since it was connected. */
  received(): Promise<number>;
  stop(): void;
}

async function startRig(subject: SubjectName, targets: number): Promise<Rig> {
  const server = start(new URL('./fan-out-server.ts', import.meta.url), subject, String(targets));
  const { port } = await heard<FromServer, 'listening'>(server, 'listening');
  const fleet = start(new URL('./fan-out-fleet.ts', import.meta.url), String(port), String(nodes));
  const { bytes } = await heard<FromFleet, 'connected'>(fleet, 'connected');
  const cpu: number[] = [];
  const milliseconds: number[] = [];
  return {
    subject,
    bytes,
    cpu,
    milliseconds,
    async push(counts) {
      server.send({ kind: 'push', nodes } satisfies ToServer);
      const pushed = await heard<FromServer, 'pushed'>(server, 'pushed');
      if (!counts) return;
      cpu.push(pushed.cpu / nodes);
      milliseconds.push(pushed.milliseconds);
    },
    async received() {
      fleet.send({ kind: 'count' } satisfies ToFleet);
      return (await heard<FromFleet, 'received'>(fleet, 'received')).responses;
    },
    stop() {
      fleet.kill();
      server.kill();
    },
  };
}

async function rowOf(rig: Rig, targets: number, floor: Rig | undefined, broken: string[]): Promise<Row> {
  const { subject, bytes, cpu, milliseconds } = rig;
  const name = `${subject}, ${targets.toLocaleString('en')} targets`;
  const messages = (await rig.received()) / (warmUps + rounds);
  if (messages !== nodes) broken.push(`${name}: ${messages} messages per change for ${nodes} nodes`);
  return {
    name,
    figures: {
      'first answer, bytes': bytes,
      messages,
      'CPU, µs per node': median(cpu),
      '× floor': median(cpu) / median(floor?.cpu ?? cpu),
      'last ACK, ms': median(milliseconds),
      '× floor ': median(milliseconds) / median(floor?.milliseconds ?? milliseconds),
    },
  };
}

function start(file: URL, ...args: readonly string[]): ChildProcess {
  return fork(file, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
}

/** The next message of this kind. Rejects when the process ends instead. */
function heard<Message extends { readonly kind: string }, Kind extends Message['kind']>(
  process: ChildProcess,
  kind: Kind,
): Promise<Extract<Message, { readonly kind: Kind }>> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      process.off('message', received);
      process.off('exit', ended);
    };
    const received = (message: Message): void => {
      if (message.kind !== kind) return;
      done();
      resolve(message as Extract<Message, { readonly kind: Kind }>);
    };
    const ended = (code: number | null): void => {
      done();
      reject(new Error(`a process of the bench ended (${code}) before it was "${kind}"`));
    };
    process.on('message', received);
    process.on('exit', ended);
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
