import { heapUsed } from '../heap.ts';
import type { FromServer, ToServer } from '../nodes/messages.ts';
import type { ChangeKind } from './bench-world.ts';
import type { ServerName } from './server-rig.ts';
import { startServer } from './servers.ts';

/** Entry file of a process with one server: `server-process.ts <name> <targets> <change>`. */
const [name = 'gatehouse', targets = '10', kind = 'target'] = process.argv.slice(2);
const server = await startServer(name as ServerName, Number(targets), kind as ChangeKind);
const send = (message: FromServer): void => void process.send?.(message);

function push(nodes: number): void {
  const goal = server.acks.count + nodes;
  const start = performance.now();
  const before = process.cpuUsage();
  server.change();
  server.acks.when(goal, () => {
    const { user, system } = process.cpuUsage(before);
    send({ kind: 'pushed', cpu: user + system, milliseconds: performance.now() - start });
  });
}

function timeAcks(nodes: number): void {
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

function measureMemory(acks: number): void {
  server.acks.when(acks, () => {
    const heap = heapUsed();
    send({ kind: 'memory', resident: process.memoryUsage.rss(), heap });
  });
}

process.on('message', (message: ToServer) => {
  if (message.kind === 'push') push(message.nodes);
  if (message.kind === 'time-acks') timeAcks(message.nodes);
  if (message.kind === 'measure-memory') measureMemory(message.acks);
});
process.on('disconnect', () => process.exit());
send({ kind: 'listening', port: server.port });
