import { heapUsed } from '../heap.ts';
import type { FromServer, ToServer } from '../nodes/messages.ts';
import type { SubjectName } from './server-names.ts';
import { startSubject } from './servers.ts';

/** A process of its own with one server in it: `subject-server.ts <subject> <targets>`. */
const [name = 'gatehouse', targets = '10'] = process.argv.slice(2);
const subject = await startSubject(name as SubjectName, Number(targets));
const tell = (message: FromServer): void => void process.send?.(message);

function push(nodes: number): void {
  const goal = subject.acks.count + nodes;
  const start = performance.now();
  const before = process.cpuUsage();
  subject.change();
  subject.acks.when(goal, () => {
    const { user, system } = process.cpuUsage(before);
    tell({ kind: 'pushed', cpu: user + system, milliseconds: performance.now() - start });
  });
}

function time(nodes: number): void {
  const start = performance.now();
  const delays: number[] = [];
  subject.acks.each = () => void delays.push(performance.now() - start);
  const goal = subject.acks.count + nodes;
  subject.change();
  subject.acks.when(goal, () => {
    subject.acks.each = () => {};
    tell({ kind: 'timed', delays });
  });
}

function weigh(acks: number): void {
  subject.acks.when(acks, () => {
    const heap = heapUsed();
    tell({ kind: 'weighed', resident: process.memoryUsage.rss(), heap });
  });
}

process.on('message', (message: ToServer) => {
  if (message.kind === 'push') push(message.nodes);
  if (message.kind === 'time') time(message.nodes);
  if (message.kind === 'weigh') weigh(message.acks);
});
process.on('disconnect', () => process.exit());
tell({ kind: 'listening', port: subject.port });
