import { heapUsed } from '../heap.ts';
import type { FromServer, ToServer } from '../nodes/messages.ts';
import type { AckCounter } from './ack-counter.ts';

/** A server that pushes changes to a fleet and counts its ACKs. */
export interface MeasuredServer {
  readonly port: number;
  readonly acks: AckCounter;
  /** Makes a change and pushes it. */
  change(): void;
}

const send = (message: FromServer): void => void process.send?.(message);

/** Measures a server as the parent process asks, until it disconnects. */
export function measure(server: MeasuredServer): void {
  process.on('message', (message: ToServer) => {
    if (message.kind === 'push') push(server, message.nodes);
    if (message.kind === 'time-acks') timeAcks(server, message.nodes);
    if (message.kind === 'measure-memory') measureMemory(server, message.acks);
  });
  process.on('disconnect', () => process.exit());
  send({ kind: 'listening', port: server.port });
}

function push(server: MeasuredServer, nodes: number): void {
  const goal = server.acks.count + nodes;
  const start = performance.now();
  const before = process.cpuUsage();
  server.change();
  server.acks.when(goal, () => {
    const { user, system } = process.cpuUsage(before);
    send({ kind: 'pushed', cpu: user + system, milliseconds: performance.now() - start });
  });
}

function timeAcks(server: MeasuredServer, nodes: number): void {
  const start = performance.now();
  const delays: number[] = [];
  server.acks.onAck = () => void delays.push(performance.now() - start);
  const goal = server.acks.count + nodes;
  server.change();
  server.acks.when(goal, () => {
    server.acks.onAck = () => {};
    send({ kind: 'ack-delays', delays });
  });
}

function measureMemory(server: MeasuredServer, acks: number): void {
  server.acks.when(acks, () => {
    const heap = heapUsed();
    send({ kind: 'memory', resident: process.memoryUsage.rss(), heap });
  });
}
